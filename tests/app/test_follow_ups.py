"""A promise that was missed: where its follow-up goes, by WhatsApp's window, templates and other addresses."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from billing.claims import Claims
from billing.fees import FeeBook
from billing.links import Links
from billing.plans import Plans
from billing.promises import Promises
from conversations.creditors import Creditors
from conversations.holds import holding
from conversations.outbox import Outbox
from core.creditor import Channels, Creditor, Whatsapp
from outreach.agreements import Agreements
from store.database import Database
from store.tables.money import promise
from store.tables.people import contact_point
from store.tables.talk import conversation, outbound
from store.wake import LocalWake
from tests.billing.house import BLOEM, VELO, House
from tests.clock import FakeClock

TEMPLATE = {"promise_missed": "HX1"}


@pytest.mark.parametrize(
    ("points", "templates", "goes_to"),
    [
        pytest.param({"whatsapp": 1}, {}, "whatsapp", id="the window is open"),
        pytest.param({"whatsapp": 25}, TEMPLATE, "whatsapp", id="closed, with a template"),
        pytest.param({"whatsapp": 25}, {"payment_reminder": "HX1"}, None, id="closed, and no template: an agent"),
        pytest.param({"whatsapp": 25, "sms": 200}, {}, "sms", id="closed, and another address"),
        pytest.param({"whatsapp": 25, "sms": 200}, TEMPLATE, "whatsapp", id="a template comes first"),
        pytest.param({"whatsapp": 24}, {}, None, id="closed after exactly a day"),
        pytest.param({"sms": 200, "telegram": 1}, {}, "sms", id="where the person last wrote from"),
    ],
)
async def test_where_a_follow_up_goes(
    database: Database, clock: FakeClock, points: dict[str, int], templates: dict[str, str], goes_to: str | None
) -> None:
    """`points`: channel → hours since the last message there; the first one is where the person last wrote from."""
    house = House.of(database, clock)
    config = BLOEM.model_copy(
        update={"channels": Channels(whatsapp=Whatsapp(number="+31600000000", templates=templates))}
    )
    await house.creditor(config)
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    now = clock.now()
    async with database.begin() as tx:
        home = {
            "id": "t1",
            "debtor_id": who,
            "state": "pending",
            "dialogue": "d1",
            "contact_point_id": next(iter(points)),
        }
        await tx.execute(insert(conversation).values(**home, creditor_id="bloem", created_at=now, updated_at=now))
        for channel, hours in points.items():
            point = {"id": channel, "channel": channel, "address": channel, "conversation_id": "t1", "debtor_id": who}
            moments = {"last_inbound_at": now - timedelta(hours=hours), "verified_until": now + timedelta(days=9)}
            await tx.execute(insert(contact_point).values(**point, **moments, creditor_id="bloem", created_at=now))
        row = {
            "id": "p1",
            "debtor_id": who,
            "conversation_id": "t1",
            "cause": "x",
            "state": "broken",
            "invoices": [key],
        }
        await tx.execute(
            insert(promise).values(**row, creditor_id="bloem", until=now.date(), created_at=now, ended_at=now)
        )
    creditors, outbox, links = Creditors(database), Outbox(database, clock, LocalWake()), Links(database, clock)
    promises, plans, claims = (
        Promises(database, clock, holding),
        Plans(database, clock, holding),
        Claims(database, clock),
    )
    fees = FeeBook(database, clock, house.invoices, holding)
    agreements = Agreements(database, clock, creditors, outbox, promises, plans, fees, links, claims)
    for _ in range(2):
        await agreements.promise_broken({"promise_id": "p1"})
    async with database.read() as tx:
        sent = [row.contact_point_id for row in await tx.execute(select(outbound))]
        talk = (await tx.execute(select(conversation))).one()
    assert sent == ([goes_to] if goes_to else [])
    assert talk.state == ("pending" if goes_to else "open")
    if goes_to is None:
        assert talk.summary == {"wish": "pay_later", "unreached": "whatsapp"}


async def test_one_creditor_s_fault_stops_no_other(database: Database, clock: FakeClock) -> None:
    """Nor what comes after it for the same one."""
    house = House.of(database, clock)
    for config in (BLOEM, VELO):
        await house.creditor(config)
    looked: list[str] = []

    def looks(what: str) -> Any:
        async def look(creditor: Creditor) -> int:
            looked.append(f"{creditor.key} {what}")
            if looked[-1] in ("bloem promises", "bloem fees"):
                raise RuntimeError("what nobody thought of")
            return 0

        return SimpleNamespace(run_due=look, run=look)

    of = {name: looks(name) for name in ("promises", "plans", "fees", "claims")}
    outbox, links = Outbox(database, clock, LocalWake()), Links(database, clock)
    await Agreements(database, clock, Creditors(database), outbox, links=links, **of).run()
    assert looked == [f"{key} {what}" for key in ("bloem", "velo") for what in ("promises", "plans", "claims", "fees")]
