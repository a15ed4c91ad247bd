"""Claims to have paid: what they pause, what settles them, and what is kept of their pictures."""

from datetime import date

import pytest
from sqlalchemy import select

from billing.claims import Claims
from billing.fees import FeeBook
from billing.promises import pausing
from billing.workdays import after
from conversations.holds import holding
from core.errors import BadInput, NotFound
from core.ids import DebtorId, InvoiceId, TurnId
from core.money import Money
from core.pictures import MOST, media_type
from store.tables.money import claim, proof
from store.tables.talk import event
from tests.billing.house import BLOEM, House

TODAY = date(2026, 11, 24)  # a Tuesday
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
WEBP = b"RIFF" + (40).to_bytes(4, "little") + b"WEBP" + bytes(36)


@pytest.fixture
def claims(house: House) -> Claims:
    return Claims(house.database, house.clock)


async def owing(house: House) -> tuple[DebtorId, InvoiceId]:
    who = await house.debtor("K1")
    return who, await house.invoice(who, "F1", 5000)


async def states(house: House) -> list[str]:
    async with house.database.read() as tx:
        return list(await tx.scalars(select(claim.c.state).order_by(claim.c.created_at, claim.c.id)))


async def made(house: House, claims: Claims, who: DebtorId, invoices: list[InvoiceId], key: str = "t1") -> str:
    talk = await house.talk(who)
    given = {"paid_on": date(2026, 11, 20), "amount": Money(5000), "account_end": "6789"}
    return (await claims.make(talk, who, invoices, key=key, creditor=BLOEM, **given)).id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("day", "days", "country", "last"),
    [
        pytest.param("2026-11-24", 5, "NL", "2026-12-01", id="over a weekend"),
        pytest.param("2026-12-23", 2, "NL", "2026-12-28", id="over Christmas"),
        pytest.param("2026-11-10", 1, "BE", "2026-11-12", id="over the armistice"),
        pytest.param("2026-12-31", 1, "BE", "2027-01-04", id="over the new year"),
    ],
)
def test_working_days(day: str, days: int, country: str, last: str) -> None:
    assert after(date.fromisoformat(day), days, country) == date.fromisoformat(last)


async def test_a_claim_pauses_reminders_and_costs_once(house: House, claims: Claims) -> None:
    who, key = await owing(house)
    talk = await house.talk(who)
    given = {"paid_on": date(2026, 11, 20), "amount": Money(5000), "account_end": "6789"}
    first = await claims.make(talk, who, [key], key="t1", creditor=BLOEM, **given)  # type: ignore[arg-type]
    assert await claims.make(talk, who, [key], key="t1", creditor=BLOEM, **given) == first  # type: ignore[arg-type]
    assert (first.until, first.amount, first.account_end) == (date(2026, 12, 1), Money(5000), "6789")
    assert (await claims.latest(who), await states(house)) == (first, ["open"])
    async with house.database.read() as tx:
        assert await pausing(tx, who)
    house.clock.advance(days=2)
    fees = await FeeBook(house.database, house.clock, house.invoices, holding).explain(who, BLOEM)
    assert [each.refusal for each in fees] == ["claimed"]


@pytest.mark.parametrize(
    ("invoices", "paid_on"),
    [
        pytest.param([], date(2026, 11, 20), id="of nothing"),
        pytest.param(["bloem-F1"], date(2026, 11, 25), id="tomorrow"),
    ],
)
async def test_what_cannot_have_been_paid(
    house: House, claims: Claims, invoices: list[InvoiceId], paid_on: date
) -> None:
    who, _ = await owing(house)
    talk = await house.talk(who)
    with pytest.raises(BadInput):
        await claims.make(talk, who, invoices, paid_on=paid_on, amount=None, account_end=None, key="t1", creditor=BLOEM)
    assert await states(house) == []


