"""Payments: started once, settled once, from wherever the news comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import CursorResult, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.attribution import book_payment
from billing.creditors import creditor_of
from billing.invoices import numbers_of_links, numbers_paid_by
from billing.links import Link, NotPayable, Standing, due_on, link_of, mark, standing
from billing.methods import TRANSFER, offered
from billing.returns import book_returns
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput, NotFound, PaymentFailed
from core.ids import DebtorId, new_id
from core.lifecycle import PAYMENT, LinkState, PaymentStatus, sources
from core.message import Locale
from core.money import Money
from core.payment import PaymentOrder, PaymentProvider, PaymentState, ProviderPayment
from store.database import Database
from store.events import PAYMENT_BOOKED, PAYMENT_FAILED, emit
from store.tables.money import payment, payment_link, payment_link_invoice
from store.upsert import insert_once

log = structlog.get_logger(__name__)

_UNFINISHED = (PaymentStatus.OPEN, PaymentStatus.PENDING)
_ENDED_UNPAID = (PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
# A payment that has failed may succeed after all; providers say so within this time.
_LATE = timedelta(days=1)
_RECENT = 5


@dataclass(frozen=True, slots=True)
class PaidPayment:
    amount: Money
    paid_at: datetime
    invoices: list[str]  # their numbers


@dataclass(frozen=True, slots=True)
class PendingPayment:
    amount: Money
    since: datetime
    method: str | None
    invoices: list[str]


@dataclass(frozen=True, slots=True)
class Outlook:
    """A link, what it may collect now, and how its last payment went."""

    link: Link
    due: Money
    standing: Standing
    last: PaymentStatus | None
    methods: Sequence[str]  # what this debtor is offered, the last one used first


class Payments:
    """`providers` by name; `public_url` is where payers and providers come back to."""

    def __init__(
        self, database: Database, clock: Clock, providers: Mapping[str, PaymentProvider], public_url: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._public_url = public_url.rstrip("/")

    async def outlook(self, link: Link) -> Outlook:
        async with self._database.read() as connection:
            return await self._outlook(connection, link)

    async def start(self, link: Link, method: str, locale: Locale) -> str:
        """The provider's checkout address; a double click or a second tab gets the same one.

        Raises BadInput for a method that the creditor does not offer here, NotPayable, PaymentFailed.
        """
        await self.refresh(link)  # what was paid a moment ago must not be collected again
        now = self._clock.now()
        async with self._database.begin() as tx:
            creditor = await creditor_of(tx, link.creditor)
            if method not in await offered(tx, creditor, link.debtor, now) or method == TRANSFER:
                raise BadInput("this creditor does not offer that method here")
            row = await self._row(tx, link, creditor, method, now)
        if row.checkout_url:
            return str(row.checkout_url)
        created = await self._create(row, link, creditor, locale)
        async with self._database.begin() as tx:
            known = update(payment).where(payment.c.id == row.id, payment.c.external_id.is_(None))
            await tx.execute(known.values(external_id=created.external_id, checkout_url=created.checkout_url))
            await mark(tx, link.id, LinkState.STARTED, now)
            # Two clicks may have made two payments at a provider without idempotency keys: everyone goes to the first.
            ours = select(payment.c.checkout_url).where(payment.c.id == row.id)
            return str((await tx.execute(ours)).scalar_one())

    async def settle(self, provider: str, account: str, external_id: str) -> PaymentStatus | None:
        """Fetch the truth about a payment and book it once, however often and from wherever this is called.

        None for a payment that is not this account's. Raises PaymentFailed where the provider cannot be asked.
        """
        query = select(payment).where(
            payment.c.creditor_id == account,
            payment.c.provider == provider,
            or_(payment.c.external_id == external_id, payment.c.alias == external_id),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or provider not in self._providers:
            return None
        asked_at = self._clock.now()
        try:
            state = await self._providers[provider].fetch(account, row.external_id)
        except NotFound:
            log.warning("payment.unknown_to_provider", payment=row.id)
            return PaymentStatus(row.status)
        async with self._database.begin() as tx:
            changed = await self._apply(tx, row.id, state, asked_at)
        if changed:
            log.info("payment.settled", payment=row.id, status=state.status)
        return state.status

    async def refresh(self, link: Link) -> None:
        """Settle what is unfinished on this link, and on others over the same invoices.

        A provider that cannot be asked is logged: what it knows comes by webhook or poll.
        """
        async with self._database.read() as connection:
            rows = list(await connection.execute(_touching(link)))
        for row in rows:
            if row.external_id:
                await self._settle_or_log(row)

    async def poll_open(self) -> int:
        """Ask about payments that no webhook has finished; for the scheduler. How many were asked about."""
        now = self._clock.now()
        unfinished = or_(
            payment.c.status.in_(_UNFINISHED),
            and_(payment.c.status.in_(_ENDED_UNPAID), payment.c.created_at > now - _LATE),
        )
        async with self._database.read() as connection:
            rows = list(await connection.execute(select(payment).where(unfinished)))
        asked = 0
        for row in rows:
            if row.external_id is None:
                await self._forget(row, now)
            elif row.checked_at is None or now - row.checked_at >= poll_after(now - row.created_at):
                await self._settle_or_log(row)
                asked += 1
        return asked

    async def recent_of(self, debtor: DebtorId) -> list[PaidPayment]:
        """The last payments that were booked, less what went back, the newest first."""
        async with self._database.read() as connection:
            kept = payment.c.amount - payment.c.refunded - payment.c.charged_back
            query = _of(debtor).where(payment.c.status == PaymentStatus.PAID, kept > 0)
            rows = list(await connection.execute(query.order_by(payment.c.paid_at.desc()).limit(_RECENT)))
            numbers = await numbers_paid_by(connection, [row.id for row in rows])
        return [
            PaidPayment(
                Money(row.amount - row.refunded - row.charged_back, row.currency), row.paid_at, numbers.get(row.id, [])
            )
            for row in rows
        ]

    async def pending_of(self, debtor: DebtorId) -> list[PendingPayment]:
        """The payments that are under way: made by the payer, not yet certain."""
        async with self._database.read() as connection:
            query = _of(debtor).where(payment.c.status == PaymentStatus.PENDING)
            rows = list(await connection.execute(query.order_by(payment.c.created_at)))
            numbers = await numbers_of_links(connection, [row.link_id for row in rows])
        return [
            PendingPayment(Money(row.amount, row.currency), row.created_at, row.method, numbers.get(row.link_id, []))
            for row in rows
        ]

    async def methods_of(self, creditor: Creditor, debtor: DebtorId) -> Sequence[str]:
        """What this debtor may pay with, the last one used first."""
        async with self._database.read() as connection:
            return await offered(connection, creditor, debtor, self._clock.now())

    async def _outlook(self, tx: AsyncConnection, link: Link) -> Outlook:
        due = await due_on(tx, link)
        touching = list(await tx.execute(_touching(link)))
        pending = any(row.status == PaymentStatus.PENDING for row in touching)
        newest = select(payment.c.status).where(payment.c.link_id == link.id, payment.c.external_id.is_not(None))
        last = (await tx.execute(newest.order_by(payment.c.created_at.desc(), payment.c.id.desc()).limit(1))).scalar()
        good_for = standing(link, due, self._clock.now(), pending=pending)
        creditor = await creditor_of(tx, link.creditor)
        methods = await offered(tx, creditor, link.debtor, self._clock.now())
        return Outlook(link, due, good_for, None if last is None else PaymentStatus(last), methods)

    async def _row(self, tx: AsyncConnection, link: Link, creditor: Creditor, method: str, now: datetime) -> Any:
        """The payment that this click stands for: the open one of the same method and amount, else a new one."""
        locked = select(payment_link).where(payment_link.c.id == link.id).with_for_update()
        outlook = await self._outlook(tx, link_of((await tx.execute(locked)).one()))
        if outlook.standing is not Standing.PAYABLE:
            raise NotPayable(outlook.standing)
        of_link = list(await tx.execute(select(payment).where(payment.c.link_id == link.id)))
        cause = f"{link.id}:{method}:{outlook.due.minor}:"
        for row in of_link:
            if row.status == PaymentStatus.OPEN and row.cause.startswith(cause):
                return row
        values = {
            "id": new_id(),
            "creditor_id": creditor.key,
            "link_id": link.id,
            "provider": creditor.payments.provider,
            "cause": f"{cause}{len(of_link)}",
            "currency": outlook.due.currency,
            "amount": outlook.due.minor,
            "status": PaymentStatus.OPEN,
            "method": method,
            "created_at": now,
        }
        await insert_once(tx, payment, **values)
        return (await tx.execute(select(payment).where(payment.c.cause == values["cause"]))).one()

    async def _create(self, row: Any, link: Link, creditor: Creditor, locale: Locale) -> ProviderPayment:
        provider = self._providers.get(row.provider)
        if provider is None:
            raise PaymentFailed("no_provider", retryable=False)
        order = PaymentOrder(
            account=creditor.key,
            amount=Money(row.amount, row.currency),
            reference=link.reference,
            description=f"{creditor.name} {link.reference}",
            return_url=f"{self._public_url}/p/{link.token}/return?lang={locale}",
            webhook_url=f"{self._public_url}/webhooks/{row.provider}/{creditor.key}",
            locale=locale,
            method=row.method,
        )
        try:
            # A provider takes no other request under a key that it knows, and the language is a part of the request.
            return await provider.create(order, key=f"{row.cause}:{locale}")
        except PaymentFailed as failed:
            log.warning("payment.not_created", payment=row.id, code=failed.code, retryable=failed.retryable)
            if not failed.retryable:  # the next click starts afresh, with a new key
                async with self._database.begin() as tx:
                    await move(tx, row.id, {"status": PaymentStatus.FAILED})
            raise

    async def _apply(self, tx: AsyncConnection, key: str, state: PaymentState, asked_at: datetime) -> bool:
        """Record what the provider said when it was asked; True where that was new."""
        now = self._clock.now()
        row = await _locked(tx, key)
        values = {
            "status": state.status,
            "checked_at": now,
            "method": state.method or row.method,
            "alias": state.alias or row.alias,
        }
        if state.status is PaymentStatus.PAID:
            values |= {
                "paid_at": state.paid_at or now,
                "amount": state.amount.minor,
                "currency": state.amount.currency,
            }
        if not await move(tx, row.id, values):
            await tx.execute(update(payment).where(payment.c.id == row.id).values(checked_at=now))
            # Somebody who asked later has been faster: what we heard may be old.
            overtaken = row.checked_at is not None and row.checked_at > asked_at
            return row.status == PaymentStatus.PAID and not overtaken and await book_returns(tx, row, state, now)
        if state.status is PaymentStatus.PAID:
            await booked(tx, row, state.amount, now)
            await book_returns(tx, await _locked(tx, row.id), state, now)
        elif state.status in _ENDED_UNPAID and await _wanted(tx, row.link_id):
            await mark(tx, row.link_id, LinkState.FAILED, now)
            if state.status is not PaymentStatus.EXPIRED:  # a checkout that was left alone is no news
                await emit(tx, PAYMENT_FAILED, {"payment_id": row.id, "link_id": row.link_id}, now)
        return True

    async def _settle_or_log(self, row: Any) -> None:
        try:
            await self.settle(row.provider, row.creditor_id, row.external_id)
        except PaymentFailed as failed:
            log.warning("payment.not_fetched", payment=row.id, code=failed.code)
        except Exception as error:  # whatever one payment brings up, the others are asked about
            log.exception("payment.not_settled", payment=row.id, error=type(error).__name__)

    async def _forget(self, row: Any, now: datetime) -> None:
        """A payment that the provider never confirmed has shown nobody a checkout: after a day it is over."""
        if now - row.created_at > _LATE:
            async with self._database.begin() as tx:
                await move(tx, row.id, {"status": PaymentStatus.EXPIRED})


def poll_after(age: timedelta) -> timedelta:
    """How long to wait before asking again about a payment of this age: often while the payer is there."""
    if age < timedelta(minutes=15):
        return timedelta(seconds=30)
    return timedelta(minutes=15) if age < timedelta(days=1) else timedelta(hours=6)


async def booked(tx: AsyncConnection, row: Any, paid: Money, now: datetime) -> None:
    """What follows when a payment has just become paid, whoever said so: its booking, its link, and the news of it.

    A link of which a part was paid stays as it is.
    """
    link = link_of((await tx.execute(select(payment_link).where(payment_link.c.id == row.link_id))).one())
    await book_payment(tx, row, paid, now)
    if paid.currency != link.amount.currency or not await due_on(tx, link):
        await mark(tx, link.id, LinkState.PAID, now)
    await emit(tx, PAYMENT_BOOKED, {"payment_id": row.id, "link_id": row.link_id}, now)


async def _wanted(tx: AsyncConnection, key: str) -> bool:
    """Whether a payment by this link was still to come: where nothing is due any more, none that ends is news."""
    link = link_of((await tx.execute(select(payment_link).where(payment_link.c.id == key))).one())
    return link.state is not LinkState.REVOKED and bool(await due_on(tx, link))


async def move(tx: AsyncConnection, key: str, values: Mapping[str, Any]) -> bool:
    """Change a payment's row, where its lifecycle leads to the new status; False where it does not."""
    guarded = update(payment).where(payment.c.id == key, payment.c.status.in_(sources(PAYMENT, values["status"])))
    moved: CursorResult[Any] = await tx.execute(guarded.values(**values))
    return moved.rowcount == 1


async def _locked(tx: AsyncConnection, key: str) -> Any:
    return (await tx.execute(select(payment).where(payment.c.id == key).with_for_update())).one()


def _touching(link: Link) -> Any:
    """The unfinished payments of this link, and of others over the same invoices."""
    ours = select(payment_link_invoice.c.invoice_id).where(payment_link_invoice.c.link_id == link.id)
    links = select(payment_link_invoice.c.link_id).where(payment_link_invoice.c.invoice_id.in_(ours))
    return select(payment).where(payment.c.link_id.in_(links), payment.c.status.in_(_UNFINISHED))


def _of(debtor: DebtorId) -> Any:
    return select(payment).join(payment_link).where(payment_link.c.debtor_id == debtor)
