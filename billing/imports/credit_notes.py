"""A credit note: less is owed than was invoiced. It is booked once, and never takes an invoice below zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import Account, Kind, Posting, book, lowering
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.money import Money
from store.tables.invoices import credit_note


@dataclass(frozen=True, slots=True)
class CreditNote:
    number: str
    debtor: DebtorId
    issued: date
    amount: Money
    refers_to: Sequence[str]  # numbers of invoices


async def keep(
    tx: AsyncConnection, creditor: Creditor, note: CreditNote, invoices: Sequence[InvoiceId], now: datetime
) -> bool:
    """Book it over the `invoices`, whose rows are locked; what they do not owe is the debtor's credit.

    False where it is booked already. Raises BadInput where another one has its number: a booking is never undone, and
    the person may have been told.
    """
    query = select(credit_note).where(credit_note.c.creditor_id == creditor.key, credit_note.c.number == note.number)
    known = (await tx.execute(query)).one_or_none()
    if known is not None:
        same = (known.debtor_id, known.currency, known.amount, list(known.refers_to))
        if same != (note.debtor, note.amount.currency, note.amount.minor, list(note.refers_to)):
            raise BadInput(f"credit note “{note.number}” is booked with other contents; give this one another number")
        return False
    key = new_id()
    values = {
        "debtor_id": note.debtor,
        "number": note.number,
        "issue_date": note.issued,
        "currency": note.amount.currency,
        "amount": note.amount.minor,
        "refers_to": list(note.refers_to),
    }
    await tx.execute(insert(credit_note).values(id=key, creditor_id=creditor.key, created_at=now, **values))
    if note.amount:
        sides = [*await lowering(tx, note.debtor, invoices, note.amount), Posting(Account.REVENUE, note.amount)]
        await book(tx, CreditorKey(creditor.key), Kind.CREDIT, sides, cause=f"credit:{key}", at=now)
    return True
