"""Paying back what was paid too much: asked of the provider once, booked when it says that the money has gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import credit_of
from billing.methods import TRANSFER
from core.agent import Agent, NotAllowed, Right
from core.clock import Clock
from core.errors import BadInput, NotFound, PaymentFailed
from core.ids import DebtorId, new_id
from core.lifecycle import REFUND, PaymentStatus, RefundState, sources
from core.money import Money
from core.payment import PaymentProvider
from store.audit import record
from store.database import Database
from store.tables.money import payment, payment_link, refund
from store.tables.people import debtor as debtors
from store.upsert import insert_once

log = structlog.get_logger(__name__)

_UNDER_WAY = (RefundState.ASKED, RefundState.TAKEN)
# How long the provider may leave open whether the money has gone; then somebody looks there.
_PATIENCE = {RefundState.ASKED: timedelta(days=1), RefundState.TAKEN: timedelta(days=10)}
_OFTEN = timedelta(hours=1)
# Within this time a refund that was given up on is taken for one of the same amount that the provider tells of.
_LATE = timedelta(days=1)


class TooMuch(BadInput):
    """No more can be paid back than `most`: what the payment still holds, and what is the debtor's credit."""

    def __init__(self, most: Money) -> None:
        super().__init__(f"at most {most.decimal} {most.currency} can be paid back")
        self.most = most


class ByHand(BadInput):
    """A bank transfer cannot be paid back from here: transfer the amount from the creditor's own bank account."""


class Settling(Protocol):
    async def settle(self, provider: str, account: str, external_id: str) -> PaymentStatus | None:
        """Fetch the truth about a payment, and book it. Raises PaymentFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Refund:
    amount: Money
    state: RefundState
    code: str | None  # the provider's, where it refused
    at: datetime


class Refunds:
    def __init__(
        self, database: Database, clock: Clock, providers: Mapping[str, PaymentProvider], payments: Settling
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._payments = payments

    async def ask(self, agent: Agent, debtor: DebtorId, key: str, amount: Money, *, cause: str) -> RefundState:
        """Pay back this much of the payment with this key to whoever paid; the same `cause`: once.

        Raises NotAllowed for a role that pays nothing back, NotFound for another debtor's payment, TooMuch, ByHand.
        """
        if not agent.may(Right.REFUND):
            raise NotAllowed("refund")
        now = self._clock.now()
        async with self._database.begin() as tx:
            # Two at once would both find the same credit.
            await tx.execute(select(debtors.c.id).where(debtors.c.id == debtor).with_for_update())
            row = (await tx.execute(_paid(debtor).where(payment.c.id == key))).one_or_none()
            if row is None or row.creditor_id != agent.creditor:
                raise NotFound("there is no such payment")
            made = (await tx.execute(select(refund).where(refund.c.cause == cause))).one_or_none()
            if made is not None:
                return RefundState(made.state)
            if row.provider == TRANSFER:
                raise ByHand
            most = await refundable(tx, row, debtor)
            if amount.currency != most.currency or not 0 < amount.minor <= most.minor:
                raise TooMuch(most)
            values = {"creditor_id": row.creditor_id, "payment_id": key, "cause": cause, "agent_id": agent.id}
            money = {"currency": amount.currency, "amount": amount.minor}
            asked = new_id()
            await insert_once(tx, refund, id=asked, **values, **money, state=RefundState.ASKED, created_at=now)
            await record(tx, agent, "refund", asked, now, {"payment": key, "amount": amount.minor})
        return await self._ask(row, asked, amount)

    async def run_due(self) -> int:
        """Look what became of those under way, hourly, and give up on those that nobody hears of; for the scheduler.

        How many were given up.
        """
        now = self._clock.now()
        waiting = (
            select(refund, payment.c.provider, payment.c.external_id.label("paid"), payment.c.checked_at)
            .join(payment, payment.c.id == refund.c.payment_id)
            .where(refund.c.state.in_(_UNDER_WAY))
            .order_by(refund.c.created_at)
        )
        async with self._database.read() as tx:
            rows = (await tx.execute(waiting)).all()
        given_up = 0
        for row in rows:
            if row.checked_at is not None and now - row.checked_at < _OFTEN:
                continue
            if await self._settled(row.provider, row.creditor_id, row.paid) and (
                now - row.created_at > _PATIENCE[RefundState(row.state)]
            ):
                async with self._database.begin() as tx:
                    given_up += await _move(tx, row.id, RefundState.REFUSED, now, code="not_seen")
        return given_up

    async def _ask(self, row: Any, asked: str, amount: Money) -> RefundState:
        """`row` is the payment's. Whatever the provider answers, what has gone is what it then says of the payment."""
        state, external_id = RefundState.REFUSED, None
        code: str | None = "no_provider"
        provider = self._providers.get(row.provider)
        if provider is not None:
            try:
                made = await provider.refund(row.creditor_id, row.external_id, amount, key=f"refund:{asked}")
                code = "refused" if made.state is RefundState.REFUSED else None
                state, external_id = made.state, made.external_id
            except NotFound:
                code = "not_found"
            except PaymentFailed as failed:
                state, code = RefundState.ASKED if failed.retryable else RefundState.REFUSED, failed.code
        async with self._database.begin() as tx:
            row_of_it = update(refund).where(refund.c.id == asked)
            await tx.execute(row_of_it.values(external_id=external_id))
            ended = self._clock.now() if state is RefundState.REFUSED else None
            # The payment may have said already that it has gone.
            unheard = row_of_it.where(refund.c.state == RefundState.ASKED)
            await tx.execute(unheard.values(state=state, code=code, ended_at=ended))
        log.info("refund.asked", refund=asked, state=state, code=code)
        await self._settled(row.provider, row.creditor_id, row.external_id)
        async with self._database.read() as tx:
            return RefundState((await tx.execute(select(refund.c.state).where(refund.c.id == asked))).scalar_one())

    async def _settled(self, provider: str, account: str, external_id: str) -> bool:
        """Fetch the truth; False where the provider cannot be asked now."""
        try:
            return await self._payments.settle(provider, account, external_id) is not None
        except PaymentFailed as failed:
            log.warning("refund.not_fetched", provider=provider, code=failed.code)
            return False


