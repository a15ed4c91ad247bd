"""Receipts: what of a payment has arrived, when and how, and what it paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import Account
from core.ids import DebtorId
from core.lifecycle import PaymentStatus
from core.money import Money
from payments.references import grouped
from store.database import Database
from store.tables.money import booking, invoice, payment, payment_link, posting

_RECENT = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of a payment that was booked. `paid` and `credit` together are its `amount`."""

    id: str  # of the payment
    amount: Money
    returned: Money
    paid_at: datetime
    method: str | None
    reference: str | None  # as it is printed, where the person was given one
    paid: Sequence[tuple[str, Money]]  # by the invoice's number
    credit: Money  # paid too much


class Receipts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, debtor: DebtorId) -> list[Receipt]:
        """Of the last payments of which something was kept, the newest first."""
        kept = payment.c.amount - payment.c.refunded - payment.c.charged_back
        query = (
            select(payment, payment_link.c.reference, payment_link.c.conversation_id)
            .join(payment_link, payment_link.c.id == payment.c.link_id)
            .where(payment_link.c.debtor_id == debtor, payment.c.status == PaymentStatus.PAID, kept > 0)
            .order_by(payment.c.paid_at.desc(), payment.c.id)
            .limit(_RECENT)
        )
        async with self._database.read() as tx:
            return [await _receipt(tx, row) for row in (await tx.execute(query)).all()]


async def _receipt(tx: AsyncConnection, row: Any) -> Receipt:
    query = (
        select(invoice.c.number, posting.c.account, func.sum(-posting.c.minor))
        .join_from(booking, posting, posting.c.booking_id == booking.c.id)
        .outerjoin(invoice, invoice.c.id == posting.c.invoice_id)
        .where(booking.c.cause == literal(f"payment:{row.id}"), posting.c.account != Account.BANK)
        .group_by(invoice.c.number, posting.c.account)
        .order_by(func.min(posting.c.seq))
    )
    paid: dict[str, int] = {}
    credit = 0
    for number, _, minor in await tx.execute(query):
        if number is None:
            credit += int(minor)
        else:
            paid[number] = paid.get(number, 0) + int(minor)
    return Receipt(
        id=row.id,
        amount=Money(row.amount, row.currency),
        returned=Money(row.refunded + row.charged_back, row.currency),
        paid_at=row.paid_at,
        method=row.method,
        reference=grouped(row.reference) if row.conversation_id else None,
        paid=[(number, Money(minor, row.currency)) for number, minor in paid.items()],
        credit=Money(credit, row.currency),
    )