@pytest.mark.parametrize(
    ("paid", "invoice", "days", "state", "events"),
    [
        pytest.param(0, "F1", 7, "open", [], id="its last day"),
        pytest.param(0, "F1", 8, "lapsed", ["claim.lapsed"], id="the day after"),
        pytest.param(5000, "F1", 1, "settled", [], id="all of it was booked"),
        pytest.param(4500, "F1", 1, "settled", [], id="nothing is open any more"),
        pytest.param(4499, "F1", 8, "lapsed", ["claim.lapsed"], id="a cent less than that was booked"),
        pytest.param(5000, "F1", 30, "settled", [], id="booked, and looked at late"),
        pytest.param(1000, "F2", 8, "lapsed", ["claim.lapsed"], id="another invoice was paid"),
    ],
)
async def test_the_money_settles_it_or_its_days_end(
    house: House, claims: Claims, paid: int, invoice: str, days: int, state: str, events: list[str]
) -> None:
    who, key = await owing(house)
    await house.invoice(who, "F2", 1000)
    await house.paid_elsewhere(key, 500, "before the claim")
    house.clock.advance(minutes=1)
    await made(house, claims, who, [key])
    house.clock.advance(minutes=1)
    if paid:
        await house.paid_elsewhere(InvoiceId(f"bloem-{invoice}"), paid, "c1")
    house.clock.advance(days=days)
    assert [await claims.run_due(BLOEM) for _ in range(2)] == [int(state != "open"), 0]
    assert (await states(house), await house.events()) == ([state], events)
    async with house.database.read() as tx:
        assert await pausing(tx, who) is (state == "open")


@pytest.mark.parametrize(
    ("amount", "paid", "settled"),
    [
        pytest.param(3000, 3000, True, id="the amount that was claimed"),
        pytest.param(3000, 2999, False, id="a cent less"),
        pytest.param(None, 3000, False, id="none was claimed, and the invoice is open"),
        pytest.param(None, 5000, True, id="none was claimed, and the invoice is paid"),
    ],
)
async def test_as_much_settles_it_as_was_claimed(
    house: House, claims: Claims, amount: int | None, paid: int, settled: bool
) -> None:
    who, key = await owing(house)
    other = await house.invoice(who, "F2", 7000)
    claimed = None if amount is None else Money(amount)
    talk = await house.talk(who)
    await claims.make(talk, who, [key, other], paid_on=None, amount=claimed, account_end=None, key="t1", creditor=BLOEM)
    await house.paid_elsewhere(key, paid, "c1")
    assert await claims.settle(who) == settled


@pytest.mark.parametrize("lapsed", [False, True])
async def test_money_settles_what_was_claimed_also_late(house: House, claims: Claims, lapsed: bool) -> None:
    who, key = await owing(house)
    await made(house, claims, who, [key])
    if lapsed:
        house.clock.advance(days=8)
        await claims.run_due(BLOEM)
    assert await claims.settle(who) == 0
    await house.paid_elsewhere(key, 5000, "c1")
    assert [await claims.settle(who) for _ in range(2)] == [1, 0]
    assert (await states(house), await claims.latest(who)) == (["settled"], None)


@pytest.mark.parametrize(
    ("content", "known"),
    [
        pytest.param(PNG, "image/png", id="png"),
        pytest.param(JPEG, "image/jpeg", id="jpeg"),
        pytest.param(WEBP, "image/webp", id="webp"),
        pytest.param(PNG[:-1], None, id="a cut png"),
        pytest.param(PNG + b"<script>", None, id="a png with more behind it"),
        pytest.param(WEBP + b"x", None, id="a webp with more behind it"),
        pytest.param(b"%PDF-1.7" + bytes(40), None, id="pdf"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", None, id="svg"),
        pytest.param(b"<html><body>\xff\xd8\xff</body></html>          ", None, id="html"),
        pytest.param(b"\xff\xd8\xff", None, id="nothing behind its name"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(JPEG + bytes(MOST), None, id="too large"),
    ],
)
def test_a_picture_is_told_by_its_content(content: bytes, known: str | None) -> None:
    assert media_type(content) == known


async def test_pictures_are_kept_once_and_what_is_none_is_not(house: House, claims: Claims) -> None:
    who, key = await owing(house)
    identifier = await made(house, claims, who, [key])
    turn = TurnId("turn-1")
    await claims.prove(identifier, turn)
    async with house.database.read() as tx:
        assert await tx.scalar(select(event.c.payload)) == {"claim_id": identifier, "turn_id": turn}
    for _ in range(2):
        assert await claims.keep(identifier, turn, [PNG, b"%PDF-1.7" + bytes(40)])
    assert not await claims.keep(identifier, TurnId("turn-2"), [b""])
    (seen,) = await claims.of(who)
    assert (len(seen.proofs), seen.refused) == (1, 2)
    assert await claims.picture(seen.proofs[0]) == (who, "image/png", PNG)
    async with house.database.read() as tx:
        empty = list(await tx.scalars(select(proof.c.id).where(proof.c.content.is_(None))))
    for other in (*empty, "nobody-s"):
        with pytest.raises(NotFound):
            await claims.picture(other)
