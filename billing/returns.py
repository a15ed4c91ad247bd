"""Money that went back to the payer: refunds by the creditor, chargebacks by the payer or a bank."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.attribution import book_payment
from billing.ledger import Account, Kind, Posting, book
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from core.payment import PaymentState
from store.events import PAYMENT_RETURNED, emit
from store.tables.money import booking, payment, payment_link, posting


async def book_returns(tx: AsyncConnection, row: Any, state: PaymentState, now: datetime) -> bool:
    """Book what has gone back since the last look, once; the invoices are open again. True where there was news.

    `row` is the paid payment's, locked. A total that became less is money that came again: a refund that failed, a
    chargeback that was undone.
    """
    news = False
    for kind, column, total in (
        (Kind.REFUND, payment.c.refunded, state.refunded),
        (Kind.CHARGEBACK, payment.c.charged_back, state.charged_back),
    ):
        booked = getattr(row, column.name)
        if total is None or total.currency != row.currency or total.minor == booked:
            continue
        gone = total.minor - booked
        times = select(func.count()).select_from(booking).where(booking.c.cause.like(f"{kind}:{row.id}:%"))
        cause = f"{kind}:{row.id}:{(await tx.execute(times)).scalar_one()}"
        if gone > 0:
            await _give_back(tx, row, kind, Money(gone, row.currency), cause, now)
            payload = {"payment_id": row.id, "link_id": row.link_id, "kind": kind, "minor": gone, "cause": cause}
            await emit(tx, PAYMENT_RETURNED, payload, now)
        else:
            await book_payment(tx, row, Money(-gone, row.currency), now, kind=kind, cause=cause)
        await tx.execute(update(payment).where(payment.c.id == row.id).values({column: total.minor}))
        news = True
    return news


async def _give_back(tx: AsyncConnection, row: Any, kind: Kind, gone: Money, cause: str, now: datetime) -> None:
    """First what the payment left as credit, then what it paid on invoices, the last one first."""
    of_payment = or_(
        booking.c.cause == f"payment:{row.id}",
        *(booking.c.cause.like(f"{each}:{row.id}:%") for each in (Kind.REFUND, Kind.CHARGEBACK)),
    )
    query = (
        select(posting.c.account, posting.c.invoice_id, func.sum(posting.c.minor))
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(of_payment, posting.c.account != Account.BANK)
        .group_by(posting.c.account, posting.c.invoice_id)
        .order_by(func.max(posting.c.seq).desc())
    )
    paid = [(account, invoice, -int(minor)) for account, invoice, minor in await tx.execute(query)]
    paid.sort(key=lambda each: each[0] != Account.CREDIT)
    of_link = select(payment_link.c.debtor_id).where(payment_link.c.id == row.link_id)
    debtor = DebtorId((await tx.execute(of_link)).scalar_one())
    postings, left = [Posting(Account.BANK, Money(-gone.minor, gone.currency))], gone.minor
    for account, invoice, minor in paid:
        if (part := min(left, minor)) > 0:
            key = None if invoice is None else InvoiceId(invoice)
            postings.append(Posting(Account(account), Money(part, gone.currency), debtor, key))
            left -= part
    if left:  # more than was paid (a return's postage, a bank's fee) is not the debtor's debt
        postings.append(Posting(Account.REVENUE, Money(left, gone.currency)))
    await book(tx, CreditorKey(row.creditor_id), kind, postings, cause=cause, at=now)
