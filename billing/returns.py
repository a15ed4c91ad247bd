"""Money that went back to the payer: refunds by the creditor, chargebacks by the payer or a bank."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing import refunds
from billing.attribution import book_payment
from billing.ledger import Account, Kind, Posting, book, credit_of
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from core.payment import PaymentState
from store.events import PAYMENT_RETURNED, emit
from store.tables.money import booking, invoice, payment, payment_link, posting


async def book_returns(
    tx: AsyncConnection, row: Any, state: PaymentState, now: datetime, *, reason: str | None = None
) -> bool:
    """Book what has gone back since the last look, once; the invoices are open again. True where there was news.

    `row` is the paid payment's, locked. A total that became less is money that came again: a refund that failed, a
    chargeback that was undone. `reason`: the bank's, where it gave one.
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
            ours = await refunds.gone(tx, row.id, gone, now) if kind is Kind.REFUND else 0
            await _give_back(tx, row, kind, Money(gone, row.currency), ours, cause, now)
            payload = {"payment_id": row.id, "link_id": row.link_id, "kind": kind, "minor": gone, "cause": cause}
            await emit(tx, PAYMENT_RETURNED, payload | ({"reason": reason} if reason else {}), now)
        else:
            await book_payment(tx, row, Money(-gone, row.currency), now, kind=kind, cause=cause)
            if kind is Kind.REFUND:
                await refunds.came_back(tx, row.id, -gone, now)
        await tx.execute(update(payment).where(payment.c.id == row.id).values({column: total.minor}))
        news = True
    return news


async def _give_back(
    tx: AsyncConnection, row: Any, kind: Kind, gone: Money, ours: int, cause: str, now: datetime
) -> None:
    """First what the payment left as credit, then what it paid on invoices, the last one first.

    `ours`: as much of it an agent has paid back, in minor units, which is credit from wherever it came.
    """
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
    paid = [(account, of_invoice, -int(minor)) for account, of_invoice, minor in await tx.execute(query)]
    paid.sort(key=lambda each: each[0] != Account.CREDIT)
    of_link = select(payment_link.c.debtor_id).where(payment_link.c.id == row.link_id)
    debtor = DebtorId((await tx.execute(of_link)).scalar_one())
    postings, left = [Posting(Account.BANK, Money(-gone.minor, gone.currency))], gone.minor
    credit = (await credit_of(tx, debtor, gone.currency)).minor
    paid = [(Account.CREDIT, None, ours), *paid]
    for account, of_invoice, minor in paid:
        most = min(minor, credit) if account == Account.CREDIT else minor
        if (part := min(left, most)) > 0:
            credit -= part if account == Account.CREDIT else 0
            key = None if of_invoice is None else InvoiceId(of_invoice)
            postings.append(Posting(Account(account), Money(part, gone.currency), debtor, key))
            left -= part
    if left:  # more than was paid (a return's postage, a bank's fee) is not the debtor's debt
        postings.append(Posting(Account.REVENUE, Money(left, gone.currency)))
    await book(tx, CreditorKey(row.creditor_id), kind, postings, cause=cause, at=now)


async def reopen(
    tx: AsyncConnection, creditor: CreditorKey, key: InvoiceId, gone: Money, *, cause: str, now: datetime
) -> None:
    """A debit of the creditor's own failed, on an invoice that it had told us as paid: that much is open again.

    Where it never told us so the invoice is open still, and nothing is booked.
    """
    of_invoice = select(invoice).where(invoice.c.id == key).with_for_update()
    row = (await tx.execute(of_invoice)).one()
    told = (
        select(func.coalesce(func.sum(posting.c.minor), 0))
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(
            posting.c.invoice_id == key,
            posting.c.account == Account.RECEIVABLE,
            or_(booking.c.kind.in_([Kind.OPENING, Kind.CORRECTION]), booking.c.cause.like(f"reopen:{key}:%")),
        )
    )
    part = Money(min(gone.minor, row.amount - int((await tx.execute(told)).scalar_one())), row.currency)
    if part.minor > 0:
        sides = [
            Posting(Account.RECEIVABLE, part, DebtorId(row.debtor_id), key),
            Posting(Account.BANK, Money(-part.minor, part.currency)),
        ]
        await book(tx, creditor, Kind.CHARGEBACK, sides, cause=f"reopen:{key}:{cause}", at=now)
