"""Payment plans: proposed as a table that adds up to the cent, agreed on, and kept or broken."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.charges import agreed_open, charged_since, spare
from billing.creditors import creditor_of
from billing.ledger import open_amounts
from billing.patience import Holding, gracious, paid_days, resumed, waiting
from billing.promises import agreed_on, replace
from billing.rounds import look_at
from core.agent import Agent
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput, Conflict
from core.ids import ConversationId, CreditorKey, DebtorId, InvoiceId, new_id
from core.lifecycle import INSTALMENT, PLAN, InstalmentState, PlanState, sources
from core.money import Money
from store.audit import record
from store.database import Database
from store.events import INSTALMENT_DUE, INSTALMENT_MISSED, PLAN_ARRANGED, PLAN_BROKEN, PLAN_RESUMED, emit
from store.tables.money import instalment, plan
from store.tables.people import debtor as debtors
from store.upsert import insert_once

# The first instalment is due a week after the plan was agreed on.
_FIRST = timedelta(days=7)
# A missed instalment may still be paid this long; then the plan is broken.
_PATIENCE = timedelta(days=7)
_OFFERED = 3
# Its link is sent this long before an instalment.
_AHEAD = timedelta(days=3)
# What an agent may agree on.
MOST = 60
LATEST = timedelta(days=62)  # until the first instalment


@dataclass(frozen=True, slots=True)
class Instalment:
    due: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Plan:
    id: str
    debtor: DebtorId
    state: PlanState
    instalments: Sequence[Instalment]
    invoices: Sequence[InvoiceId]
    states: Sequence[InstalmentState]  # of each instalment
    charged: Money  # on its invoices since, which comes beside it


def spread(total: Money, months: int, today: date) -> list[Instalment]:
    """As it is offered: the first one is due in a week."""
    return divide(total, months, today + _FIRST)


def divide(total: Money, months: int, first: date) -> list[Instalment]:
    """Equal instalments, one a month; the first ones carry the cents that do not divide."""
    share, rest = divmod(total.minor, months)
    return [
        Instalment(_month_after(first, number), Money(share + (number < rest), total.currency))
        for number in range(months)
    ]


def offers(total: Money, creditor: Creditor, today: date) -> list[list[Instalment]]:
    """Up to three plans that the policy allows, the shortest first: none where the amount is too small to divide."""
    months = range(2, longest(total, creditor) + 1)
    chosen = sorted({months[0], months[len(months) // 2], months[-1]}) if months else []
    return [spread(total, number, today) for number in chosen[:_OFFERED]]


def longest(total: Money, creditor: Creditor) -> int:
    """In how many instalments the policy allows it to be paid at most; below two it cannot be divided."""
    return min(creditor.plans.max_months, total.minor // max(creditor.min_instalment.minor, 1))


def needs_agent(total: Money, creditor: Creditor) -> bool:
    """Above this amount a person decides."""
    return Money.parse(str(creditor.plans.agent_above)) < total


class Plans:
    """`holding` says whether a hold protects a debtor."""

    def __init__(self, database: Database, clock: Clock, holding: Holding) -> None:
        self._database = database
        self._clock = clock
        self._holding = holding

    async def agree(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        instalments: Sequence[Instalment],
        *,
        key: str,
        creditor: Creditor,
    ) -> Plan:
        """Put a plan into force; what was promised before is replaced. The same key: the same plan.

        Raises BadInput where the instalments are not what is open or are none of the policy's, Conflict where another
        plan runs.
        """
        now = self._clock.now()
        today = now.astimezone(creditor.zone).date()
        total = Money(sum(each.amount.minor for each in instalments), instalments[0].amount.currency)
        async with self._database.begin() as tx:
            if agreed := await _one(tx, plan.c.cause == key):
                return agreed
            owed = sum((await open_amounts(tx, invoices)).values())
            allowed = [spread(total, len(offer), today) for offer in offers(total, creditor, today)]
            if owed != total.minor or needs_agent(total, creditor) or list(instalments) not in allowed:
                raise BadInput("this plan is not what is open, or not within the policy")
            return await _start(tx, conversation, debtor, invoices, instalments, key, creditor, now)

    async def arrange(
        self,
        agent: Agent,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        months: int,
        first: date,
        *,
        key: str,
        creditor: Creditor,
    ) -> Plan:
        """An agent puts a plan over all that is open into force, whatever the policy lets the bot; the debtor is told.

        Raises BadInput for fewer than 2 or more than 60 instalments, for a first day in the past or later than two
        months from now, and where nothing is open; Conflict where another plan runs.
        """
        now = self._clock.now()
        today = now.astimezone(creditor.zone).date()
        if not 2 <= months <= MOST or not today <= first <= today + LATEST:
            raise BadInput("these are no instalments")
        async with self._database.begin() as tx:
            if agreed := await _one(tx, plan.c.cause == key):
                return agreed
            total = Money(sum((await open_amounts(tx, invoices)).values()))
            if total.minor < months:
                raise BadInput("there is nothing to divide")
            table = divide(total, months, first)
            made = await _start(tx, conversation, debtor, invoices, table, key, creditor, now)
            await record(tx, agent, "plan_arranged", made.id, now, {"months": months})
            await emit(tx, PLAN_ARRANGED, {"plan_id": made.id}, now)
            return made

    async def end(self, agent: Agent, debtor: DebtorId) -> None:
        """An agent ends the plan that runs; what is left of it is owed as before. Twice is once."""
        now = self._clock.now()
        ours = (plan.c.debtor_id == debtor, plan.c.creditor_id == agent.creditor, plan.c.state == PlanState.AGREED)
        async with self._database.begin() as tx:
            key = await tx.scalar(select(plan.c.id).where(*ours))
            if key is not None and await _end(tx, key, PlanState.ENDED, now):
                await record(tx, agent, "plan_ended", key, now)

    async def current(self, debtor: DebtorId) -> Plan | None:
        """The plan that runs."""
        async with self._database.read() as connection:
            return await _one(connection, plan.c.debtor_id == debtor, plan.c.state == PlanState.AGREED)

    async def run_due(self, creditor: Creditor) -> int:
        """See what was paid, announce what is due, notice what was missed; for the scheduler. The plans that ended."""
        now = self._clock.now()
        running = select(plan).where(plan.c.creditor_id == CreditorKey(creditor.key), plan.c.state == PlanState.AGREED)
        async with self._database.read() as tx:
            rows = (await tx.execute(running.order_by(plan.c.id))).all()
        return await look_at(self._database, rows, partial(self._look, creditor=creditor, now=now), "plan")

    async def mend(self, debtor: DebtorId) -> int:
        """Money was booked for this debtor: a plan that broke only as a bank told late goes on. How many.

        Not where another one runs, or a promise.
        """
        now = self._clock.now()
        broken = select(plan).where(plan.c.debtor_id == debtor, plan.c.state == PlanState.BROKEN)
        mended = 0
        async with self._database.begin() as tx:
            await tx.execute(select(debtors.c.id).where(debtors.c.id == debtor).with_for_update())
            for row in (await tx.execute(broken.order_by(plan.c.created_at.desc(), plan.c.id))).all():
                creditor = await creditor_of(tx, row.creditor_id)
                if await agreed_on(tx, debtor) or not await in_time(tx, row, creditor):
                    continue
                goes_on = {"state": PlanState.AGREED, "ended_at": None, "resumed_at": now}
                await tx.execute(update(plan).where(plan.c.id == row.id).values(goes_on))
                if creditor.plans.stops_costs:
                    invoices = [InvoiceId(key) for key in row.invoices]
                    await spare(tx, creditor, invoices, row.ended_at, f"plan-{row.id}", now)
                await emit(tx, PLAN_RESUMED, {"plan_id": row.id}, now)
                mended += 1
        return mended

    async def _look(self, tx: AsyncConnection, row: Any, *, creditor: Creditor, now: datetime) -> bool:
        owed = await agreed_open(tx, [InvoiceId(key) for key in row.invoices], row.created_at)
        paid, today, reached = row.total - owed, now.astimezone(creditor.zone).date(), 0
        who = DebtorId(row.debtor_id)
        left_alone, again = await waiting(tx, who, self._holding), await _again(tx, row, creditor)
        parts = select(instalment).where(instalment.c.plan_id == row.id).order_by(instalment.c.number)
        for part in (await tx.execute(parts)).all():
            reached += part.amount
            payload = {"plan_id": row.id, "number": part.number}
            last = gracious(max(part.due_on, again or part.due_on), creditor)
            if part.state == InstalmentState.PAID:
                continue
            if paid >= reached:
                await _turn(tx, part, InstalmentState.PAID)
            elif left_alone:
                continue
            elif today > last + _PATIENCE:
                return await _break(tx, row, now)
            elif today > last:
                if await _turn(tx, part, InstalmentState.MISSED):
                    await emit(tx, INSTALMENT_MISSED, payload, now)
            elif today >= part.due_on - _AHEAD and await _turn(tx, part, InstalmentState.ANNOUNCED):
                await emit(tx, INSTALMENT_DUE, payload, now)
        return owed <= 0 and await _end(tx, row.id, PlanState.KEPT, now)


async def in_time(tx: AsyncConnection, row: Any, creditor: Creditor) -> bool:
    """Whether a plan that broke (a row) had been paid: each part that was due, before it breaks a plan."""
    broke = row.ended_at.astimezone(creditor.zone).date()
    again = await _again(tx, row, creditor)
    again = again if again is not None and again < broke else None
    invoices = [InvoiceId(key) for key in row.invoices]
    paid = await paid_days(tx, invoices, row.created_at, creditor.zone)
    parts = select(instalment).where(instalment.c.plan_id == row.id).order_by(instalment.c.number)
    reached = 0
    for part in (await tx.execute(parts)).all():
        last = gracious(max(part.due_on, again or part.due_on), creditor) + _PATIENCE
        if last >= broke:
            break
        reached += part.amount
        if sum(minor for day, minor in paid if day <= last) < reached:
            return False
    return reached > 0


async def _again(tx: AsyncConnection, row: Any, creditor: Creditor) -> date | None:
    """The day from which its days count anew: somebody had been left alone, or it had been taken for broken."""
    resumed_on = row.resumed_at.astimezone(creditor.zone).date() if row.resumed_at else None
    days = (resumed_on, await resumed(tx, DebtorId(row.debtor_id), creditor))
    return max((day for day in days if day is not None), default=None)


async def _start(
    tx: AsyncConnection,
    conversation: ConversationId,
    debtor: DebtorId,
    invoices: Sequence[InvoiceId],
    instalments: Sequence[Instalment],
    key: str,
    creditor: Creditor,
    now: datetime,
) -> Plan:
    """What was promised before is replaced. Raises Conflict where another plan runs."""
    values = {
        "id": new_id(),
        "creditor_id": creditor.key,
        "debtor_id": debtor,
        "conversation_id": conversation,
        "cause": key,
        "state": PlanState.AGREED,
        "currency": instalments[0].amount.currency,
        "total": sum(each.amount.minor for each in instalments),
        "invoices": list(invoices),
        "created_at": now,
    }
    if await insert_once(tx, plan, **values):
        rows = [
            {
                "plan_id": values["id"],
                "number": number,
                "due_on": each.due,
                "amount": each.amount.minor,
                "state": InstalmentState.DUE,
            }
            for number, each in enumerate(instalments, 1)
        ]
        await tx.execute(insert(instalment), rows)
        await replace(tx, debtor, now)
    if agreed := await _one(tx, plan.c.cause == key):
        return agreed
    raise Conflict("another plan runs")


async def _break(tx: AsyncConnection, row: Any, now: datetime) -> bool:
    broken = await _end(tx, row.id, PlanState.BROKEN, now)
    if broken:
        await emit(tx, PLAN_BROKEN, {"plan_id": row.id}, now)
    return broken


async def _end(tx: AsyncConnection, key: str, state: PlanState, now: datetime) -> bool:
    guarded = update(plan).where(plan.c.id == key, plan.c.state.in_(sources(PLAN, state)))
    ended: CursorResult[Any] = await tx.execute(guarded.values(state=state, ended_at=now))
    return ended.rowcount == 1


async def _turn(tx: AsyncConnection, part: Any, state: InstalmentState) -> bool:
    guarded = update(instalment).where(
        instalment.c.plan_id == part.plan_id,
        instalment.c.number == part.number,
        instalment.c.state.in_(sources(INSTALMENT, state)),
    )
    turned: CursorResult[Any] = await tx.execute(guarded.values(state=state))
    return turned.rowcount == 1


async def _one(tx: AsyncConnection, *where: Any) -> Plan | None:
    row = (await tx.execute(select(plan).where(*where).limit(1))).one_or_none()
    if row is None:
        return None
    query = select(instalment).where(instalment.c.plan_id == row.id).order_by(instalment.c.number)
    parts = (await tx.execute(query)).all()
    invoices = [InvoiceId(key) for key in row.invoices]
    return Plan(
        id=row.id,
        debtor=DebtorId(row.debtor_id),
        state=PlanState(row.state),
        instalments=[Instalment(part.due_on, Money(part.amount, row.currency)) for part in parts],
        invoices=invoices,
        states=[InstalmentState(part.state) for part in parts],
        charged=Money(await charged_since(tx, invoices, row.created_at), row.currency),
    )


def _month_after(first: date, months: int) -> date:
    year, month = divmod(first.month - 1 + months, 12)
    year += first.year
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))
