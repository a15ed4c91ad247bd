"""Which invoices a payment pays: its booking."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import Account, Kind, Posting, book, open_amounts
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.tables.money import invoice, payment_link, payment_link_invoice


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
    open_now = await open_amounts(tx, [InvoiceId(each.id) for each in invoices if each.currency == paid.currency])
    of_link = select(payment_link.c.debtor_id).where(payment_link.c.id == payment.link_id)
    debtor = DebtorId((await tx.execute(of_link)).scalar_one())
    shares, rest = allocate(paid, [(key, Money(minor, paid.currency)) for key, minor in open_now.items()])
    postings = [Posting(Account.BANK, paid)]
    postings += [Posting(Account.RECEIVABLE, _credit(share), debtor, key) for key, share in shares]
    if rest:
        postings.append(Posting(Account.CREDIT, _credit(rest), debtor))
    cause = cause or f"payment:{payment.id}"
    return await book(tx, CreditorKey(payment.creditor_id), kind, postings, cause=cause, at=now)


def _credit(amount: Money) -> Money:
    return Money(-amount.minor, amount.currency)
