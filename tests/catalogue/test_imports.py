"""What an import stores, and what finds it."""

import pytest
from sqlalchemy import select

from catalogue import index
from catalogue.imports import load_faq, load_products
from core.creditor import Creditor
from core.ids import CreditorKey
from store.database import Database
from store.tables.shop import faq, product
from tests.catalogue.made import Made
from tests.catalogue.shop import FAQ, PRODUCTS
from tests.clock import FakeClock

KEY = CreditorKey("bloem")


async def test_products(database: Database, clock: FakeClock, encoder: Made, shop: Creditor) -> None:
    result = await load_products(database, clock, encoder, shop, PRODUCTS)
    assert (result.loaded, result.unchanged, result.bad) == (2, 0, [])
    async with database.read() as tx:
        rows = (await tx.execute(select(product).order_by(product.c.external_id))).all()
    assert [(row.language, row.price, row.availability) for row in rows] == [
        ("nl", 2100, "in_stock"),
        ("nl", None, "out_of_stock"),
    ]


async def test_the_same_again_changes_and_encodes_nothing(
    database: Database, clock: FakeClock, encoder: Made, shop: Creditor
) -> None:
    await load_products(database, clock, encoder, shop, PRODUCTS)
    encoder.asked.clear()
    result = await load_products(database, clock, encoder, shop, PRODUCTS)
    assert (result.loaded, result.unchanged) == (0, 2)
    assert not any("Gieter" in text for text in encoder.asked)


async def test_one_change_is_one(database: Database, clock: FakeClock, encoder: Made, shop: Creditor) -> None:
    await load_products(database, clock, encoder, shop, PRODUCTS)
    model = await index.model_of(encoder)
    async with database.read() as tx:
        before = await index.stamp(tx, KEY, model)
    changed = PRODUCTS.replace("Van klei.", "Van glas. Breekt snel.")
    result = await load_products(database, clock, encoder, shop, changed)
    assert (result.loaded, result.unchanged) == (1, 1)
    async with database.read() as tx:
        assert (await index.stamp(tx, KEY, model)) != before
    stored = await index.read(database, KEY, model)
    assert {source.name: len(vectors) for source, vectors in zip(stored.sources, stored.vectors, strict=True)} == {
        "Gieter Reiger": 3,
        "Pot Duin": 3,
    }


async def test_a_dry_run(database: Database, clock: FakeClock, encoder: Made, shop: Creditor) -> None:
    result = await load_products(database, clock, encoder, shop, PRODUCTS, dry_run=True)
    assert result.loaded == 2
    assert not (await index.read(database, KEY, await index.model_of(encoder))).sources


async def test_a_row_twice_in_a_file_is_its_last(
    database: Database, clock: FakeClock, encoder: Made, shop: Creditor
) -> None:
    result = await load_faq(database, clock, encoder, shop, FAQ + "nl,Mag ik iets terugsturen?,Nee.,\n")
    assert result.loaded == 3
    async with database.read() as tx:
        told = await tx.scalar(select(faq.c.answer).where(faq.c.question == "Mag ik iets terugsturen?"))
    assert told == "Nee."


@pytest.mark.parametrize(
    ("text", "link"),
    [
        pytest.param("language,question,answer\nnl,Waarom?,Daarom.\n", None, id="no column"),
        pytest.param("language,question,answer,link\nnl,Waarom?,Daarom.,\n", None, id="empty"),
        pytest.param(FAQ.replace("Wat kost de verzending?", "Waarom?"), "https://bloem.example/faq", id="a link"),
        pytest.param(
            '{"@type": "FAQPage", "mainEntity": {"@type": "Question", "name": "Waarom?", '
            '"url": "https://bloem.example/#waarom", "acceptedAnswer": {"text": "Daarom."}}}',
            "https://bloem.example/#waarom",
            id="json-ld",
        ),
    ],
)
async def test_where_an_answer_is_published(
    database: Database, clock: FakeClock, encoder: Made, shop: Creditor, text: str, link: str | None
) -> None:
    await load_faq(database, clock, encoder, shop, text)
    async with database.read() as tx:
        assert await tx.scalar(select(faq.c.link).where(faq.c.question == "Waarom?")) == link


async def test_a_link_that_is_none_is_bad(database: Database, clock: FakeClock, encoder: Made, shop: Creditor) -> None:
    text = "language,question,answer,link\nnl,Waarom?,Daarom.,javascript:alert(1)\n"
    result = await load_faq(database, clock, encoder, shop, text)
    assert [line for line, _ in result.bad] == [2]


async def test_another_encoder_makes_the_index_anew(
    database: Database, clock: FakeClock, encoder: Made, shop: Creditor
) -> None:
    await load_products(database, clock, encoder, shop, PRODUCTS)
    await load_faq(database, clock, encoder, shop, FAQ)
    other = Made("another")
    model = await index.model_of(other)
    assert not (await index.read(database, KEY, model)).sources
    assert await index.refresh(database, other) == 5
    assert await index.refresh(database, other) == 0
    stored = await index.read(database, KEY, model)
    assert len(stored.sources) == 5
    first = next(number for number, source in enumerate(stored.sources) if source.name == "Pot Duin")
    assert stored.vectors[first][0] @ other.vectors(["Pot Duin"])[0] > 0.99
