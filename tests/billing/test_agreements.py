"""Promises and plans: made within the policy, adding up to the cent, kept or broken."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from billing import charges
from billing.charges import Late
from billing.claims import Claims
from billing.plans import Instalment, Plans, needs_agent, offers, spread
from billing.promises import Promises, pausing
from billing.risk import Behaviour, Risks
from billing.transfers import receive
from conversations.holds import holding
from core.creditor import Plans as Policy
from core.errors import BadInput, Conflict
from core.ids import ConversationId, DebtorId, InvoiceId
from core.money import Money
from store.tables.money import instalment, plan, promise
from store.tables.people import hold
from tests.billing.house import BLOEM, House

TODAY = date(2026, 11, 24)  # a Tuesday


@pytest.fixture
def promises(house: House) -> Promises:
    return Promises(house.database, house.clock, holding)


@pytest.fixture
def plans(house: House) -> Plans:
    return Plans(house.database, house.clock, holding)


async def paused(house: House, who: DebtorId) -> bool:
    async with house.database.read() as tx:
        return await pausing(tx, who)


async def states(house: House, table: object) -> list[str]:
    column = {"promise": promise.c, "plan": plan.c, "instalment": instalment.c}[str(table)]
    order = column.number if table == "instalment" else column.created_at
    async with house.database.read() as tx:
        return list((await tx.execute(select(column.state).order_by(order))).scalars())


@pytest.mark.parametrize(
    ("until", "allowed"),
    [
        pytest.param("2026-11-23", False, id="yesterday"),
        pytest.param("2026-11-24", True, id="today"),
        pytest.param("2026-12-08", True, id="the 14th day"),
        pytest.param("2026-12-09", False, id="the 15th day"),
    ],
)
async def test_a_promise_is_made_within_the_policy(house: House, promises: Promises, until: str, allowed: bool) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    talk = await house.talk(who)
    day = date.fromisoformat(until)
    if not allowed:
        with pytest.raises(BadInput):
            await promises.make(talk, who, [key], day, key="t1", creditor=BLOEM)
        assert not await paused(house, who)
        return
    made = await promises.make(talk, who, [key], day, key="t1", creditor=BLOEM)
    assert await promises.make(talk, who, [key], day, key="t1", creditor=BLOEM) == made
    assert (await promises.current(who), await paused(house, who)) == (made, True)


async def test_a_later_promise_replaces_the_one_before(house: House, promises: Promises) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    talk = await house.talk(who)
    await promises.make(talk, who, [key], TODAY, key="t1", creditor=BLOEM)
    house.clock.advance(minutes=1)
    await promises.make(talk, who, [key], date(2026, 11, 27), key="t2", creditor=BLOEM)
    assert await states(house, "promise") == ["replaced", "made"]


@pytest.mark.parametrize(
    ("paid", "days", "state", "events"),
    [
        pytest.param(0, 7, "made", [], id="two working days of grace"),
        pytest.param(0, 8, "broken", ["promise.broken"], id="broken on the third"),
        pytest.param(4999, 8, "broken", ["promise.broken"], id="a cent short"),
        pytest.param(5000, 1, "kept", [], id="paid early"),
        pytest.param(5000, 6, "kept", [], id="seen late"),
    ],
)
async def test_a_promise_is_followed_up(
    house: House, promises: Promises, paid: int, days: int, state: str, events: list[str]
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    await promises.make(await house.talk(who), who, [key], date(2026, 11, 27), key="t1", creditor=BLOEM)
    if paid:
        await house.paid_elsewhere(key, paid, "bank:1")
    house.clock.advance(days=days)
    for _ in range(2):  # as often as you like
        await promises.run_due(BLOEM)
    assert (await states(house, "promise"), await house.events()) == ([state], events)
    assert await paused(house, who) == (state == "made")


class Looking:
    """Somebody is left alone: a hold protects them, or money that was claimed is looked for."""

    def __init__(self, house: House, why: str) -> None:
        self._house, self._why = house, why
        self._claims = Claims(house.database, house.clock)

    async def begin(self, who: DebtorId, key: InvoiceId) -> None:
        if self._why == "claim":
            given = {"paid_on": None, "amount": None, "account_end": None, "key": "c1", "creditor": BLOEM}
            await self._claims.make(ConversationId(f"talk-{who}"), who, [key], **given)  # type: ignore[arg-type]
            return
        row = {"id": "h1", "creditor_id": "bloem", "conversation_id": f"talk-{who}", "debtor_id": who, "by": "turn:1"}
        async with self._house.database.begin() as tx:
            await tx.execute(insert(hold).values(**row, reason="hardship", since=self._house.clock.now()))

    async def end(self) -> None:
        if self._why == "claim":
            self._house.clock.advance(days=20)
            await self._claims.run_due(BLOEM)
            return
        async with self._house.database.begin() as tx:
            await tx.execute(update(hold).values(lifted_at=self._house.clock.now()))


@pytest.mark.parametrize("why", ["claim", "hold"])
async def test_a_promise_waits_while_somebody_is_left_alone(house: House, promises: Promises, why: str) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    await promises.make(await house.talk(who), who, [key], date(2026, 11, 27), key="t1", creditor=BLOEM)
    house.clock.advance(days=4)
    looking = Looking(house, why)
    await looking.begin(who, key)
    house.clock.advance(days=4)
    await promises.run_due(BLOEM)
    assert await states(house, "promise") == ["made"]
    await looking.end()
    await promises.run_due(BLOEM)
    assert await states(house, "promise") == ["made"]  # its days of grace begin anew
    house.clock.advance(days=5)
    await promises.run_due(BLOEM)
    assert (await states(house, "promise"), (await house.events())[-1]) == (["broken"], "promise.broken")


async def test_one_fault_stops_no_other_promise(house: House, promises: Promises) -> None:
    for number in ("K1", "K2", "K3"):
        who = await house.debtor(number)
        key = await house.invoice(who, f"F{number}", 5000)
        await promises.make(await house.talk(who), who, [key], TODAY, key=number, creditor=BLOEM)
        if number == "K2":
            async with house.database.begin() as tx:
                await tx.execute(update(promise).where(promise.c.cause == "K2").values(invoices=None))
    house.clock.advance(days=8)
    assert await promises.run_due(BLOEM) == 2
    assert sorted(await states(house, "promise")) == ["broken", "broken", "made"]


@pytest.mark.parametrize(
    ("cents", "months"),
    [
        pytest.param(4999, [], id="two instalments of 25 are not in it"),
        pytest.param(5000, [2], id="exactly two"),
        pytest.param(10000, [2, 3, 4], id="up to four"),
        pytest.param(40000, [2, 4, 6], id="up to six, three of them shown"),
    ],
)
def test_what_is_offered(cents: int, months: list[int]) -> None:
    assert [len(offer) for offer in offers(Money(cents), BLOEM, TODAY)] == months


def test_a_plan_is_a_table_of_dates_and_amounts() -> None:
    assert spread(Money(10000), 3, date(2026, 11, 24)) == [
        Instalment(date(2026, 12, 1), Money(3334)),
        Instalment(date(2027, 1, 1), Money(3333)),
        Instalment(date(2027, 2, 1), Money(3333)),
    ]
    months = [each.due.isoformat() for each in spread(Money(300), 3, date(2026, 12, 24))]
    assert months == ["2026-12-31", "2027-01-31", "2027-02-28"]


@given(st.integers(0, 10**7), st.integers(1, 24), st.integers(1, 10**5), st.dates(date(2024, 1, 1), date(2040, 1, 1)))
def test_plans_add_up_and_keep_to_the_policy(cents: int, months: int, least: int, today: date) -> None:
    policy = Policy.model_validate({"max_months": months, "min_instalment": f"{Money(least).decimal}"})
    creditor = BLOEM.model_copy(update={"plans": policy})
    for offer in offers(Money(cents), creditor, today):
        assert sum(each.amount.minor for each in offer) == cents
        assert all(each.amount.minor >= least for each in offer)
        assert 2 <= len(offer) <= months
        assert all(a.due < b.due for a, b in pairwise(offer))
        assert today < offer[0].due <= today + timedelta(days=7)


@pytest.mark.parametrize(("cents", "asked"), [(50000, False), (50001, True)])
def test_above_an_amount_a_person_decides(cents: int, asked: bool) -> None:
    assert needs_agent(Money(cents), BLOEM) is asked


async def agreed(house: House, plans: Plans, cents: int = 9000, months: int = 3) -> tuple[DebtorId, InvoiceId]:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", cents)
    table = spread(Money(cents), months, TODAY)
    found = await plans.agree(await house.talk(who), who, [key], table, key="t1", creditor=BLOEM)
    assert found.instalments == table
    return who, key


async def test_a_plan_is_agreed_on_once_and_replaces_a_promise(house: House, plans: Plans, promises: Promises) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 9000)
    talk = await house.talk(who)
    await promises.make(talk, who, [key], TODAY, key="t0", creditor=BLOEM)
    table = spread(Money(9000), 3, TODAY)
    one = await plans.agree(talk, who, [key], table, key="t1", creditor=BLOEM)
    assert await plans.agree(talk, who, [key], table, key="t1", creditor=BLOEM) == one == await plans.current(who)
    assert (await states(house, "promise"), await paused(house, who)) == (["replaced"], True)
    with pytest.raises(Conflict):
        await plans.agree(talk, who, [key], table, key="t2", creditor=BLOEM)


async def test_of_plans_and_promises_made_at_once_one_runs(house: House, plans: Plans, promises: Promises) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 9000)
    talk = await house.talk(who)
    days = [TODAY + timedelta(days=each) for each in range(5)]
    made = [promises.make(talk, who, [key], day, key=f"p{day}", creditor=BLOEM) for day in days]
    await asyncio.gather(*made)
    assert sorted(await states(house, "promise")) == ["made", *["replaced"] * 4]
    tables = [spread(Money(9000), months, TODAY) for months in (2, 3, 2, 3)]
    proposed = [
        plans.agree(talk, who, [key], table, key=f"t{number}", creditor=BLOEM) for number, table in enumerate(tables)
    ]
    results = await asyncio.gather(*proposed, return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert (await states(house, "plan"), await states(house, "promise")) == (["agreed"], ["replaced"] * 5)
    async with house.database.read() as tx:
        parts = (await tx.execute(select(instalment.c.amount))).scalars().all()
    assert sum(parts) == 9000


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(spread(Money(8999), 3, TODAY), id="not all of it"),
        pytest.param(spread(Money(9000), 5, TODAY), id="too many"),
        pytest.param([Instalment(TODAY, Money(9000))], id="one is no plan"),
        pytest.param(spread(Money(9000), 3, date(2026, 12, 24)), id="from later on"),
    ],
)
async def test_no_other_plan_is_agreed_on(house: House, plans: Plans, table: list[Instalment]) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 9000)
    with pytest.raises(BadInput):
        await plans.agree(await house.talk(who), who, [key], table, key="t1", creditor=BLOEM)


async def walk(house: House, plans: Plans, until: date) -> None:
    """Every day until then, twice a day."""
    while house.clock.now().date() < until:
        house.clock.advance(hours=12)
        await plans.run_due(BLOEM)


async def test_a_plan_is_kept(house: House, plans: Plans) -> None:
    who, key = await agreed(house, plans)
    for number, day in enumerate((date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1))):
        await walk(house, plans, day)
        assert (await states(house, "instalment"))[number] == "announced"
        await house.paid_elsewhere(key, 3000, f"bank:{number}")
    await walk(house, plans, date(2027, 2, 3))
    assert (await states(house, "instalment"), await states(house, "plan")) == (["paid"] * 3, ["kept"])
    assert await house.events() == ["instalment.due"] * 3
    assert not await paused(house, who)


async def charge(house: House, who: DebtorId, key: InvoiceId, minor: int) -> None:
    """Costs are added, as the creditor's policy lets it while an agreement runs."""
    async with house.database.begin() as tx:
        late = Late(key, who, date(2026, 11, 1), "EUR")
        assert await charges.charge(tx, BLOEM, late, Money(minor), Money(0), house.clock.now())


