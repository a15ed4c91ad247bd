"""Promises to pay on a date: made within the creditor's policy, kept or broken, and meanwhile nobody reminds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, Exists, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.charges import agreed_open, spare
from billing.claims import claiming
from billing.creditors import creditor_of
from billing.patience import Holding, gracious, paid_days, resumed, waiting
from billing.rounds import look_at
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import ConversationId, CreditorKey, DebtorId, InvoiceId, new_id
from core.lifecycle import PROMISE, PlanState, PromiseState, sources
from store.database import Database
from store.events import PROMISE_BROKEN, emit
from store.tables.money import plan, promise
from store.tables.people import debtor as debtors
from store.upsert import insert_once


@dataclass(frozen=True, slots=True)
class Promise:
    id: str
    debtor: DebtorId
    until: date
    invoices: Sequence[InvoiceId]
    state: PromiseState


def latest(creditor: Creditor, today: date) -> date:
    """The last day that may be promised."""
    return today + timedelta(days=creditor.promises.max_days)


class Promises:
    """`holding` says whether a hold protects a debtor."""

    def __init__(self, database: Database, clock: Clock, holding: Holding) -> None:
        self._database = database
        self._clock = clock
        self._holding = holding

    async def make(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        until: date,
        *,
        key: str,
        creditor: Creditor,
    ) -> Promise:
        """These invoices will be paid in full by that day; an earlier promise is replaced. The same key: the same one.

        Raises BadInput for no invoice, and for a day in the past or later than the policy allows.
        """
        now = self._clock.now()
        today = now.astimezone(creditor.zone).date()
        if not invoices or not today <= until <= latest(creditor, today):
            raise BadInput("this cannot be promised")
        async with self._database.begin() as tx:
            values = {
                "id": new_id(),
                "creditor_id": creditor.key,
                "debtor_id": debtor,
                "conversation_id": conversation,
                "cause": key,
                "state": PromiseState.MADE,
                "until": until,
                "invoices": list(invoices),
                "created_at": now,
            }
            same = select(promise).where(promise.c.cause == key)
            # Two at once would replace each other.
            await tx.execute(select(debtors.c.id).where(debtors.c.id == debtor).with_for_update())
            if (await tx.execute(same)).one_or_none() is None:
                await replace(tx, debtor, now)
                await insert_once(tx, promise, **values)
            return _promise((await tx.execute(same)).one())

    async def current(self, debtor: DebtorId) -> Promise | None:
        query = select(promise).where(promise.c.debtor_id == debtor, promise.c.state == PromiseState.MADE)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(promise.c.created_at.desc()).limit(1))).one_or_none()
        return None if row is None else _promise(row)

    async def run_due(self, creditor: Creditor) -> int:
        """See which promises were kept, and which were broken; for the scheduler. How many were settled."""
        now = self._clock.now()
        made = select(promise).where(
            promise.c.creditor_id == CreditorKey(creditor.key), promise.c.state == PromiseState.MADE
        )
        async with self._database.read() as tx:
            rows = (await tx.execute(made.order_by(promise.c.id))).all()
        return await look_at(self._database, rows, partial(self._look, creditor=creditor, now=now), "promise")

    async def mend(self, debtor: DebtorId) -> int:
        """Money was booked for this debtor: a promise that a bank told late of was kept after all. How many."""
        now = self._clock.now()
        broken = select(promise).where(promise.c.debtor_id == debtor, promise.c.state == PromiseState.BROKEN)
        mended = 0
        async with self._database.begin() as tx:
            for row in (await tx.execute(broken.order_by(promise.c.id))).all():
                creditor = await creditor_of(tx, row.creditor_id)
                if await in_time(tx, row, creditor) and await _end(tx, row.id, PromiseState.KEPT, now):
                    mended += 1
                    if creditor.promises.stops_costs:
                        invoices = [InvoiceId(key) for key in row.invoices]
                        await spare(tx, creditor, invoices, row.ended_at, f"promise-{row.id}", now)
        return mended

    async def _look(self, tx: AsyncConnection, row: Any, *, creditor: Creditor, now: datetime) -> bool:
        if await agreed_open(tx, [InvoiceId(key) for key in row.invoices], row.created_at) <= 0:
            return await _end(tx, row.id, PromiseState.KEPT, now)
        who, today = DebtorId(row.debtor_id), now.astimezone(creditor.zone).date()
        if today <= gracious(row.until, creditor) or await waiting(tx, who, self._holding):
            return False
        again = await resumed(tx, who, creditor)
        if again is not None and today <= gracious(again, creditor):
            return False
        broken = await _end(tx, row.id, PromiseState.BROKEN, now)
        if broken:
            await emit(tx, PROMISE_BROKEN, {"promise_id": row.id}, now)
        return broken


async def in_time(tx: AsyncConnection, row: Any, creditor: Creditor) -> bool:
    """Whether what was promised (a row) was paid by its day, whenever we heard of it."""
    invoices = [InvoiceId(key) for key in row.invoices]
    if await agreed_open(tx, invoices, row.created_at) > 0:
        return False
    paid = await paid_days(tx, invoices, row.created_at, creditor.zone)
    return all(day <= row.until for day, minor in paid if minor > 0)


async def pausing(tx: AsyncConnection, debtor: DebtorId) -> bool:
    """Whether a promise or a plan stops reminders until it is kept or broken, or a claim to have paid."""
    return await agreed_on(tx, debtor) or await claiming(tx, debtor)


async def agreed_on(tx: AsyncConnection, debtor: DebtorId) -> bool:
    """Whether a promise or a plan runs."""
    return bool(await tx.scalar(select(or_(*_running(debtor)))))


async def sparing(tx: AsyncConnection, debtor: DebtorId, creditor: Creditor) -> bool:
    """Whether a promise or a plan stops costs until it is kept or broken, as the creditor's policy says."""
    promised, planned = _running(debtor)
    stops = [each for each, policy in ((promised, creditor.promises), (planned, creditor.plans)) if policy.stops_costs]
    return bool(stops and await tx.scalar(select(or_(*stops))))


def _running(debtor: DebtorId) -> tuple[Exists, Exists]:
    """A promise, a plan."""
    promised = exists().where(promise.c.debtor_id == debtor, promise.c.state == PromiseState.MADE)
    return promised, exists().where(plan.c.debtor_id == debtor, plan.c.state == PlanState.AGREED)


async def replace(tx: AsyncConnection, debtor: DebtorId, now: datetime) -> None:
    """Another agreement takes the place of what was promised."""
    others = update(promise).where(
        promise.c.debtor_id == debtor,
        promise.c.state.in_(sources(PROMISE, PromiseState.REPLACED)),
    )
    await tx.execute(others.values(state=PromiseState.REPLACED, ended_at=now))


async def _end(tx: AsyncConnection, key: str, state: PromiseState, now: datetime) -> bool:
    guarded = update(promise).where(promise.c.id == key, promise.c.state.in_(sources(PROMISE, state)))
    ended: CursorResult[Any] = await tx.execute(guarded.values(state=state, ended_at=now))
    return ended.rowcount == 1


def _promise(row: Any) -> Promise:
    return Promise(
        id=row.id,
        debtor=DebtorId(row.debtor_id),
        until=row.until,
        invoices=[InvoiceId(key) for key in row.invoices],
        state=PromiseState(row.state),
    )
