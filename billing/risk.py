"""How a debtor has paid: a class by rules of the creditor's, from outside, or by an agent; and always why.

Only behaviour counts, and never what happened while a hold protected somebody: disputes, hardship and care.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing import plans, promises
from billing.debits import Why, why
from billing.ledger import OWED, Kind
from core.agent import Agent
from core.clock import Clock
from core.creditor import Creditor, RiskRule
from core.errors import BadInput, NotFound
from core.ids import CreditorKey, DebtorId, new_id
from core.lifecycle import ClaimState, PlanState, PromiseState
from store.audit import record
from store.database import Database
from store.tables.money import booking, claim, direct_debit, invoice, payment, plan, posting, promise, risk
from store.tables.people import debtor as debtors
from store.tables.people import hold

# A rule looks at a stretch of time; `_DAYS` a month, in the debtor's favour.
_DAYS = 30
LONGEST_NOTE = 500


class Behaviour(StrEnum):
    LATE = "late"  # an invoice paid long after it was due, without an agreement
    REVERSED = "reversed"  # a direct debit that its payer took back
    BROKEN = "broken"  # a promise or a plan


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened between two days."""

    kind: Behaviour
    since: date
    at: date


Counted = dict[Behaviour, int]
# Since when, and until when if it was lifted.
Shelter = tuple[date, date | None]


def count(facts: Iterable[Fact], shelters: Sequence[Shelter], today: date, months: int) -> Counted:
    """How often each happened in these months, less what touches a time in which a hold protected the person."""
    first = today - timedelta(days=_DAYS * months)
    counted = dict.fromkeys(Behaviour, 0)
    for fact in facts:
        sheltered = any(since <= fact.at and (until is None or fact.since <= until) for since, until in shelters)
        counted[fact.kind] += first <= fact.at <= today and not sheltered
    return counted