async def test_costs_that_come_beside_a_plan_are_no_part_of_it(house: House, plans: Plans) -> None:
    """Payments go to the costs first (BW 6:44); the instalments are paid by them all the same."""
    who, key = await agreed(house, plans)
    await walk(house, plans, date(2026, 11, 30))
    await charge(house, who, key, 4000)
    for number, day in enumerate((date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1))):
        await walk(house, plans, day)
        async with house.database.begin() as tx:
            now = house.clock.now()
            await receive(tx, BLOEM, who, [key], Money(3000), key=f"s:{number}", paid_at=now, now=now)
        running = await plans.current(who)
        assert running is not None and running.charged == Money(4000)
    await walk(house, plans, date(2027, 2, 3))
    assert (await states(house, "instalment"), await states(house, "plan")) == (["paid"] * 3, ["kept"])
    assert await house.open(key) == 4000


async def test_costs_that_come_beside_a_promise_do_not_break_it(house: House, promises: Promises) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    await promises.make(await house.talk(who), who, [key], date(2026, 11, 27), key="t1", creditor=BLOEM)
    house.clock.advance(days=1)
    await charge(house, who, key, 4000)
    async with house.database.begin() as tx:
        now = house.clock.now()
        await receive(tx, BLOEM, who, [key], Money(5000), key="s:1", paid_at=now, now=now)
    await promises.run_due(BLOEM)
    assert (await states(house, "promise"), await house.open(key)) == (["kept"], 4000)