async def refundable(tx: AsyncConnection, row: Any, debtor: DebtorId) -> Money:
    """How much of this payment (a row) can be paid back: of what it still holds, what is the debtor's credit.

    Less what is under way already.
    """
    waiting = select(func.coalesce(func.sum(refund.c.amount), 0)).where(
        refund.c.state.in_(_UNDER_WAY), refund.c.currency == row.currency
    )
    own = int((await tx.execute(waiting.where(refund.c.payment_id == row.id))).scalar_one())
    theirs = waiting.where(refund.c.payment_id.in_(_paid(debtor).with_only_columns(payment.c.id)))
    held = row.amount - row.refunded - row.charged_back - own
    credit = (await credit_of(tx, debtor, row.currency)).minor - int((await tx.execute(theirs)).scalar_one())
    return Money(max(0, min(held, credit)), row.currency)


async def refunds_of(tx: AsyncConnection, payments: Sequence[str]) -> dict[str, list[Refund]]:
    """Payment → its refunds that were asked for here, oldest first."""
    found: dict[str, list[Refund]] = {}
    query = select(refund).where(refund.c.payment_id.in_(payments)).order_by(refund.c.created_at, refund.c.id)
    for row in await tx.execute(query):
        made = Refund(Money(row.amount, row.currency), RefundState(row.state), row.code, row.created_at)
        found.setdefault(row.payment_id, []).append(made)
    return found


async def gone(tx: AsyncConnection, paid: str, minor: int, now: datetime) -> int:
    """The provider says that so much has gone from this payment: which of our refunds that is. What they come to."""
    ours = select(refund).where(refund.c.payment_id == paid).order_by(refund.c.created_at, refund.c.id)
    rows = (await tx.execute(ours.with_for_update())).all()
    waiting = [row for row in rows if row.state in _UNDER_WAY]
    waiting += [row for row in rows if row.state == RefundState.REFUSED and now - row.ended_at < _LATE]
    left = minor
    for row in waiting:
        fits = row.amount <= left if row.state in _UNDER_WAY else row.amount == left
        if fits and await _move(tx, row.id, RefundState.DONE, now):
            left -= row.amount
    return minor - left


async def came_back(tx: AsyncConnection, paid: str, minor: int, now: datetime) -> None:
    """So much has come back to this payment: the last refund of this amount did not reach its person."""
    of_amount = select(refund.c.id).where(
        refund.c.payment_id == paid, refund.c.amount == minor, refund.c.state == RefundState.DONE
    )
    last = await tx.scalar(of_amount.order_by(refund.c.created_at.desc(), refund.c.id.desc()).limit(1))
    if last is not None:
        await _move(tx, last, RefundState.REFUSED, now, code="came_back")


def _paid(debtor: DebtorId) -> Any:
    of_debtor: ColumnElement[bool] = payment_link.c.debtor_id == debtor
    joined = select(payment).join(payment_link, payment_link.c.id == payment.c.link_id)
    return joined.where(of_debtor, payment.c.status == PaymentStatus.PAID)


async def _move(tx: AsyncConnection, key: str, state: RefundState, now: datetime, code: str | None = None) -> bool:
    guarded = update(refund).where(refund.c.id == key, refund.c.state.in_(sources(REFUND, state)))
    ended = None if state in _UNDER_WAY else now
    moved: CursorResult[Any] = await tx.execute(guarded.values(state=state, code=code, ended_at=ended))
    return moved.rowcount == 1
