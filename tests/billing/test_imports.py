"""Files as people send them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from billing.imports import cells, debtors, invoices, orders
from billing.ledger import Kind
from catalogue.orders import Order, Orders
from core.errors import BadInput
from core.ids import DebtorId
from core.imported import Imported
from core.message import Locale
from store.tables.money import booking, posting
from store.tables.people import debtor
from store.tables.shop import order
from tests.billing.house import BLOEM, VELO, House, Street

Load = Callable[..., Awaitable[Imported]]

DEBTORS = (
    "customer_number;kind;name;email;phone;street;house_number;postcode;city;country;date_of_birth;language;iban;"
    "marketing_consent;marketing_consent_at\n"
    "K1;consumer;Fientje Fictief;fientje@example.test;+31 6 0000 0001;Nergenslaan;1a;1234ab;Nepstad;nl;1980-02-29;nl;"
    "NL02 ABNA 0123 4567 89;yes;2026-01-02T10:00:00+01:00\n"
    'K2;business;"Verzonnen; Zaken\nBV";;;;;B-1000;Schijnbeek;BE;;fr;;no;\n'
)
INVOICES = (
    "invoice_number,customer_number,issue_date,due_date,currency,amount,open_amount,description,reference,principal\n"
    "F1,K1,2026-10-01,2026-10-15,EUR,100.00,60.00,Kamerplanten,,\n"
    "F2,K1,2026-10-01,2026-10-31,EUR,25.5,25.50,Potgrond,RF18539007547034,\n"
)
ORDERS = (
    "order_number,customer_number,ordered_at,status,carrier,tracking_url,expected_at,invoice_number\n"
    "O1,K1,2026-11-20,shipped,Pakjesdienst,https://track.example/1,2026-11-25,F1\n"
    "O2,K1,2026-11-21T23:30:00Z,processing,,,,\n"
)


async def put(house: House, load: Load, text: str | bytes, **options: Any) -> Imported:
    content = text if isinstance(text, bytes) else text.encode()
    return await load(house.database, house.clock, options.pop("creditor", BLOEM), content, **options)


async def rows_of(house: House, table: Any) -> list[Any]:
    async with house.database.read() as connection:
        return list(await connection.execute(select(table).order_by(*table.primary_key.columns)))


async def open_on(house: House, number: str) -> int:
    found = await house.invoices.by_number(BLOEM.key, number)  # type: ignore[arg-type]
    assert found is not None
    return found.open.minor


async def test_debtors(house: House) -> None:
    assert await put(house, debtors.load, DEBTORS) == Imported(loaded=2)
    first, second = sorted(await rows_of(house, debtor), key=lambda row: str(row.customer_number))
    assert (first.name, first.phone, first.postcode, first.country) == (
        "Fientje Fictief",
        "+31600000001",
        "1234 AB",
        "NL",
    )
    assert (first.date_of_birth, first.iban) == (date(1980, 2, 29), "NL02ABNA0123456789")
    assert (first.marketing_consent, first.marketing_consent_at) == (True, datetime(2026, 1, 2, 9, tzinfo=UTC))
    assert (second.name, second.kind, second.postcode, second.email) == (
        "Verzonnen; Zaken\nBV",
        "business",
        "1000",
        None,
    )
    assert second.marketing_consent is False


async def test_invoices_open_with_a_booking(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    assert await put(house, invoices.load, INVOICES) == Imported(loaded=2)
    assert [await open_on(house, number) for number in ("F1", "F2")] == [6000, 2550]
    assert await house.accounts() == {"receivable": 8550, "revenue": -8550}


async def test_orders(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    assert await put(house, orders.load, ORDERS) == Imported(loaded=2)
    (who,) = {DebtorId(row.debtor_id) for row in await rows_of(house, order)}
    newest, shipped = await Orders(house.database).of(who)
    assert (newest.number, newest.ordered_at) == ("O2", date(2026, 11, 22))  # as the creditor's clock shows it
    assert shipped == Order(
        "O1", date(2026, 11, 20), "shipped", "Pakjesdienst", "https://track.example/1", date(2026, 11, 25)
    )
    assert await Orders(house.database).of(who, " o1 ") == [shipped]
    assert await Orders(house.database).of(DebtorId("somebody"), "O1") == []


@pytest.mark.parametrize(
    ("load", "text"),
    [(debtors.load, DEBTORS), (invoices.load, INVOICES), (orders.load, ORDERS)],
    ids=["debtors", "invoices", "orders"],
)
async def test_the_same_file_twice_changes_nothing(house: House, load: Load, text: str) -> None:
    async def everything() -> list[list[Any]]:
        return [await rows_of(house, table) for table in (debtor, booking, posting, order)]

    if load is not debtors.load:
        await put(house, debtors.load, DEBTORS)
    empty = await everything()
    assert (await put(house, load, text, dry_run=True)).loaded == 2
    assert await everything() == empty
    first = await put(house, load, text)
    before = await everything()
    house.clock.advance(days=1)
    assert (first.loaded, await put(house, load, text)) == (2, Imported(unchanged=2))
    assert await everything() == before


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf" + DEBTORS.encode(), id="with a BOM"),
        pytest.param(DEBTORS.replace(";", "\t").replace("\t Zaken", "; Zaken").replace("\t", ",").encode(), id="comma"),
        pytest.param(DEBTORS.replace("\n", "\r\n").encode(), id="line ends of Windows"),
        pytest.param((DEBTORS + "\n;;;;;;;;;;;;;;\n").encode(), id="empty lines"),
        pytest.param(DEBTORS.replace("customer_number", " Customer_Number ", 1).encode(), id="header as typed"),
    ],
)
async def test_dialects(house: House, content: bytes) -> None:
    result = await put(house, debtors.load, content)
    assert (result.loaded, result.bad) == (2, [])
    assert {row.customer_number for row in await rows_of(house, debtor)} == {"K1", "K2"}


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        pytest.param("customer_number,name,shoe_size\nK1,Fien,39\n", 1, "shoe_size", id="unknown column"),
        pytest.param("customer_number\nK1\n", 1, "name", id="required column missing"),
        pytest.param("customer_number,name,name\nK1,Fien,Fien\n", 1, "twice", id="column twice"),
        pytest.param("", 1, "customer_number", id="empty file"),
        pytest.param(b"customer_number,name\nK1,Fien\nK2,Caf\xe9\n", 3, "UTF-8", id="not UTF-8"),
    ],
)
async def test_files_that_load_nothing(house: House, text: str | bytes, line: int, named: str) -> None:
    result = await put(house, debtors.load, text)
    assert (result.loaded, result.bad[0][0]) == (0, line)
    assert named in result.bad[0][1]
    assert await rows_of(house, debtor) == []


async def test_bad_rows_are_named_and_the_good_ones_load(house: House) -> None:
    text = (
        "customer_number,name,phone,iban,country,postcode,email,date_of_birth,language\n"
        "K1,Fien,0612345678,,,,,,\n"
        'K2,"Fien\nFictief",,,,,,,\n'
        "K3,Fien,,NL03ABNA0123456789,,,,,\n"
        "K4,Fien,,,UK,,,,\n"
        "K5,Fien,,,NL,0123 AB,,,\n"
        "K6,Fien,,,,,fien.example,,\n"
        "K7,Fien,,,,,,29-02-1980,\n"
        "K8,Fien,,,,,,,es\n"
        "K9,Fien\n"
        ",Fien,,,,,,,\n"
        "K2,Fien,,,,,,,\n"
        'K10,"Fien"s,,,,,,,\n'
        "K11,Fien\x00,,,,,,,\n"
        "K12,Fien,,,BE,1000,,,\n"
    )
    result = await put(house, debtors.load, text)
    assert [line for line, _ in result.bad] == [2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    for (_, reason), named in zip(
        result.bad,
        ["phone", "iban", "country", "postcode", "email", "date_of_birth", "language", "2 cells", "customer_number is",
         "line 3", "CSV", "name"],
        strict=True,
    ):  # fmt: skip
        assert named in reason
    assert {row.customer_number for row in await rows_of(house, debtor)} == {"K2", "K12"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"customer_number": "K9"}, "customer_number", id="nobody's"),
        pytest.param({"amount": "100,00"}, "1234.56", id="comma"),
        pytest.param({"amount": "-1.00"}, "1234.56", id="negative"),
        pytest.param({"amount": "1.005"}, "decimals", id="half a cent"),
        pytest.param({"amount": "1e3"}, "1234.56", id="exponent"),
        pytest.param({"open_amount": "100.01"}, "open_amount", id="more open than billed"),
        pytest.param({"due_date": "2026-09-30"}, "due_date", id="due before issued"),
        pytest.param({"due_date": "20261030"}, "2026-11-30", id="no ISO date as people write it"),
        pytest.param({"due_date": "2026-02-30"}, "2026-11-30", id="no such day"),
        pytest.param({"currency": "EURO"}, "currency", id="no currency"),
        pytest.param({"currency": "USD"}, "the currency of an invoice is EUR", id="another currency"),
    ],
)
async def test_bad_invoices(house: House, change: dict[str, str], named: str) -> None:
    await put(house, debtors.load, DEBTORS)
    row = {
        "invoice_number": "F1", "customer_number": "K1", "issue_date": "2026-10-01", "due_date": "2026-10-15",
        "currency": "EUR", "amount": "100.00", "open_amount": "60.00",
    } | change  # fmt: skip
    text = ",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values())
    result = await put(house, invoices.load, text)
    assert (result.loaded, [line for line, _ in result.bad]) == (0, [2])
    assert named in result.bad[0][1]
    assert await house.accounts() == {}


async def test_an_agency_says_whose_claim_it_is(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    agency = BLOEM.model_copy(update={"kind": "agency"})
    result = await put(house, invoices.load, INVOICES, creditor=agency)
    assert (result.loaded, len(result.bad)) == (0, 2)


async def test_a_customer_number_belongs_to_one_creditor(house: House) -> None:
    await put(house, debtors.load, DEBTORS, creditor=VELO)
    result = await put(house, invoices.load, INVOICES)
    assert (result.loaded, len(result.bad)) == (0, 2)


async def test_another_open_amount_is_a_correction(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    for figure, expected in [("60.00", 6000), ("40.00", 4000), ("60.00", 6000), ("60.00", 6000), ("0.00", 0)]:
        await put(house, invoices.load, INVOICES.replace("60.00", figure))
        assert await open_on(house, "F1") == expected
    async with house.database.read() as connection:
        kinds = await connection.execute(select(booking.c.kind, func.count()).group_by(booking.c.kind))
        assert dict(tuple(row) for row in kinds) == {Kind.OPENING: 2, Kind.CORRECTION: 3}


async def test_an_old_file_does_not_bring_back_what_was_paid(on_street: Street) -> None:
    house = on_street.house
    await put(house, debtors.load, DEBTORS)
    await put(house, invoices.load, INVOICES)
    found = await house.invoices.by_number(BLOEM.key, "F1")  # type: ignore[arg-type]
    assert found is not None
    link = await house.link(found.debtor, [found.id])
    await on_street.choose(await on_street.payments.start(link, "ideal", Locale("nl")), "succeed")
    assert await open_on(house, "F1") == 0
    await put(house, invoices.load, INVOICES.replace("Kamerplanten", "Planten"))  # something else has changed
    assert await open_on(house, "F1") == 0
    told = await put(house, invoices.load, INVOICES.replace("60.00", "0.00"))
    assert told == Imported(loaded=1, unchanged=1)
    assert await open_on(house, "F1") == 0
    assert await house.accounts() == {"receivable": 2550, "revenue": -8550, "bank": 6000}


async def test_a_file_without_open_amounts_moves_what_is_open_by_the_difference(on_street: Street) -> None:
    house = on_street.house
    await put(house, debtors.load, DEBTORS)
    text = "invoice_number,customer_number,issue_date,due_date,amount\nF1,K1,2026-10-01,2026-10-15,100.00\n"
    await put(house, invoices.load, text)
    found = await house.invoices.by_number(BLOEM.key, "F1")  # type: ignore[arg-type]
    assert found is not None
    await house.paid_elsewhere(found.id, 7000, "bank:1")
    await put(house, invoices.load, text.replace("100.00", "120.00"))
    assert await open_on(house, "F1") == 5000


async def test_an_invoice_keeps_its_customer(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    await put(house, invoices.load, INVOICES)
    result = await put(house, invoices.load, INVOICES.replace("F1,K1", "F1,K2"))
    assert (result.unchanged, [line for line, _ in result.bad]) == (1, [2])


async def test_a_missing_column_keeps_what_is_known(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    assert await put(house, debtors.load, "customer_number,name\nK1,Fientje Fictief\n") == Imported(unchanged=1)
    assert await put(house, debtors.load, "customer_number,name,email\nK1,Fientje Fictief,\n") == Imported(loaded=1)
    first, _ = sorted(await rows_of(house, debtor), key=lambda row: str(row.customer_number))
    assert (first.email, first.phone) == (None, "+31600000001")


_EARLY, _LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "said", "at", "expected"),
    [
        pytest.param(None, True, _EARLY, (True, _EARLY), id="new"),
        pytest.param(None, None, _EARLY, (False, None), id="nothing said"),
        pytest.param((False, _LATER), True, _EARLY, (False, _LATER), id="opted out since"),
        pytest.param((False, _EARLY), True, _LATER, (True, _LATER), id="consented since"),
        pytest.param((False, _EARLY), True, None, (False, _EARLY), id="a yes without its moment"),
        pytest.param((True, _LATER), False, None, (False, _LATER), id="a no is always heard"),
        pytest.param((True, None), True, None, (True, None), id="the same again"),
        pytest.param((True, _EARLY), None, None, (True, _EARLY), id="an empty cell"),
    ],
)
def test_consent(stored: tuple[bool, Any] | None, said: bool | None, at: Any, expected: tuple[bool, Any]) -> None:
    known = SimpleNamespace(marketing_consent=stored[0], marketing_consent_at=stored[1]) if stored else None
    assert debtors.consent(known, said, at) == expected


async def test_an_opt_out_outlives_the_next_file(house: House) -> None:
    await put(house, debtors.load, DEBTORS)
    async with house.database.begin() as tx:
        gone = {"marketing_consent": False, "marketing_consent_at": house.clock.now()}
        await tx.execute(update(debtor).where(debtor.c.customer_number == "K1").values(**gone))
    assert await put(house, debtors.load, DEBTORS) == Imported(unchanged=2)


@pytest.mark.parametrize(
    ("country", "cell", "expected"),
    [
        ("NL", "1234ab", "1234 AB"),
        ("NL", "1234  AB", "1234 AB"),
        ("NL", "1000", None),
        ("BE", "b-1000", "1000"),
        ("BE", "1000 AB", None),
        ("GB", "sw1a  1aa", "SW1A 1AA"),
    ],
)
def test_postcodes(country: str, cell: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(BadInput):
            cells.postcode(cell, country)
    else:
        assert cells.postcode(cell, country) == expected
