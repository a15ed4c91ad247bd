"""Checkouts that should take no money any more: closed at their provider, as far as it lets us.

What is paid in one all the same is booked as ever, and becomes credit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.links import due_on, link_of
from billing.payments import Payments
from core.clock import Clock
from core.errors import NotFound, PaymentFailed
from core.ids import LinkId
from core.lifecycle import PaymentStatus
from core.payment import Cancels, PaymentProvider
from store.database import Database
from store.events import CHECKOUT_OVER, emit
from store.tables.money import payment, payment_link, payment_link_invoice, posting

log = structlog.get_logger(__name__)


class Checkouts:
    def __init__(
        self, database: Database, clock: Clock, providers: Mapping[str, PaymentProvider], payments: Payments
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._payments = payments

    async def booked(self, payload: Mapping[str, Any]) -> None:
        """Less is owed: the checkouts of links on which nothing is due any more are over."""
        paid = select(posting.c.invoice_id).where(posting.c.booking_id == payload["booking_id"])
        over = select(payment_link_invoice.c.link_id).where(payment_link_invoice.c.invoice_id.in_(paid))
        waiting = select(payment.c.link_id).where(payment.c.link_id.in_(over), payment.c.status == PaymentStatus.OPEN)
        async with self._database.begin() as tx:
            links = (await tx.execute(select(payment_link).where(payment_link.c.id.in_(waiting)))).all()
            settled = [LinkId(row.id) for row in links if not await due_on(tx, link_of(row))]
            await self._leave(tx, settled)

    async def revoked(self, payload: Mapping[str, Any]) -> None:
        async with self._database.begin() as tx:
            await self._leave(tx, [LinkId(payload["link_id"])])

    async def over(self, payload: Mapping[str, Any]) -> None:
        """Ask the provider to close it, once; one that cannot, or will not, is logged."""
        async with self._database.read() as tx:
            row = (await tx.execute(select(payment).where(payment.c.id == payload["payment_id"]))).one()
        provider = self._providers.get(row.provider)
        if row.status != PaymentStatus.OPEN or not isinstance(provider, Cancels):
            return
        try:
            await provider.cancel(row.creditor_id, row.external_id)
            await self._payments.settle(row.provider, row.creditor_id, row.external_id)
        except (PaymentFailed, NotFound) as error:
            log.warning("checkout.not_closed", payment=row.id, error=type(error).__name__)

    async def _leave(self, tx: AsyncConnection, links: Sequence[LinkId]) -> None:
        waiting = select(payment.c.id).where(
            payment.c.link_id.in_(links),
            payment.c.status == PaymentStatus.OPEN,
            payment.c.external_id.is_not(None),
        )
        for key in (await tx.execute(waiting)).scalars().all():
            await emit(tx, CHECKOUT_OVER, {"payment_id": key}, self._clock.now())
