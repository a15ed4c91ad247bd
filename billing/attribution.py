"""What a payment pays, invoice by invoice and part by part: its booking.

Netherlands: BW 6:44, costs, then interest, then principal. Belgium: principal first, the milder order, until the rule
there has a source.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.creditors import creditor_of
from billing.ledger import Account, Kind, Posting, book, open_parts
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.tables.money import booking, invoice, payment_link, payment_link_invoice, posting

ORDER: Mapping[str, Sequence[Account]] = {
    "NL": (Account.COSTS, Account.INTEREST, Account.RECEIVABLE),
    "BE": (Account.RECEIVABLE, Account.INTEREST, Account.COSTS),
}


def attribute(share: Money, parts: Mapping[Account, int], order: Sequence[Account]) -> list[tuple[Account, Money]]:
    """The share of one invoice over what is owed on it; it is never more than that."""
    paid = []
    for account in order:
        part = min(share.minor, max(0, parts[account]))
        if part:
            paid.append((account, Money(part, share.currency)))
            share = Money(share.minor - part, share.currency)
    return paid


def allocate(paid: Money, invoices: Sequence[tuple[InvoiceId, Money]]) -> tuple[list[tuple[InvoiceId, Money]], Money]:
    """The share of each invoice, in their order, up to what is open on it; and what is left over."""
    shares = []
    for key, due in invoices:
        share = min(paid.minor, due.minor)
        if share > 0:
            shares.append((key, Money(share, paid.currency)))
            paid = Money(paid.minor - share, paid.currency)
    return shares, paid


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

    `payment` is its row. `kind` and `cause` are others for money that came a second time. False where it has been
    booked already.
    """
    linked = select(payment_link_invoice.c.invoice_id).where(payment_link_invoice.c.link_id == payment.link_id)
    locked = select(invoice).where(invoice.c.id.in_(linked)).order_by(invoice.c.id).with_for_update()
    invoices = sorted(await tx.execute(locked), key=lambda each: (each.due_date, each.number))
    parts = await open_parts(tx, [InvoiceId(each.id) for each in invoices if each.currency == paid.currency])
    order = ORDER[(await creditor_of(tx, payment.creditor_id)).country]
    of_link = select(payment_link.c.debtor_id).where(payment_link.c.id == payment.link_id)
    debtor = DebtorId((await tx.execute(of_link)).scalar_one())
    shares, rest = allocate(paid, [(key, Money(sum(owed.values()), paid.currency)) for key, owed in parts.items()])
    postings = [Posting(Account.BANK, paid)]
    for key, share in shares:
        postings += [
            Posting(account, _credit(part), debtor, key) for account, part in attribute(share, parts[key], order)
        ]
    if rest:
        postings.append(Posting(Account.CREDIT, _credit(rest), debtor))
    cause = cause or f"payment:{payment.id}"
    return await book(tx, CreditorKey(payment.creditor_id), kind, postings, cause=cause, at=now)


async def credit_from(tx: AsyncConnection, payment: str) -> Money | None:
    """What this payment paid too much, when it was booked: the debtor's credit."""
    query = (
        select(posting.c.minor, posting.c.currency)
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(booking.c.cause == f"payment:{payment}", posting.c.account == Account.CREDIT)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else Money(-row.minor, row.currency)


def _credit(amount: Money) -> Money:
    return Money(-amount.minor, amount.currency)