async def test_a_missed_instalment_is_noticed_and_a_broken_plan_handed_over(house: House, plans: Plans) -> None:
    who, key = await agreed(house, plans)
    await house.paid_elsewhere(key, 2999, "bank:1")
    await walk(house, plans, date(2026, 12, 3))
    assert await states(house, "instalment") == ["announced", "due", "due"]
    await walk(house, plans, date(2026, 12, 4))
    assert (await states(house, "instalment"), await states(house, "plan")) == (["missed", "due", "due"], ["agreed"])
    await walk(house, plans, date(2026, 12, 10))
    assert (await states(house, "plan"), await paused(house, who)) == (["agreed"], True)
    await walk(house, plans, date(2026, 12, 20))
    assert await house.events() == ["instalment.due", "instalment.missed", "plan.broken"]
    assert (await states(house, "plan"), await paused(house, who)) == (["broken"], False)


@pytest.mark.parametrize(
    ("paid_on", "minor", "state"),
    [
        pytest.param(date(2026, 12, 1), 3000, "agreed", id="paid on its day"),
        pytest.param(date(2026, 12, 10), 3000, "agreed", id="paid on the last day that counts"),
        pytest.param(date(2026, 12, 11), 3000, "broken", id="paid a day later"),
        pytest.param(date(2026, 12, 1), 2999, "broken", id="a cent short"),
    ],
)
async def test_a_plan_that_broke_only_as_the_bank_told_late_goes_on(
    house: House, plans: Plans, paid_on: date, minor: int, state: str
) -> None:
    who, key = await agreed(house, plans)
    await walk(house, plans, date(2026, 12, 12))
    assert await states(house, "plan") == ["broken"]
    risks = Risks(house.database, house.clock)
    assert (await risks.of(BLOEM, who)).counted[Behaviour.BROKEN] == 1
    house.clock.advance(days=1)
    await charge(house, who, key, 4000)
    house.clock.advance(days=1)
    async with house.database.begin() as tx:
        paid_at = datetime.combine(paid_on, time(12), BLOEM.zone)
        await receive(tx, BLOEM, who, [key], Money(minor), key="s:1", paid_at=paid_at, now=house.clock.now())
    for _ in range(2):
        await plans.mend(who)
    mended = state == "agreed"
    assert (await states(house, "plan"), (await house.events()).count("plan.resumed")) == ([state], int(mended))
    assert (await risks.of(BLOEM, who)).counted[Behaviour.BROKEN] == int(not mended)
    # What was charged meanwhile is taken back: the payment is the plan's alone.
    assert await house.open(key) == (6000 if mended else 13000 - minor)
    assert sum((await house.accounts()).values()) == 0
    if mended:
        await walk(house, plans, date(2027, 1, 2))
        assert await states(house, "instalment") == ["paid", "announced", "due"]
        await walk(house, plans, date(2027, 1, 20))  # the next part is missed, and that counts
        assert (await states(house, "plan"), (await house.events())[-1]) == (["broken"], "plan.broken")
        assert (await risks.of(BLOEM, who)).counted[Behaviour.BROKEN] == 1


