"""What became of an invoice: sent, viewed, paid. Written once for each cause, never changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import OWED
from core.clock import Clock
from core.ids import DebtorId, InvoiceId, new_id
from store.database import Database
from store.tables.invoices import invoice_copy, invoice_event
from store.tables.money import booking, invoice, posting
from store.tables.talk import outbound
from store.upsert import insert_once

# As many as an agent reads at a glance.
_LATEST = 12


class Kind(StrEnum):
    SENT = "sent"  # with a copy or a reminder, or by the creditor, as its file says
    VIEWED = "viewed"  # the page of a copy, or of a payment
    PAID = "paid"  # nothing was open any more; again where money went back in between


@dataclass(frozen=True, slots=True)
class InvoiceEvent:
    number: str
    kind: Kind
    at: datetime


async def note(tx: AsyncConnection, invoices: Iterable[InvoiceId], kind: Kind, cause: str, at: datetime) -> bool:
    """Write it down; a cause that has been noted already changes nothing. Whether it was news."""
    return any(
        [
            await insert_once(tx, invoice_event, id=new_id(), invoice_id=key, kind=kind, cause=cause, at=at)
            for key in invoices
        ]
    )


class InvoiceEvents:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, debtor: DebtorId) -> list[InvoiceEvent]:
        """The latest of a debtor's invoices, oldest first."""
        query = (
            select(invoice.c.number, invoice_event.c.kind, invoice_event.c.at)
            .join(invoice, invoice.c.id == invoice_event.c.invoice_id)
            .where(invoice.c.debtor_id == debtor)
            .order_by(invoice_event.c.at.desc(), invoice_event.c.id.desc())
            .limit(_LATEST)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [InvoiceEvent(row.number, Kind(row.kind), row.at) for row in reversed(rows)]

    async def copy_viewed(self, copy: str, invoice_id: InvoiceId) -> None:
        async with self._database.begin() as tx:
            await note(tx, [invoice_id], Kind.VIEWED, f"copy:{copy}", self._clock.now())

    async def message_sent(self, payload: Mapping[str, Any]) -> None:
        """A copy or a reminder has gone out."""
        async with self._database.begin() as tx:
            row = (await tx.execute(select(outbound).where(outbound.c.id == payload["outbound_id"]))).one_or_none()
            if row is not None:
                await note(tx, await _about(tx, row), Kind.SENT, f"message:{row.id}", row.sent_at or self._clock.now())

    async def booked(self, payload: Mapping[str, Any]) -> None:
        """Less is owed: an invoice is paid where this booking closed it, whatever has come since."""
        key = payload["booking_id"]
        mine = select(
            posting.c.invoice_id, func.sum(posting.c.minor).label("change"), func.max(posting.c.seq).label("last")
        )
        mine = mine.where(posting.c.booking_id == key, posting.c.account.in_(OWED)).group_by(posting.c.invoice_id)
        async with self._database.begin() as tx:
            at = await tx.scalar(select(booking.c.at).where(booking.c.id == key))
            for row in (await tx.execute(mine)).all():
                until = posting.c.invoice_id == row.invoice_id, posting.c.account.in_(OWED), posting.c.seq <= row.last
                left = int(await tx.scalar(select(func.sum(posting.c.minor)).where(*until)) or 0)
                if at is not None and left <= 0 < left - int(row.change):
                    await note(tx, [row.invoice_id], Kind.PAID, f"booking:{key}", at)


async def _about(tx: AsyncConnection, row: Any) -> Sequence[InvoiceId]:
    """The invoice that a message is about: that of its copy, or of a reminder's cause (`reminder:<invoice>:<name>`)."""
    if row.cause.startswith("reminder:"):
        query = select(invoice.c.id).where(invoice.c.id == row.cause.split(":")[1])
    else:
        copies = [value["page"] for value in row.args.values() if isinstance(value, dict) and "page" in value]
        query = select(invoice_copy.c.invoice_id).where(invoice_copy.c.id.in_(copies))
    return [InvoiceId(key) for key in (await tx.execute(query)).scalars()]
