"""What a payment pays, invoice by invoice and part by part: its booking.

Netherlands: BW 6:44, costs, then interest, then principal, where the creditor's policy is not milder. Belgium:
principal first, the milder order, until the rule there has a source.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.charges import Late, relieve
from billing.creditors import creditor_of
from billing.ledger import Account, Kind, Posting, book, open_parts
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.tables.money import booking, invoice, payment_link, payment_link_invoice, posting
from store.tables.money import payment as payments

ORDER: Mapping[str, Sequence[Account]] = {
    "costs_first": (Account.COSTS, Account.INTEREST, Account.RECEIVABLE),
    "principal_first": (Account.RECEIVABLE, Account.INTEREST, Account.COSTS),
}


def attribute(share: Money, parts: Mapping[Account, int], order: Sequence[Account]) -> list[tuple[Account, Money]]:
    """What there is over what is owed on one invoice; it is never more than that."""
    paid = []
    for account in order:
        part = min(share.minor, max(0, parts[account]))
        if part:
            paid.append((account, Money(part, share.currency)))
            share = Money(share.minor - part, share.currency)
    return paid


async def book_payment(
    tx: AsyncConnection,
    payment: Any,
    paid: Money,
    now: datetime,
    *,
    kind: Kind = Kind.PAYMENT,
    cause: str | None = None,
) -> bool:
    """The money goes to the link's invoices, those due first at the front; what is left is the debtor's credit.

    What was charged on an invoice after this was paid, as nobody knew of it, is taken back first. `payment` is its row.
    `kind` and `cause` are others for money that came a second time. False where it has been booked already.
    """
    linked = select(payment_link_invoice.c.invoice_id).where(payment_link_invoice.c.link_id == payment.link_id)
    locked = select(invoice).where(invoice.c.id.in_(linked)).order_by(invoice.c.id).with_for_update()
    invoices = sorted(await tx.execute(locked), key=lambda each: (each.due_date, each.number))
    creditor = await creditor_of(tx, payment.creditor_id)
    paid_at = await tx.scalar(select(payments.c.paid_at).where(payments.c.id == payment.id))
    of_link = select(payment_link.c.debtor_id).where(payment_link.c.id == payment.link_id)
    debtor = DebtorId((await tx.execute(of_link)).scalar_one())
    postings, left = [Posting(Account.BANK, paid)], paid
    for each in invoices:
        if each.currency != paid.currency or not left:
            continue
        key = InvoiceId(each.id)
        if kind is Kind.PAYMENT and paid_at is not None:
            late = Late(key, debtor, each.due_date, each.currency)
            await relieve(tx, creditor, late, payment.id, paid_at, now)
        owed = (await open_parts(tx, [key]))[key]
        for account, part in attribute(left, owed, ORDER[creditor.attribution]):
            postings.append(Posting(account, _credit(part), debtor, key))
            left -= part
    if left:
        postings.append(Posting(Account.CREDIT, _credit(left), debtor))
    cause = cause or f"payment:{payment.id}"
    return await book(tx, CreditorKey(payment.creditor_id), kind, postings, cause=cause, at=now)


async def credit_from(tx: AsyncConnection, payment: str) -> Money | None:
    """What this payment paid too much, when it was booked: the debtor's credit."""
    query = (
        select(func.sum(-posting.c.minor), func.max(posting.c.currency))
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(
            or_(booking.c.cause == f"payment:{payment}", booking.c.cause.like(f"relief:{payment}:%")),
            posting.c.account == Account.CREDIT,
        )
    )
    minor, currency = (await tx.execute(query)).one()
    return Money(int(minor), currency) if minor else None


def _credit(amount: Money) -> Money:
    return Money(-amount.minor, amount.currency)
