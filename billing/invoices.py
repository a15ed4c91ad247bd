"""Invoices: what is open on them, and whether they are disputed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import OWED, credit_of
from core.hold import Reason
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.database import Database
from store.tables.money import booking, invoice, payment, payment_link_invoice, posting
from store.tables.people import hold


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    id: InvoiceId
    debtor: DebtorId
    number: str
    issued: date
    due: date
    amount: Money
    open: Money  # with the costs and the interest that were charged
    description: str
    reference: str | None
    disputed: bool


class Invoices:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_of(self, debtor: DebtorId) -> list[OpenInvoice]:
        """The invoices on which something is open, those due first at the front."""
        return [found for found in await self._found(_query().where(invoice.c.debtor_id == debtor)) if found.open]

    async def of(self, debtor: DebtorId) -> list[OpenInvoice]:
        """All of a debtor's, paid or not: the open ones first, those due first; then the others, latest first."""
        found = await self._found(_query().where(invoice.c.debtor_id == debtor))
        settled = sorted((each for each in found if not each.open), key=lambda each: each.issued, reverse=True)
        return [each for each in found if each.open] + settled

    async def credit_of(self, debtor: DebtorId) -> Money:
        """What a debtor has paid too much."""
        async with self._database.read() as connection:
            return await credit_of(connection, debtor)

    async def by_id(self, key: InvoiceId) -> OpenInvoice | None:
        """An invoice, paid or not."""
        return next(iter(await self._found(_query().where(invoice.c.id == key))), None)

    async def by_number(self, creditor: CreditorKey, number: str) -> OpenInvoice | None:
        """A creditor's invoice, paid or not; capitals do not matter."""
        query = _query().where(
            invoice.c.creditor_id == creditor, func.lower(invoice.c.number) == number.strip().lower()
        )
        return next(iter(await self._found(query)), None)

    async def _found(self, query: Select[Any]) -> list[OpenInvoice]:
        async with self._database.read() as connection:
            return [_invoice(row) for row in await connection.execute(query)]


def _query() -> Select[Any]:
    booked = (
        select(func.coalesce(func.sum(posting.c.minor), 0))
        .where(posting.c.invoice_id == invoice.c.id, posting.c.account.in_(OWED))
        .scalar_subquery()
    )
    # A dispute that names no invoice holds all of them.
    held = exists().where(
        hold.c.lifted_at.is_(None),
        or_(
            hold.c.invoice_id == invoice.c.id,
            and_(
                hold.c.debtor_id == invoice.c.debtor_id,
                hold.c.invoice_id.is_(None),
                hold.c.reason == Reason.DISPUTE,
                ~hold.c.suspected,
            ),
        ),
    )
    return select(invoice, booked.label("open"), held.label("disputed")).order_by(invoice.c.due_date, invoice.c.number)


def _invoice(row: Any) -> OpenInvoice:
    return OpenInvoice(
        id=InvoiceId(row.id),
        debtor=DebtorId(row.debtor_id),
        number=row.number,
        issued=row.issue_date,
        due=row.due_date,
        amount=Money(row.amount, row.currency),
        open=Money(int(row.open), row.currency),
        description=row.description,
        reference=row.reference,
        disputed=bool(row.disputed),
    )


async def numbers_paid_by(tx: AsyncConnection, payments: Sequence[str]) -> dict[str, list[str]]:
    """Payment → the numbers of the invoices that its booking paid."""
    query = (
        select(payment.c.id, invoice.c.number)
        .join(booking, booking.c.cause == literal("payment:").concat(payment.c.id))
        .join(posting, posting.c.booking_id == booking.c.id)
        .join(invoice, invoice.c.id == posting.c.invoice_id)
        .where(payment.c.id.in_(payments))
        .order_by(posting.c.seq)
    )
    return _grouped(await tx.execute(query))


async def numbers_of_links(tx: AsyncConnection, links: Sequence[str]) -> dict[str, list[str]]:
    """Payment link → the numbers of its invoices."""
    query = (
        select(payment_link_invoice.c.link_id, invoice.c.number)
        .join(invoice, invoice.c.id == payment_link_invoice.c.invoice_id)
        .where(payment_link_invoice.c.link_id.in_(links))
        .order_by(invoice.c.due_date, invoice.c.number)
    )
    return _grouped(await tx.execute(query))


def _grouped(rows: Iterable[Any]) -> dict[str, list[str]]:
    numbers: dict[str, list[str]] = {}
    for key, number in rows:
        numbers.setdefault(key, []).append(number)
    return numbers
