"""Risk classes: by rules over what was done, never while a hold protected; from outside; by an agent, taken back."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select

from billing.methods import offered
from billing.risk import Behaviour, Fact, Risks, Shelter, assess, count
from billing.transfers import receive
from core.agent import Agent, Role
from core.creditor import Creditor, Payments, Risk, RiskRule
from core.errors import BadInput, NotFound
from core.ids import AgentId, CreditorKey, DebtorId
from core.money import Money
from store.tables.money import claim, direct_debit, payment, plan, promise, risk
from store.tables.people import hold
from store.tables.staff import audit
from tests.billing.house import BLOEM, VELO, House

TODAY = date(2026, 11, 24)
LATE, REVERSED, BROKEN = Behaviour.LATE, Behaviour.REVERSED, Behaviour.BROKEN
SANNE = Agent(AgentId("sanne"), CreditorKey("bloem"), "sanne@bloem.example", "Sanne de Wit", Role.AGENT)
STRICT = BLOEM.model_copy(
    update={
        "risk": Risk(rules=[RiskRule(name="high", reversed=1, broken=1), RiskRule(name="medium", late=1)]),
        "payments": Payments(methods_by_risk={"high": ["ideal"], "medium": ["ideal", "banktransfer"]}),
    }
)


def fact(kind: Behaviour, at: str, since: str | None = None) -> Fact:
    return Fact(kind, date.fromisoformat(since or at), date.fromisoformat(at))


def shelter(since: str, until: str | None = None) -> Shelter:
    return date.fromisoformat(since), date.fromisoformat(until) if until else None


@pytest.mark.parametrize(
    ("facts", "shelters", "counted"),
    [
        pytest.param([], [], (0, 0, 0), id="nothing"),
        pytest.param(
            [fact(LATE, "2026-10-01", "2026-09-01"), fact(LATE, "2026-11-24"), fact(BROKEN, "2026-11-01")],
            [], (2, 0, 1), id="each of its kind",
        ),
        pytest.param([fact(REVERSED, "2025-11-29")], [], (0, 1, 0), id="twelve months ago"),
        pytest.param([fact(REVERSED, "2025-11-28")], [], (0, 0, 0), id="longer ago"),
        pytest.param(
            [fact(LATE, "2026-10-01", "2026-09-01")], [shelter("2026-09-15", "2026-09-20")], (0, 0, 0), id="held"
        ),
        pytest.param(
            [fact(LATE, "2026-10-01", "2026-09-01")], [shelter("2026-08-01", "2026-09-01")], (0, 0, 0), id="held before"
        ),
        pytest.param(
            [fact(LATE, "2026-10-01", "2026-09-01")], [shelter("2026-08-01", "2026-08-31")], (1, 0, 0), id="before"
        ),
        pytest.param(
            [fact(LATE, "2026-10-01", "2026-09-01")], [shelter("2026-10-02")], (1, 0, 0), id="held afterwards"
        ),
        pytest.param(
            [fact(BROKEN, "2026-11-01"), fact(LATE, "2026-03-01")], [shelter("2026-06-01")], (1, 0, 0), id="still"
        ),
    ],
)  # fmt: skip
def test_what_counts(facts: list[Fact], shelters: list[Shelter], counted: tuple[int, int, int]) -> None:
    assert tuple(count(facts, shelters, TODAY, 12).values()) == counted


RULES = [RiskRule(name="high", reversed=2, broken=1), RiskRule(name="high", late=5), RiskRule(name="medium", late=3)]


@pytest.mark.parametrize(
    ("late", "reversed_", "broken", "rule"),
    [
        pytest.param(0, 0, 0, None, id="nothing"),
        pytest.param(2, 2, 0, None, id="not all of a rule"),
        pytest.param(0, 2, 1, 0, id="all of a rule"),
        pytest.param(3, 0, 9, 2, id="the third"),
        pytest.param(5, 2, 1, 0, id="the first that fits"),
        pytest.param(6, 0, 0, 1, id="more than asked"),
    ],
)
def test_the_first_rule_that_fits(late: int, reversed_: int, broken: int, rule: int | None) -> None:
    found = assess({LATE: late, REVERSED: reversed_, BROKEN: broken}, RULES)
    assert found == (None if rule is None else RULES[rule])


def test_a_rule_for_everybody_is_refused() -> None:
    with pytest.raises(ValidationError, match="everybody"):
        RiskRule(name="high")


def test_nobody_has_a_class_by_default_for_a_single_lapse() -> None:
    for kind in Behaviour:
        assert assess({**dict.fromkeys(Behaviour, 0), kind: 1}, Risk().rules) is None


@pytest.fixture
async def who(house: House) -> DebtorId:
    return await house.debtor("K1")


@pytest.fixture
def risks(house: House) -> Risks:
    return Risks(house.database, house.clock)


async def add(house: House, table: Any, **values: Any) -> None:
    async with house.database.begin() as tx:
        await tx.execute(insert(table).values(creditor_id="bloem", debtor_id="bloem-K1", **values))


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "counted"),
    [
        pytest.param("paid in time", (0, 0, 0), id="paid in time"),
        pytest.param("paid late", (1, 0, 0), id="paid late"),
        pytest.param("paid late, disputed", (0, 0, 0), id="paid late while disputed"),
        pytest.param("paid late, as agreed", (0, 0, 0), id="paid late as was agreed"),
        pytest.param("paid late, found", (0, 0, 0), id="found after all"),
        pytest.param("not paid", (0, 0, 0), id="not paid at all"),
        pytest.param("MD06", (0, 1, 0), id="a debit taken back"),
        pytest.param("AM04", (0, 0, 0), id="a debit without enough money"),
        pytest.param("MD01", (0, 0, 0), id="a debit that nobody had allowed"),
        pytest.param("promise", (0, 0, 1), id="a broken promise"),
        pytest.param("promise, hardship", (0, 0, 0), id="a promise broken in hardship"),
        pytest.param("plan", (0, 0, 1), id="a broken plan"),
    ],
)
async def test_what_is_read_from_the_books(
    house: House, risks: Risks, who: DebtorId, case: str, counted: tuple[int, int, int]
) -> None:
    talk = await house.talk(who)
    key = await house.invoice(who, "F1", 5000, due=date(2026, 11, 10 if case == "paid in time" else 9))
    common = {"conversation_id": talk, "cause": "c", "invoices": [key], "created_at": at(10, 1)}
    if "paid" in case and case != "not paid":
        await house.paid_elsewhere(key, 5000, "p")
    elif case in ("MD06", "AM04", "MD01"):
        details = {"currency": "EUR", "amount": 5000, "at": house.clock.now()}
        await add(house, direct_debit, id="d", invoice_id=key, cause="d", reason=case, **details)
    elif case.startswith("promise"):
        await add(house, promise, id="p", state="broken", until=date(2026, 10, 5), ended_at=at(10, 8), **common)
    elif case == "plan":
        await add(house, plan, id="p", state="broken", currency="EUR", total=5000, ended_at=at(10, 8), **common)
    if case == "paid late, as agreed":
        await add(house, promise, id="p", state="kept", until=date(2026, 11, 24), ended_at=at(11, 24), **common)
    elif case == "paid late, found":
        await add(house, claim, id="c", state="settled", until=date(2026, 11, 24), **common)
    elif case in ("paid late, disputed", "promise, hardship"):
        held = {"conversation_id": talk, "by": "turn:1", "since": at(10, 2), "lifted_at": at(11, 12)}
        await add(house, hold, id="h", reason=case.partition(", ")[2].replace("disputed", "dispute"), **held)
    assert tuple((await risks.of(BLOEM, who)).counted.values()) == counted


async def test_who_paid_in_time_is_not_late_for_the_bank_told_it_late(
    house: House, risks: Risks, who: DebtorId
) -> None:
    key = await house.invoice(who, "F1", 5000, date(2026, 11, 1))
    talk = await house.talk(who)
    made = {"id": "p1", "conversation_id": talk, "cause": "p1"}
    told = {"state": "broken", "until": date(2026, 11, 6), "invoices": [key], "ended_at": at(11, 11)}
    await add(house, promise, **made, **told, created_at=at(11, 2))
    assert (await risks.of(STRICT, who)).counted[BROKEN] == 1
    async with house.database.begin() as tx:
        now = house.clock.now()
        await receive(tx, BLOEM, who, [key], Money(5000), key="s:1", paid_at=at(11, 6), now=now)
    assert (await risks.of(STRICT, who)).counted == {LATE: 0, REVERSED: 0, BROKEN: 0}


async def test_rules_then_somebody_outside_then_an_agent(house: House, risks: Risks, who: DebtorId) -> None:
    await house.change(STRICT)
    key = await house.invoice(who, "F1", 5000)
    house.clock.advance(days=1)
    await house.paid_elsewhere(key, 5000, "p")

    async def now() -> tuple[str | None, str, list[str]]:
        standing = await risks.of(STRICT, who)
        async with house.database.read() as tx:
            return standing.name, standing.by, await offered(tx, STRICT, who, house.clock.now())

    bloem = CreditorKey("bloem")
    assert await now() == ("medium", "rule", ["ideal", "banktransfer"])
    until = house.clock.now() + timedelta(days=30)
    await risks.told(bloem, "K1", "high", "Bureau Fictief", house.clock.now(), until)
    assert await now() == ("high", "external", ["ideal"])
    await risks.told(bloem, "K1", "low", "Bureau Fictief", house.clock.now(), until)
    assert await now() == ("low", "external", STRICT.payments.methods)
    await risks.override(who, SANNE, "high", "Belde ons op, zie gesprek")
    assert await now() == ("high", "agent", ["ideal"])
    house.clock.advance(minutes=1)
    await risks.override(who, SANNE, None, "Vergissing")
    assert await now() == (None, "agent", STRICT.payments.methods)
    for _ in range(2):
        await risks.withdraw(who, SANNE)
    assert await now() == ("low", "external", STRICT.payments.methods)
    house.clock.set(until)
    assert await now() == ("medium", "rule", ["ideal", "banktransfer"])
    await risks.told(bloem, "K1", "low", "Bureau Fictief", house.clock.now(), until + timedelta(days=1))
    for _ in range(2):
        await risks.untold(bloem, "K1")
    assert (await now())[:2] == ("medium", "rule")
    async with house.database.read() as tx:
        assert list(await tx.scalars(select(audit.c.action).order_by(audit.c.seq))) == [
            "risk",
            "risk",
            "risk_withdrawn",
        ]


@pytest.mark.parametrize(
    ("number", "creditor", "days", "fault"),
    [
        pytest.param("K9", "bloem", 1, NotFound, id="nobody"),
        pytest.param("K1", "velo", 1, NotFound, id="another creditor's"),
        pytest.param("K1", "bloem", 0, BadInput, id="over already"),
    ],
)
async def test_what_cannot_be_told(
    house: House, risks: Risks, who: DebtorId, number: str, creditor: str, days: int, fault: type[Exception]
) -> None:
    now = house.clock.now()
    with pytest.raises(fault):
        await risks.told(CreditorKey(creditor), number, "high", "x", now, now + timedelta(days=days))
    assert (await risks.of(BLOEM, who)).by == "none"


@pytest.mark.parametrize("note", ["", "  ", "x" * 501])
async def test_an_agent_gives_a_reason(house: House, risks: Risks, who: DebtorId, note: str) -> None:
    with pytest.raises(BadInput):
        await risks.override(who, SANNE, "high", note)
    async with house.database.read() as tx:
        assert list(await tx.execute(select(risk))) == []


async def test_an_agent_decides_about_her_own_customers(house: House, risks: Risks) -> None:
    other = await house.debtor("K1", VELO)
    with pytest.raises(NotFound):
        await risks.override(other, SANNE, "high", "x")


@pytest.mark.parametrize(
    ("paid", "first"),
    [
        pytest.param([], "ideal", id="never paid"),
        pytest.param([("creditcard", 1), ("bancontact", 2)], "bancontact", id="the last one"),
        pytest.param([("bancontact", 1), ("cowries", 2)], "ideal", id="one that is not offered any more"),
    ],
)
async def test_the_method_used_last_comes_first(
    house: House, who: DebtorId, paid: list[tuple[str, int]], first: str
) -> None:
    link = await house.link(who, [await house.invoice(who, "F1", 5000)])
    for method, day in paid:
        values = {"link_id": link.id, "provider": "mollie", "cause": method, "currency": "EUR", "amount": 1}
        async with house.database.begin() as tx:
            await tx.execute(
                insert(payment).values(
                    id=method, creditor_id="bloem", status="paid", method=method, paid_at=at(11, day),
                    created_at=at(11, day), **values,
                )
            )  # fmt: skip
    async with house.database.read() as tx:
        methods = await offered(tx, BLOEM, who, house.clock.now())
    assert (methods[0], sorted(methods)) == (first, sorted(BLOEM.payments.methods))


def by_class(**allowed: list[str]) -> Creditor:
    return BLOEM.model_copy(update={"payments": Payments(methods_by_risk=allowed)})


async def test_who_is_in_a_class_without_a_list_is_offered_all(house: House, risks: Risks, who: DebtorId) -> None:
    await risks.override(who, SANNE, "high", "x")
    async with house.database.read() as tx:
        assert await offered(tx, by_class(medium=["ideal"]), who, house.clock.now()) == BLOEM.payments.methods
        assert await offered(tx, by_class(high=["ideal"]), who, house.clock.now()) == ["ideal"]