def assess(counted: Counted, rules: Sequence[RiskRule]) -> RiskRule | None:
    """The first rule of which everything is reached; None: no class."""
    return next((rule for rule in rules if all(counted[Behaviour(k)] >= n for k, n in rule.reached.items())), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """A class and where it comes from: `agent` before `external` before `rule`; `none` is no class."""

    name: str | None
    by: Literal["agent", "external", "rule", "none"]
    counted: Counted
    rule: RiskRule | None = None
    id: str | None = None  # of what an agent or somebody outside has said
    source: str | None = None  # who outside
    note: str | None = None  # the agent's reason
    at: datetime | None = None
    until: datetime | None = None


async def standing(tx: AsyncConnection, creditor: Creditor, debtor: DebtorId, now: datetime) -> Standing:
    today = now.astimezone(creditor.zone).date()
    facts, shelters = await _facts(tx, creditor, debtor), await _shelters(tx, creditor, debtor)
    counted = count(facts, shelters, today, creditor.risk.months)
    said = (
        select(risk)
        .where(
            risk.c.debtor_id == debtor,
            risk.c.withdrawn_at.is_(None),
            or_(risk.c.expires_at.is_(None), risk.c.expires_at > now),
        )
        # Agents first, then the latest.
        .order_by(risk.c.agent_id.is_(None), risk.c.at.desc(), risk.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(said)).one_or_none()
    if row is not None:
        by: Literal["agent", "external"] = "external" if row.agent_id is None else "agent"
        details = {"id": row.id, "source": row.source, "note": row.note, "at": row.at, "until": row.expires_at}
        return Standing(row.name, by, counted, **details)
    rule = assess(counted, creditor.risk.rules)
    return Standing(rule.name if rule else None, "rule" if rule else "none", counted, rule)


class Risks:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, creditor: Creditor, debtor: DebtorId) -> Standing:
        async with self._database.read() as tx:
            return await standing(tx, creditor, debtor, self._clock.now())

    async def told(
        self, creditor: CreditorKey, number: str, name: str, source: str, at: datetime, expires_at: datetime
    ) -> None:
        """Somebody outside says a class of this customer; it takes the place of what was said before.

        Raises NotFound for a customer who is not the creditor's, BadInput for a time that makes no sense.
        """
        now = self._clock.now()
        if not at <= now < expires_at:
            raise BadInput("date is today or before, and expires is still to come")
        async with self._database.begin() as tx:
            debtor = await _debtor(tx, creditor, number)
            await tx.execute(_outside(debtor).values(withdrawn_at=now))
            await tx.execute(
                insert(risk).values(
                    id=new_id(), creditor_id=creditor, debtor_id=debtor, name=name, source=source, at=at,
                    expires_at=expires_at,
                )
            )  # fmt: skip

    async def untold(self, creditor: CreditorKey, number: str) -> None:
        """What somebody outside has said counts no more. Twice is once. Raises NotFound."""
        async with self._database.begin() as tx:
            await tx.execute(_outside(await _debtor(tx, creditor, number)).values(withdrawn_at=self._clock.now()))

    async def override(self, debtor: DebtorId, agent: Agent, name: str | None, note: str) -> None:
        """An agent decides (None: no class), whatever was counted. Raises BadInput without a reason, NotFound."""
        note = note.strip()
        if not 0 < len(note) <= LONGEST_NOTE:
            raise BadInput(f"a reason has 1 to {LONGEST_NOTE} characters")
        now, key = self._clock.now(), new_id()
        async with self._database.begin() as tx:
            ours = select(debtors.c.id).where(debtors.c.id == debtor, debtors.c.creditor_id == agent.creditor)
            if await tx.scalar(ours) is None:
                raise NotFound("there is no such customer")
            await tx.execute(_decided(debtor, agent).values(withdrawn_at=now))
            await tx.execute(
                insert(risk).values(
                    id=key,
                    creditor_id=agent.creditor,
                    debtor_id=debtor,
                    name=name,
                    agent_id=agent.id,
                    note=note,
                    at=now,
                )
            )
            await record(tx, agent, "risk", key, now, {"class": name})

    async def withdraw(self, debtor: DebtorId, agent: Agent) -> None:
        """What agents decided counts no more: the rules, or somebody outside, do again. Twice is once."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            gone = await tx.execute(_decided(debtor, agent).values(withdrawn_at=now))
            if gone.rowcount:
                await record(tx, agent, "risk_withdrawn", debtor, now)


async def _debtor(tx: AsyncConnection, creditor: CreditorKey, number: str) -> DebtorId:
    query = select(debtors.c.id).where(debtors.c.creditor_id == creditor, debtors.c.customer_number == number)
    found = await tx.scalar(query)
    if found is None:
        raise NotFound(f"there is no customer {number}")
    return DebtorId(found)


def _outside(debtor: DebtorId) -> Any:
    return update(risk).where(risk.c.debtor_id == debtor, risk.c.agent_id.is_(None), risk.c.withdrawn_at.is_(None))


def _decided(debtor: DebtorId, agent: Agent) -> Any:
    ours = (risk.c.debtor_id == debtor, risk.c.creditor_id == agent.creditor)
    return update(risk).where(*ours, risk.c.agent_id.is_not(None), risk.c.withdrawn_at.is_(None))


async def _facts(tx: AsyncConnection, creditor: Creditor, debtor: DebtorId) -> list[Fact]:
    def day(at: datetime) -> date:
        return at.astimezone(creditor.zone).date()

    facts = []
    debits = await tx.execute(select(direct_debit).where(direct_debit.c.debtor_id == debtor))
    facts += [Fact(Behaviour.REVERSED, day(row.at), day(row.at)) for row in debits if why(row.reason) is Why.REFUNDED]
    made = {row.id: (row.due_date, day(row.at)) for row in await tx.execute(_paid(debtor))}
    agreed: set[str] = set()
    for row in await tx.execute(select(promise).where(promise.c.debtor_id == debtor)):
        # Of a transfer that was made in time a bank may have told later.
        if row.state == PromiseState.BROKEN and not await promises.in_time(tx, row, creditor):
            facts.append(Fact(Behaviour.BROKEN, day(row.created_at), day(row.ended_at)))
        elif row.state in (PromiseState.BROKEN, PromiseState.KEPT):
            agreed.update(row.invoices)
    for row in await tx.execute(select(plan).where(plan.c.debtor_id == debtor)):
        if row.state == PlanState.BROKEN and not await plans.in_time(tx, row, creditor):
            facts.append(Fact(Behaviour.BROKEN, day(row.created_at), day(row.ended_at)))
        elif row.state == PlanState.KEPT:
            agreed.update(row.invoices)
    # Who kept an agreement was not late, nor was the money that was found after all.
    found = select(claim.c.invoices).where(claim.c.debtor_id == debtor, claim.c.state == ClaimState.SETTLED)
    for invoices in await tx.scalars(found):
        agreed.update(invoices)
    for key, (due, paid) in made.items():
        if key not in agreed and paid > due + timedelta(days=creditor.risk.late_days):
            facts.append(Fact(Behaviour.LATE, due, paid))
    return facts


def _paid(debtor: DebtorId) -> Any:
    """When each invoice was last paid on: as its payer did, not as we heard."""
    return (
        select(invoice.c.id, invoice.c.due_date, func.max(func.coalesce(payment.c.paid_at, booking.c.at)).label("at"))
        .join(posting, posting.c.invoice_id == invoice.c.id)
        .join(booking, booking.c.id == posting.c.booking_id)
        .outerjoin(payment, booking.c.cause == literal("payment:").concat(payment.c.id))
        .where(invoice.c.debtor_id == debtor, booking.c.kind == Kind.PAYMENT, posting.c.account.in_(OWED))
        .group_by(invoice.c.id, invoice.c.due_date)
    )


async def _shelters(tx: AsyncConnection, creditor: Creditor, debtor: DebtorId) -> list[Shelter]:
    rows = await tx.execute(select(hold.c.since, hold.c.lifted_at).where(hold.c.debtor_id == debtor))
    zone = creditor.zone
    return [
        (row.since.astimezone(zone).date(), row.lifted_at.astimezone(zone).date() if row.lifted_at else None)
        for row in rows
    ]
