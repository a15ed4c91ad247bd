"""Invoices from a CSV file. What is open becomes bookings: an opening, later corrections."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.imports import cells, rows
from billing.imports.rows import Column, Outcome, Row
from billing.invoice_events import Kind as Happened
from billing.invoice_events import note
from billing.ledger import Account, Kind, Posting, book, lowering, open_parts
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.imported import Imported
from core.money import Money
from payments.references import Kind as ReferenceKind
from payments.references import stored
from store.database import Database
from store.tables.money import booking, invoice, posting
from store.tables.people import debtor


async def load(
    database: Database, clock: Clock, creditor: Creditor, content: bytes, *, dry_run: bool = False
) -> Imported:
    """Without `open_amount` the whole amount is open; without `currency` it is EUR."""
    now = clock.now()
    columns = {
        "invoice_number": Column(cells.text(64), required=True),
        "customer_number": Column(cells.text(64), required=True),
        "issue_date": Column(cells.day, required=True),
        "due_date": Column(cells.day, required=True),
        "currency": Column(cells.currency),
        "amount": Column(cells.amount, required=True),
        "open_amount": Column(cells.amount),
        "description": Column(cells.text(2_000)),
        "reference": Column(cells.text(64)),
        "sent_at": Column(cells.moment(creditor.zone)),
        "principal": Column(cells.text(200), required=creditor.kind == "agency"),
    }

    async def store(tx: AsyncConnection, chunk: Sequence[Row]) -> list[Outcome]:
        owners = await _debtors(tx, creditor, {row.values["customer_number"] for row in chunk})
        numbers = [row.values["invoice_number"] for row in chunk]
        query = select(invoice).where(invoice.c.creditor_id == creditor.key, invoice.c.number.in_(numbers))
        known = {row.number: row for row in await tx.execute(query.order_by(invoice.c.id).with_for_update())}
        outcomes: list[Outcome] = []
        for row in chunk:
            owner = owners.get(row.values["customer_number"])
            if owner is None:
                outcomes.append(f"customer_number: nobody has “{row.values['customer_number']}”; import debtors first")
                continue
            try:
                known_one = known.get(row.values["invoice_number"])
                outcomes.append(await keep(tx, creditor, owner, known_one, row.values, now))
            except BadInput as error:
                outcomes.append(str(error))
        return outcomes

    return await rows.load(database, content, columns, "invoice_number", store, dry_run=dry_run)


async def _debtors(tx: AsyncConnection, creditor: Creditor, numbers: set[str]) -> dict[str, DebtorId]:
    query = select(debtor.c.customer_number, debtor.c.id).where(
        debtor.c.creditor_id == creditor.key, debtor.c.customer_number.in_(numbers)
    )
    return {row.customer_number: DebtorId(row.id) for row in await tx.execute(query)}


async def keep(
    tx: AsyncConnection, creditor: Creditor, owner: DebtorId, known: Any, given: Mapping[str, Any], now: datetime
) -> bool:
    """Store an invoice, or correct `known`, its locked row, to what is `given` by column; whether anything changed.

    Raises BadInput for amounts and dates that cannot be, and where the invoice is another customer's.
    """
    currency = given.get("currency") or "EUR"
    amount = cells.money(given["amount"], currency)
    stated = cells.money(given["open_amount"], currency) if given.get("open_amount") else None
    _check(known, owner, amount, stated or amount, given["issue_date"], given["due_date"])
    values = {"issue_date": given["issue_date"], "due_date": given["due_date"], "amount": amount.minor}
    if stated is not None or known is None:
        values["imported_open"] = (amount if stated is None else stated).minor
    values |= {"principal": given["principal"]} if "principal" in given else {}
    if "reference" in given:
        values["reference"] = given["reference"] and stored(given["reference"], ReferenceKind(creditor.reference))
    values |= {"description": given["description"] or ""} if "description" in given else {}
    if known is None:
        key = InvoiceId(new_id())
        fixed = {"id": key, "creditor_id": creditor.key, "debtor_id": owner, "number": given["invoice_number"]}
        await tx.execute(
            insert(invoice)
            .values({"description": "", **fixed, **values, "currency": currency})
            .values(created_at=now, updated_at=now)
        )
        opening = Money(values["imported_open"], currency)
        await _book(tx, creditor, key, owner, opening, Kind.OPENING, f"opening:{key}", now)
        await _sent(tx, key, given)
        return True
    noted = await _sent(tx, InvoiceId(known.id), given)
    if not cells.changed(known, values):
        return noted
    await tx.execute(update(invoice).where(invoice.c.id == known.id).values(**values, updated_at=now))
    difference = await _difference(tx, known, amount, stated)
    if difference:
        await _correct(tx, creditor, InvoiceId(known.id), owner, difference, now)
    return True


async def _sent(tx: AsyncConnection, key: InvoiceId, given: Mapping[str, Any]) -> bool:
    """Note when the creditor has sent it; what an earlier file said stays."""
    at = given.get("sent_at")
    return at is not None and await note(tx, [key], Happened.SENT, "import", at)


def _check(known: Any, owner: DebtorId, amount: Money, open_now: Money, issued: date, due: date) -> None:
    if amount < open_now:
        raise BadInput("open_amount is more than amount")
    if due < issued:
        raise BadInput("due_date is before issue_date")
    if known is not None and known.debtor_id != owner:
        raise BadInput("customer_number: this invoice belongs to another customer")


async def _difference(tx: AsyncConnection, known: Any, amount: Money, stated: Money | None) -> Money:
    """What a correction has to add to what is open."""
    if stated is None:
        return amount - Money(known.amount, known.currency)
    if stated.minor == known.imported_open:  # no news, though a payment may have come in since
        return Money(0, known.currency)
    booked = await open_parts(tx, [known.id])  # a file knows the principal alone
    return stated - Money(booked[known.id][Account.RECEIVABLE], known.currency)


async def _correct(
    tx: AsyncConnection, creditor: Creditor, key: InvoiceId, owner: DebtorId, difference: Money, now: datetime
) -> None:
    # The invoice's row is locked: nobody else counts meanwhile.
    count = (
        select(func.count(booking.c.id.distinct()))
        .join(posting)
        .where(posting.c.invoice_id == key, booking.c.kind == Kind.CORRECTION)
    )
    cause = f"correction:{key}:{(await tx.execute(count)).scalar_one() + 1}"
    if difference < Money(0, difference.currency):
        off = Money(-difference.minor, difference.currency)
        sides = [*await lowering(tx, owner, [key], off), Posting(Account.REVENUE, off)]
        await book(tx, CreditorKey(creditor.key), Kind.CORRECTION, sides, cause=cause, at=now)
    else:
        await _book(tx, creditor, key, owner, difference, Kind.CORRECTION, cause, now)


async def _book(
    tx: AsyncConnection,
    creditor: Creditor,
    key: InvoiceId,
    owner: DebtorId,
    amount: Money,
    kind: Kind,
    cause: str,
    now: datetime,
) -> None:
    against = Money(-amount.minor, amount.currency)
    sides = [Posting(Account.RECEIVABLE, amount, owner, key), Posting(Account.REVENUE, against)]
    await book(tx, CreditorKey(creditor.key), kind, sides, cause=cause, at=now)
