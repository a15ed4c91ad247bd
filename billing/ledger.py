"""The ledger: append-only and double entry. What is open, and what somebody owes, are sums over it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.money import Money
from store.events import BOOKED, emit
from store.tables.money import booking, posting
from store.upsert import insert_once


class Account(StrEnum):
    RECEIVABLE = "receivable"  # the principal that a debtor owes on an invoice
    COSTS = "costs"  # the collection costs owed on it
    INTEREST = "interest"  # the interest owed on it
    REVENUE = "revenue"
    FEES = "fees"  # charged for paying late
    BANK = "bank"
    CREDIT = "credit"  # what a debtor has paid too much


# Together: what is open on an invoice.
OWED = (Account.RECEIVABLE, Account.COSTS, Account.INTEREST)


class Kind(StrEnum):
    OPENING = "opening"
    CORRECTION = "correction"
    PAYMENT = "payment"
    CHARGE = "charge"
    RELIEF = "relief"  # a charge that is taken back
    CREDIT = "credit"  # a credit note: less is owed than was invoiced
    REFUND = "refund"  # the creditor gave money back
    CHARGEBACK = "chargeback"  # the payer, or a bank, took it back


class Unbalanced(ValueError):
    """The postings of a booking add up to zero in each currency; these do not."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a booking: debit positive, credit negative."""

    account: Account
    amount: Money
    debtor: DebtorId | None = None
    invoice: InvoiceId | None = None


async def book(
    tx: AsyncConnection, creditor: CreditorKey, kind: Kind, postings: Sequence[Posting], *, cause: str, at: datetime
) -> bool:
    """Write a booking once; False where its cause has been booked already. Raises Unbalanced."""
    _balance(postings)
    key = new_id()
    if not await insert_once(tx, booking, id=key, creditor_id=creditor, cause=cause, kind=kind, at=at):
        return False
    rows = [
        {
            "booking_id": key,
            "account": each.account,
            "debtor_id": each.debtor,
            "invoice_id": each.invoice,
            "currency": each.amount.currency,
            "minor": each.amount.minor,
        }
        for each in postings
    ]
    await tx.execute(insert(posting), rows)
    if kind is not Kind.OPENING and any(each.debtor and each.amount.minor < 0 for each in postings):
        await emit(tx, BOOKED, {"booking_id": key}, at)
    return True


def _balance(postings: Iterable[Posting]) -> None:
    totals: dict[str, int] = defaultdict(int)
    for each in postings:
        totals[each.amount.currency] += each.amount.minor
    if not totals or any(totals.values()):
        raise Unbalanced(f"the postings add up to {dict(totals)}")


async def open_parts(tx: AsyncConnection, invoices: Sequence[InvoiceId]) -> dict[InvoiceId, dict[Account, int]]:
    """Principal, costs and interest open on each invoice, in minor units of its currency."""
    query = (
        select(posting.c.invoice_id, posting.c.account, func.sum(posting.c.minor))
        .where(posting.c.invoice_id.in_(invoices), posting.c.account.in_(OWED))
        .group_by(posting.c.invoice_id, posting.c.account)
    )
    parts: dict[InvoiceId, dict[Account, int]] = {each: dict.fromkeys(OWED, 0) for each in invoices}
    for key, account, minor in await tx.execute(query):
        parts[InvoiceId(key)][Account(account)] = int(minor)
    return parts


async def open_amounts(tx: AsyncConnection, invoices: Sequence[InvoiceId]) -> dict[InvoiceId, int]:
    """What is open on each invoice, costs and interest included, in minor units of its currency."""
    return {key: sum(parts.values()) for key, parts in (await open_parts(tx, invoices)).items()}


async def balance_of(tx: AsyncConnection, debtor: DebtorId, currency: str = "EUR") -> Money:
    """What the debtor owes, less what was paid too much; negative where we owe them."""
    query = select(func.coalesce(func.sum(posting.c.minor), 0)).where(
        posting.c.debtor_id == debtor,
        posting.c.account.in_([*OWED, Account.CREDIT]),
        posting.c.currency == currency,
    )
    return Money(int((await tx.execute(query)).scalar_one()), currency)


async def credit_of(tx: AsyncConnection, debtor: DebtorId, currency: str = "EUR") -> Money:
    """What the debtor has paid too much, and has not been given back."""
    query = select(func.coalesce(func.sum(-posting.c.minor), 0)).where(
        posting.c.debtor_id == debtor, posting.c.account == Account.CREDIT, posting.c.currency == currency
    )
    return Money(int((await tx.execute(query)).scalar_one()), currency)


async def lowering(tx: AsyncConnection, debtor: DebtorId, invoices: Sequence[InvoiceId], by: Money) -> list[Posting]:
    """Postings that take this much off the principal of the invoices, in their order and none below zero.

    What is left over is the debtor's credit. Together they come to `by`, on the credit side.
    """
    parts = await open_parts(tx, invoices)
    postings, left = [], by.minor
    for key in invoices:
        if share := min(left, max(0, parts[key][Account.RECEIVABLE])):
            postings.append(Posting(Account.RECEIVABLE, Money(-share, by.currency), debtor, key))
            left -= share
    if left:
        postings.append(Posting(Account.CREDIT, Money(-left, by.currency), debtor))
    return postings