async def test_a_plan_does_not_go_on_beside_another_agreement(house: House, plans: Plans, promises: Promises) -> None:
    who, key = await agreed(house, plans)
    await walk(house, plans, date(2026, 12, 12))
    await promises.make(ConversationId(f"talk-{who}"), who, [key], date(2026, 12, 20), key="p1", creditor=BLOEM)
    async with house.database.begin() as tx:
        paid_at = datetime(2026, 12, 1, 12, tzinfo=UTC)
        await receive(tx, BLOEM, who, [key], Money(3000), key="s:1", paid_at=paid_at, now=house.clock.now())
    assert (await plans.mend(who), await states(house, "plan")) == (0, ["broken"])
    assert (await Risks(house.database, house.clock).of(BLOEM, who)).counted[Behaviour.BROKEN] == 0


@pytest.mark.parametrize(("day", "state"), [(27, "kept"), (28, "broken")])
async def test_a_promise_that_broke_only_as_the_bank_told_late_was_kept(
    house: House, promises: Promises, day: int, state: str
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 5000)
    await promises.make(await house.talk(who), who, [key], date(2026, 11, 27), key="t1", creditor=BLOEM)
    house.clock.advance(days=8)
    await promises.run_due(BLOEM)
    house.clock.advance(days=1)
    await charge(house, who, key, 4000)
    async with house.database.begin() as tx:
        paid_at = datetime(2026, 11, day, 12, tzinfo=UTC)
        await receive(tx, BLOEM, who, [key], Money(5000), key="s:1", paid_at=paid_at, now=house.clock.now())
    assert await promises.mend(who) == int(state == "kept")
    assert (await states(house, "promise"), await house.open(key)) == ([state], 0 if state == "kept" else 4000)


