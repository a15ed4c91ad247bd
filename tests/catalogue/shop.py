"""A shop that publishes a little."""

from sqlalchemy import insert

from core.clock import Clock
from core.creditor import Alerts, Creditor
from store.database import Database
from store.tables.people import creditor as creditors

SHOP = Creditor(
    key="bloem",
    name="Bloem",
    country="NL",
    registration="KvK 1",
    languages=["nl", "en"],
    iban="NL91ABNA0417164300",
    alerts=Alerts(urgent="zorg@bloem.example"),
)
FAQ = (
    "language,question,answer,link\n"
    "nl,Wat kost de verzending?,De verzending kost € 5.,https://bloem.example/faq\n"
    "nl,Mag ik iets terugsturen?,Terugsturen mag binnen 30 dagen.,\n"
    "en,What does shipping cost?,Shipping cost is € 5.,\n"
)
PRODUCTS = (
    "id\ttitle\tdescription\tlink\tavailability\tprice\n"
    "P-1\tGieter Reiger\tWordt 30 cm hoog. Van staal.\thttps://bloem.example/p-1\tin stock\t21.00 EUR\n"
    "P-2\tPot Duin\tVan klei.\thttps://bloem.example/p-2\tout of stock\t\n"
)


async def founded(db: Database, clock: Clock, shop: Creditor = SHOP) -> Creditor:
    now = clock.now()
    row = {"id": shop.key, "config": shop.model_dump(mode="json"), "created_at": now, "updated_at": now}
    async with db.begin() as tx:
        await tx.execute(insert(creditors).values(row))
    return shop
