"""Letters, what may be charged over them, and payments that are attributed as the law says."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Table, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from billing import charges, letters
from billing.attribution import ORDER, attribute
from billing.fees import FeeBook
from billing.law import Kind
from billing.ledger import OWED, Account, open_parts
from billing.transfers import receive
from core.creditor import Creditor, Fees, Plans, Promises
from core.errors import BadInput, Conflict
from core.ids import DebtorId, InvoiceId, new_id
from core.lifecycle import PaymentStatus
from core.message import Locale
from core.money import Money
from store.tables.money import claim, plan, promise
from store.tables.money import payment as payments
from store.tables.people import debtor, hold
from tests.billing.house import BLOEM, House, Street

NL = BLOEM
BE = BLOEM.model_copy(update={"country": "BE", "fees": Fees(clause=True)})
# Today is 24 November 2026. Due on 1 November; a letter of the 2nd, received on the 3rd: costs from the 18th.
SENT = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Protected:
    """Whom a hold protects."""

    def __init__(self) -> None:
        self.debtors: set[DebtorId] = set()

    async def __call__(self, tx: AsyncConnection, debtor: DebtorId, about: str | None = None) -> bool:
        return debtor in self.debtors


@pytest.fixture
def protected() -> Protected:
    return Protected()


@pytest.fixture
def fees(house: House, protected: Protected) -> FeeBook:
    return FeeBook(house.database, house.clock, house.invoices, protected)


async def send(
    house: House,
    key: InvoiceId,
    costs: int,
    *,
    kind: Kind = Kind.FOURTEEN_DAYS,
    sent: datetime = SENT,
    received: date | None = date(2026, 11, 3),
    content: str = "sha256:0",
) -> str:
    async with house.database.begin() as tx:
        return await letters.record(
            tx,
            key,
            kind,
            content_hash=content,
            channel="email",
            sent_at=sent,
            costs=Money(costs),
            received_on=received,
        )


async def parts(house: House, key: InvoiceId) -> dict[Account, int]:
    async with house.database.read() as tx:
        return (await open_parts(tx, [key]))[key]


async def test_a_letter_is_recorded_once_and_received_once(house: House) -> None:
    key = await house.invoice(await house.debtor("K1"), "F1", 10000)
    letter = await send(house, key, 4000, received=None)
    assert await send(house, key, 4000, received=None) == letter
    async with house.database.begin() as tx:
        with pytest.raises(BadInput):
            await letters.received(tx, letter, date(2026, 11, 1))
        await letters.received(tx, letter, date(2026, 11, 4))
        with pytest.raises(Conflict):
            await letters.received(tx, letter, date(2026, 11, 5))
        (found,) = await letters.of_invoice(tx, key, NL.zone)
    assert (found.received_on, found.costs, found.kind) == (date(2026, 11, 4), Money(4000), Kind.FOURTEEN_DAYS)


async def test_dutch_costs_and_interest_line_by_line(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)  # 1000 x 15%
    (found,) = await fees.explain(who, NL)
    assert (found.refusal, found.charged, found.principal, found.costs) == (None, False, Money(100000), Money(15000))
    # From the day after the due date until today: 22 days x 4% x 1000 / 365 = 2.41
    (period,) = found.interest
    assert (period.since, period.until, period.rate, period.amount) == (
        date(2026, 11, 2),
        date(2026, 11, 24),
        Decimal(4),
        Money(241),
    )
    assert found.total == Money(115241)
    assert await house.open(key) == 100000  # explained is not charged


@pytest.mark.parametrize(
    ("costs", "sent", "received", "expected"),
    [
        pytest.param(None, SENT, None, "no_letter", id="no letter"),
        pytest.param(4001, SENT, date(2026, 11, 3), "wrong_amount", id="another amount than the law's"),
        pytest.param(4000, SENT, None, "not_received", id="nobody knows when it arrived"),
        pytest.param(4000, SENT, date(2026, 11, 10), "too_early", id="the 14th day is today"),
        pytest.param(
            4000, datetime(2026, 11, 1, 9, tzinfo=UTC), date(2026, 11, 1), "no_letter", id="sent on the due date"
        ),
    ],
)
async def test_nothing_is_charged_without_a_good_letter(
    house: House, fees: FeeBook, costs: int | None, sent: datetime, received: date | None, expected: str
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000)
    if costs is not None:
        await send(house, key, costs, sent=sent, received=received)
    (found,) = await fees.explain(who, NL)
    assert (found.refusal, found.costs, found.interest, found.total) == (expected, Money(0), [], Money(10000))
    assert found.first_day == (date(2026, 11, 25) if expected == "too_early" else None)
    assert (await fees.charge(who, NL), await house.open(key)) == (0, 10000)


@pytest.mark.parametrize("why", ["held", "disputed", "agreed", "not_due"])
async def test_nothing_is_charged_to_whom_we_leave_alone(
    house: House, fees: FeeBook, protected: Protected, why: str
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000, date(2026, 11, 24) if why == "not_due" else date(2026, 11, 1))
    await send(house, key, 4000)
    now = house.clock.now()
    talk = await house.talk(who)
    whom = {"id": new_id(), "creditor_id": "bloem", "debtor_id": who, "conversation_id": talk}
    async with house.database.begin() as tx:
        if why == "held":
            protected.debtors.add(who)
        if why == "disputed":
            await tx.execute(insert(hold).values(**whom, invoice_id=key, reason="dispute", by="turn:1", since=now))
        if why == "agreed":
            made = {"cause": "t", "state": "made", "until": date(2026, 11, 30), "invoices": [key], "created_at": now}
            await tx.execute(insert(promise).values(**whom, **made))
    (found,) = await fees.explain(who, NL)
    assert (found.refusal, found.costs) == (why, Money(0))
    assert (await fees.run(NL), await house.open(key)) == (0, 10000)


@pytest.mark.parametrize(
    ("promises", "plans", "made", "charged"),
    [
        pytest.param(True, True, "promise", 0, id="a promise stops costs"),
        pytest.param(True, True, "plan", 0, id="a plan stops costs"),
        pytest.param(False, True, "promise", 1, id="a promise that stops none"),
        pytest.param(True, False, "promise", 0, id="a promise where a plan would stop none"),
        pytest.param(True, False, "plan", 1, id="a plan that stops none"),
        pytest.param(False, False, "plan", 1, id="nothing stops costs"),
    ],
)
async def test_agreements_stop_costs_as_the_policy_says(
    house: House, fees: FeeBook, promises: bool, plans: bool, made: str, charged: int
) -> None:
    policy = {"promises": Promises(stops_costs=promises), "plans": Plans(stops_costs=plans)}
    creditor = NL.model_copy(update=policy)
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000)
    await send(house, key, 4000)
    row: dict[str, Any] = {
        "id": "a1",
        "creditor_id": "bloem",
        "debtor_id": who,
        "conversation_id": await house.talk(who),
    }
    row |= {"cause": "t", "invoices": [key], "created_at": house.clock.now()}
    async with house.database.begin() as tx:
        if made == "promise":
            await tx.execute(insert(promise).values(**row, state="made", until=date(2026, 11, 30)))
        else:
            await tx.execute(insert(plan).values(**row, state="agreed", currency="EUR", total=10000))
    (found,) = await fees.explain(who, creditor)
    assert found.refusal == (None if charged else "agreed")
    assert await fees.run(creditor) == charged


async def test_charged_once_and_booked_on_accounts_of_its_own(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    assert await fees.run(NL) == 1
    house.clock.advance(days=30)
    assert await fees.run(NL) == 0
    assert await parts(house, key) == {Account.RECEIVABLE: 100000, Account.COSTS: 15000, Account.INTEREST: 241}
    assert await house.accounts() == {
        "receivable": 100000, "revenue": -100000, "costs": 15000, "interest": 241, "fees": -15241,
    }  # fmt: skip
    assert await house.open(key) == 115241
    (found,) = await fees.explain(who, NL)
    assert (found.charged, found.costs, [p.amount for p in found.interest]) == (True, Money(15000), [Money(241)])
    assert found.letter is not None and found.total == Money(115241)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        pytest.param("2", [("2", 120)], id="2 % x 1000 x 22 / 365 = 1.20"),
        pytest.param("4", [("4", 241)], id="as much as the law"),
        pytest.param("9", [("4", 241)], id="never more than the law"),
    ],
)
async def test_less_interest_may_be_agreed_on(
    house: House, fees: FeeBook, rate: str, expected: list[tuple[str, int]]
) -> None:
    creditor = NL.model_copy(update={"fees": Fees(interest_rate=Decimal(rate))})
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    (found,) = await fees.explain(who, creditor)
    assert [(str(each.rate), each.amount.minor) for each in found.interest] == expected
    assert await fees.run(creditor) == 1
    (found,) = await fees.explain(who, creditor)
    assert [(str(each.rate), each.amount.minor) for each in found.interest] == expected
    assert found.total.minor == await house.open(key)


@pytest.mark.parametrize("milder", [Fees(interest=False), Fees(interest_rate=Decimal(1))])
async def test_what_was_charged_is_explained_after_the_policy_became_milder(
    house: House, fees: FeeBook, milder: Fees
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    await fees.run(NL)
    (found,) = await fees.explain(who, NL.model_copy(update={"fees": milder}))
    assert [each.amount for each in found.interest] == [Money(241)]
    assert found.total.minor == await house.open(key) == 115241


FROM, TO = datetime(2026, 11, 5, 9, tzinfo=UTC), datetime(2026, 11, 9, 9, tzinfo=UTC)
LASTED = {"state": "kept", "created_at": FROM, "ended_at": TO}


@pytest.mark.parametrize(
    ("table", "values", "spared"),
    [
        pytest.param(hold, {"reason": "hardship"}, True, id="a hold"),
        pytest.param(hold, {"reason": "dispute", "invoice_id": "bloem-F1"}, True, id="a dispute of this invoice"),
        pytest.param(hold, {"reason": "dispute", "invoice_id": "bloem-F2"}, False, id="a dispute of another one"),
        pytest.param(hold, {"reason": "hardship", "debtor_id": "bloem-K2"}, False, id="a hold of somebody else"),
        pytest.param(hold, {"reason": "hardship", "suspected": True}, True, id="what was suspected"),
        pytest.param(claim, LASTED | {"state": "settled", "until": date(2026, 11, 12)}, True, id="a claim"),
        pytest.param(
            claim,
            LASTED | {"state": "settled", "until": TO.date(), "ended_at": datetime(2026, 11, 20, tzinfo=UTC)},
            True,
            id="a claim that lapsed before its money came",
        ),
        pytest.param(promise, LASTED | {"until": TO.date()}, True, id="a promise that was kept"),
        pytest.param(promise, LASTED | {"until": TO.date(), "state": "replaced"}, True, id="one that was replaced"),
        pytest.param(promise, LASTED | {"until": TO.date(), "state": "broken"}, False, id="one that was broken"),
        pytest.param(plan, LASTED | {"currency": "EUR", "total": 10000}, True, id="a plan that was kept"),
        pytest.param(plan, LASTED | {"currency": "EUR", "total": 1, "state": "broken"}, False, id="one that broke"),
    ],
)
async def test_nothing_grew_while_they_were_left_alone(
    house: House, fees: FeeBook, table: Table, values: dict[str, Any], spared: bool
) -> None:
    who, other = await house.debtor("K1"), await house.debtor("K2")
    key = await house.invoice(who, "F1", 100000)
    await house.invoice(other, "F2", 100000)
    await send(house, key, 15000)
    row: dict[str, Any] = {
        "id": "1",
        "creditor_id": "bloem",
        "debtor_id": who,
        "conversation_id": await house.talk(who),
    }
    if table is hold:
        row |= {"by": "turn:1", "since": FROM, "lifted_at": TO}
    else:
        row |= {"cause": "t", "invoices": ["bloem-F9"]}
    async with house.database.begin() as tx:
        await tx.execute(insert(table).values(**(row | values)))
    # 4% x 1000 / 365 a day: over 22 days, or over three and fourteen of them.
    expected = [(2, 5, 32), (10, 24, 154)] if spared else [(2, 24, 241)]
    for charged in (False, True):
        (found,) = await fees.explain(who, NL)
        assert [(p.since.day, p.until.day, p.amount.minor) for p in found.interest] == expected
        assert found.charged is charged
        assert await fees.run(NL) == (0 if charged else 1)
    assert (await parts(house, key))[Account.INTEREST] == sum(amount for *_, amount in expected)
    assert found.total.minor == await house.open(key)


async def test_an_agreement_spares_as_the_policy_says(house: House, fees: FeeBook) -> None:
    creditor = NL.model_copy(update={"promises": Promises(stops_costs=False)})
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    row: dict[str, Any] = {
        "id": "1",
        "creditor_id": "bloem",
        "debtor_id": who,
        "conversation_id": await house.talk(who),
        "cause": "t",
    }
    async with house.database.begin() as tx:
        await tx.execute(insert(promise).values(**row, **LASTED, until=TO.date(), invoices=[key]))
    (found,) = await fees.explain(who, creditor)
    assert [each.amount for each in found.interest] == [Money(241)]


async def test_what_was_charged_over_days_that_are_spared_now_is_explained(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    await fees.run(NL)
    row = {
        "id": "1",
        "creditor_id": "bloem",
        "debtor_id": who,
        "conversation_id": await house.talk(who),
        "by": "turn:1",
    }
    async with house.database.begin() as tx:
        await tx.execute(insert(hold).values(**row, reason="hardship", since=FROM, lifted_at=TO))
    (found,) = await fees.explain(who, NL)
    assert [each.amount for each in found.interest] == [Money(241)]
    assert found.total.minor == await house.open(key)


async def test_costs_over_what_is_still_open(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    await house.paid_elsewhere(key, 60000, "bank:1")  # within the fourteen days
    (found,) = await fees.explain(who, NL)
    assert found.costs == Money(6000)  # 400 x 15%


async def test_the_belgian_penalty_needs_a_clause_and_the_free_reminder(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 40000)
    assert [f.refusal for f in await fees.explain(who, BE.model_copy(update={"fees": Fees()}))] == ["no_clause"]
    assert [f.refusal for f in await fees.explain(who, BE)] == ["no_letter"]
    await send(house, key, 5500, kind=Kind.FIRST_REMINDER)  # 30 + 250 x 10%
    (found,) = await fees.explain(who, BE)
    assert (found.refusal, found.costs) == (None, Money(5500))
    (period,) = found.interest  # from day 15 after the sending: 7 days x 10.5% x 400 / 365 = 0.80
    assert (period.since, period.amount) == (date(2026, 11, 17), Money(80))


@pytest.mark.parametrize(
    ("creditor", "kind", "due", "written"),
    [
        pytest.param(NL, "business", date(2022, 11, 1), datetime(2026, 11, 2, tzinfo=UTC), id="NL: before our rates"),
        pytest.param(BE, "consumer", date(2023, 8, 1), datetime(2023, 8, 2, tzinfo=UTC), id="BE: before the caps"),
    ],
)
async def test_what_is_too_old_is_not_charged_and_stops_nobody(
    house: House, fees: FeeBook, creditor: Creditor, kind: str, due: date, written: datetime
) -> None:
    letter = {"kind": Kind.FOURTEEN_DAYS if creditor is NL else Kind.FIRST_REMINDER, "sent": written}
    who, other = await house.debtor("K1"), await house.debtor("K2")
    async with house.database.begin() as tx:
        await tx.execute(update(debtor).where(debtor.c.id == who).values(kind=kind))
    old = await house.invoice(who, "F0", 100000, due)
    young, others = await house.invoice(who, "F1", 100000), await house.invoice(other, "F2", 100000)
    costs = 15000 if creditor is NL else 9000
    await send(house, old, costs, received=written.date(), **letter)  # type: ignore[arg-type]
    for key in (young, others):
        await send(house, key, costs, kind=letter["kind"])  # type: ignore[arg-type]
    with capture_logs() as logs:
        found = await fees.explain(who, creditor)
        assert await fees.run(creditor) == 2
    assert (found[0].refusal, found[0].total) == ("too_old", Money(100000))
    assert found[1].refusal is None
    assert [each["event"] for each in logs] == ["fees.too_old"]
    assert await house.open(old) == 100000 < await house.open(young)


async def test_one_fault_stops_nobody_else(house: House, protected: Protected) -> None:
    async def holding(tx: AsyncConnection, debtor: DebtorId, about: str | None = None) -> bool:
        if debtor == "bloem-K1":
            raise RuntimeError("what nobody thought of")
        return False

    fees = FeeBook(house.database, house.clock, house.invoices, holding)
    for number in ("K1", "K2"):
        await send(house, await house.invoice(await house.debtor(number), f"F{number}", 10000), 4000)
    assert await fees.run(NL) == 1


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        pytest.param((4001, date(2026, 11, 3)), (4000, date(2026, 11, 4)), None, id="the amount was corrected"),
        pytest.param((4000, None), (4000, date(2026, 11, 4)), None, id="the first one got lost"),
        pytest.param((4000, date(2026, 11, 3)), (4001, date(2026, 11, 4)), None, id="a later mistake takes nothing"),
        pytest.param((4001, date(2026, 11, 3)), (4000, date(2026, 11, 20)), "too_early", id="not yet"),
        pytest.param((4001, date(2026, 11, 3)), (4000, None), "not_received", id="the correction is on its way"),
    ],
)
async def test_a_corrected_letter_counts(
    house: House,
    fees: FeeBook,
    first: tuple[int, date | None],
    second: tuple[int, date | None],
    refusal: str | None,
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000)
    await send(house, key, first[0], received=first[1], content="sha256:1")
    await send(house, key, second[0], received=second[1], content="sha256:2", sent=SENT + timedelta(days=1))
    (found,) = await fees.explain(who, NL)
    assert found.refusal == refusal
    assert await fees.run(NL) == int(refusal is None)
    (found,) = await fees.explain(who, NL)
    assert (found.charged, found.letter is not None) == (refusal is None, True)


async def transfer(house: House, who: DebtorId, keys: list[InvoiceId], minor: int, paid_at: datetime) -> str:
    async with house.database.begin() as tx:
        return await receive(tx, NL, who, keys, Money(minor), key=f"s:{minor}", paid_at=paid_at, now=house.clock.now())


IN_TIME, LATE = datetime(2026, 11, 17, 12, tzinfo=UTC), datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "paid", "paid_at", "left", "credit", "again"),
    [
        pytest.param(0, 100000, IN_TIME, (0, 0, 0), 0, 0, id="all of it"),
        pytest.param(0, 100000, LATE, (15241, 0, 0), 0, 0, id="a day late"),
        pytest.param(0, 60000, IN_TIME, (40000, 0, 0), 0, 1, id="a part: costs over the rest alone"),
        pytest.param(15241, 100000, IN_TIME, (0, 0, 0), -15241, 0, id="the costs had been paid"),
        pytest.param(15100, 60000, IN_TIME, (24900, 0, 0), 0, 1, id="most of them had been paid"),
    ],
)
async def test_who_paid_in_time_is_charged_nothing(
    house: House,
    fees: FeeBook,
    before: int,
    paid: int,
    paid_at: datetime,
    left: tuple[int, int, int],
    credit: int,
    again: int,
) -> None:
    """The last free day is the 17th; the bank tells of it after the charge."""
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    assert await fees.run(NL) == 1
    if before:
        await transfer(house, who, [key], before, LATE)
    payment = await transfer(house, who, [key], paid, paid_at)
    owed = await parts(house, key)
    assert (owed[Account.RECEIVABLE], owed[Account.INTEREST], owed[Account.COSTS]) == left
    accounts = await house.accounts()
    assert (sum(accounts.values()), accounts.get("credit", 0)) == (0, credit)
    async with house.database.read() as tx:
        relieved = await charges.relieved_by(tx, payment)
    assert relieved == (None if paid_at is LATE else Money(15241))
    assert await fees.run(NL) == again
    if again:
        owed = await parts(house, key)
        assert owed[Account.COSTS] == max(4000, left[0] * 15 // 100) and await fees.run(NL) == 0


async def test_money_on_its_way_is_waited_for(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000)
    await send(house, key, 4000)
    link = await house.link(who, [key])
    row = {"id": "p1", "creditor_id": "bloem", "link_id": link.id, "provider": "sandbox", "cause": "c", "amount": 10000}
    async with house.database.begin() as tx:
        await tx.execute(insert(payments).values(**row, currency="EUR", status="pending", created_at=house.clock.now()))
    (found,) = await fees.explain(who, NL)
    assert (found.refusal, await fees.run(NL)) == ("paying", 0)
    async with house.database.begin() as tx:
        await tx.execute(update(payments).values(status="failed"))
    assert await fees.run(NL) == 1


async def test_nothing_is_charged_on_what_is_paid_at_this_moment(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000)
    await send(house, key, 4000)
    async with house.database.begin() as tx:
        await receive(tx, NL, who, [key], Money(10000), key="s:1", paid_at=LATE, now=house.clock.now())
        charging = asyncio.create_task(fees.charge(who, NL))
        await asyncio.wait({charging}, timeout=0.2)
    assert (await charging, await house.open(key)) == (0, 0)


@pytest.mark.parametrize(
    ("policy", "paid", "left"),
    [
        pytest.param("NL", 10000, (100000, 5000, 241), id="NL: costs first"),
        pytest.param("NL", 15100, (100000, 0, 141), id="NL: then interest"),
        pytest.param("NL", 20241, (95000, 0, 0), id="NL: then principal"),
        pytest.param("BE", 90000, (10000, 15000, 241), id="BE: principal first"),
        pytest.param("BE", 100100, (0, 15000, 141), id="BE: then interest"),
        pytest.param("milder", 90000, (10000, 15000, 241), id="NL, by a milder policy: principal first"),
    ],
)
async def test_a_payment_is_attributed_as_the_law_says(
    on_street: Street, fees: FeeBook, policy: str, paid: int, left: tuple[int, int, int]
) -> None:
    house = on_street.house
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 100000)
    await send(house, key, 15000)
    await fees.charge(who, NL)
    if policy == "BE":
        await house.change(BLOEM.model_copy(update={"country": "BE"}))
    if policy == "milder":
        await house.change(BLOEM.model_copy(update={"fees": Fees(attribution="principal_first")}))
    link = await house.links.issue(None, who, [key], key="k", creditor=NL, amount=Money(paid))
    assert link.amount == Money(paid)
    checkout = await on_street.payments.start(link, "ideal", Locale("nl"))
    await on_street.choose(checkout, "succeed")
    entry = await on_street.bank.find(checkout.rsplit("/", 1)[1])
    assert entry is not None and entry.status is PaymentStatus.PAID
    owed = await parts(house, key)
    assert tuple(owed[account] for account in OWED) == left
    assert sum((await house.accounts()).values()) == 0


def test_a_policy_is_never_harder_than_the_law() -> None:
    hard = BLOEM.model_dump(mode="json") | {"country": "BE", "fees": {"attribution": "costs_first"}}
    with pytest.raises(ValidationError, match="milder"):
        Creditor.model_validate(hard)


@given(
    st.integers(0, 10**9),
    st.fixed_dictionaries({account: st.integers(0, 10**7) for account in OWED}),
    st.sampled_from(sorted(ORDER)),
)
def test_no_cent_appears_or_vanishes(paid: int, owed: dict[Account, int], policy: str) -> None:
    shares = dict(attribute(Money(paid), owed, ORDER[policy]))
    assert sum(share.minor for share in shares.values()) == min(paid, sum(owed.values()))
    assert all(0 < share.minor <= owed[account] for account, share in shares.items())
    # Nothing goes to a later part while an earlier one is open.
    left = [owed[account] - shares.get(account, Money(0)).minor for account in ORDER[policy]]
    touched = [number for number, account in enumerate(ORDER[policy]) if account in shares]
    assert all(not any(left[:number]) for number in touched)