async def test_a_missed_instalment_can_be_made_good(house: House, plans: Plans) -> None:
    _, key = await agreed(house, plans)
    await walk(house, plans, date(2026, 12, 5))
    await house.paid_elsewhere(key, 3000, "bank:1")
    await walk(house, plans, date(2026, 12, 20))
    assert (await states(house, "instalment"), await states(house, "plan")) == (["paid", "due", "due"], ["agreed"])


@pytest.mark.parametrize("why", ["claim", "hold"])
async def test_a_plan_waits_while_somebody_is_left_alone(house: House, plans: Plans, why: str) -> None:
    who, key = await agreed(house, plans)
    await walk(house, plans, date(2026, 12, 1))
    looking = Looking(house, why)
    await looking.begin(who, key)
    house.clock.advance(days=20)
    await plans.run_due(BLOEM)
    assert (await states(house, "instalment"), await states(house, "plan")) == (["announced", "due", "due"], ["agreed"])
    await looking.end()
    await plans.run_due(BLOEM)
    assert await states(house, "plan") == ["agreed"]
    house.clock.advance(days=5)
    await plans.run_due(BLOEM)
    assert (await states(house, "instalment"))[0] == "missed"
    house.clock.advance(days=8)
    await plans.run_due(BLOEM)
    assert await states(house, "plan") == ["broken"]
