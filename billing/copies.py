"""Copies of invoices: a page for some days, and what stands in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.creditors import creditor_of
from billing.invoices import Invoices, OpenInvoice
from billing.ledger import Account, open_parts
from billing.references import own_reference
from core.clock import Clock
from core.creditor import Creditor
from core.errors import NotFound
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id, new_secret
from core.message import Locale
from core.money import Money
from store.database import Database
from store.tables.invoices import invoice_copy, invoice_document
from store.tables.money import invoice
from store.tables.people import debtor
from store.upsert import insert_once

# Long enough to find it again, short enough that a forwarded message is soon worth nothing.
DAYS = 7


@dataclass(frozen=True, slots=True)
class Copy:
    """A page that gives a copy to whoever has its token."""

    id: str
    token: str
    creditor: CreditorKey
    invoice: InvoiceId
    locale: Locale
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """What a copy says. `lines` and the like are those of `billing.ubl.document`, where they are known."""

    creditor: Creditor
    invoice: OpenInvoice
    name: str
    address: Sequence[str]
    reference: str  # for whoever pays
    principal: str | None  # whose claim it is
    paid: Money  # paid or credited, of the amount of the invoice
    charged: Money  # costs and interest that are open on top
    document: Mapping[str, Any] | None
    pdf: bytes | None  # as the creditor has printed it


class Copies:
    def __init__(self, database: Database, clock: Clock, invoices: Invoices) -> None:
        self._database = database
        self._clock = clock
        self._invoices = invoices

    async def issue(
        self, debtor_id: DebtorId, key: InvoiceId, *, cause: str, creditor: Creditor, locale: Locale
    ) -> Copy:
        """A page for a copy; the same `cause` gives the same page. Raises NotFound for an invoice of somebody else."""
        now = self._clock.now()
        whose = select(invoice.c.id).where(
            invoice.c.id == key, invoice.c.debtor_id == debtor_id, invoice.c.creditor_id == creditor.key
        )
        async with self._database.begin() as tx:
            if (await tx.execute(whose)).one_or_none() is None:
                raise NotFound("the invoice is not this debtor's")
            values: dict[str, Any] = {"invoice_id": key, "creditor_id": creditor.key, "locale": locale, "cause": cause}
            values |= {"expires_at": _end(now, creditor), "created_at": now}
            await insert_once(tx, invoice_copy, id=new_id(), token=new_secret(), **values)
            return _copy((await tx.execute(select(invoice_copy).where(invoice_copy.c.cause == cause))).one())

    async def by_token(self, token: str) -> Copy | None:
        """A page, over or not."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(invoice_copy).where(invoice_copy.c.token == token))).one_or_none()
        return None if row is None else _copy(row)

    async def contents(self, copy: Copy) -> Contents:
        found = await self._invoices.by_id(copy.invoice)
        assert found is not None  # an invoice is never deleted
        async with self._database.read() as tx:
            row = (await tx.execute(select(invoice).where(invoice.c.id == copy.invoice))).one()
            who = (await tx.execute(select(debtor).where(debtor.c.id == row.debtor_id))).one()
            creditor = await creditor_of(tx, copy.creditor)
            parts = (await open_parts(tx, [copy.invoice]))[copy.invoice]
            document = await _document(tx, copy.invoice, found.amount)
            return Contents(
                creditor=creditor,
                invoice=found,
                name=who.name,
                address=_address(who),
                reference=await own_reference(tx, creditor, row) or found.number,
                principal=row.principal,
                paid=found.amount - Money(parts[Account.RECEIVABLE], found.amount.currency),
                charged=Money(parts[Account.COSTS] + parts[Account.INTEREST], found.amount.currency),
                document=document.content if document is not None else None,
                pdf=document.pdf if document is not None else None,
            )


def last_day(expires_at: datetime, creditor: Creditor) -> date:
    """The day that a page still works on, whole, as the creditor's clock shows it."""
    return (expires_at - timedelta(seconds=1)).astimezone(creditor.zone).date()


def _end(now: datetime, creditor: Creditor) -> datetime:
    day = now.astimezone(creditor.zone).date() + timedelta(days=DAYS + 1)
    return datetime.combine(day, time.min, creditor.zone)


async def _document(tx: AsyncConnection, key: InvoiceId, amount: Money) -> Any:
    """The file that the invoice came in, while it adds up to what is invoiced: a correction may have come since."""
    query = select(invoice_document).where(invoice_document.c.invoice_id == key)
    return (await tx.execute(query.where(invoice_document.c.amount == amount.minor))).one_or_none()


def _address(who: Any) -> list[str]:
    street = " ".join(filter(None, (who.street, who.house_number)))
    city = " ".join(filter(None, (who.postcode, who.city)))
    return [line for line in (street, city) if line]


def _copy(row: Any) -> Copy:
    return Copy(
        row.id, row.token, CreditorKey(row.creditor_id), InvoiceId(row.invoice_id), Locale(row.locale), row.expires_at
    )
