"""Letters that were sent: what they named, when they went out and when they arrived."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.law import Kind, Letter
from core.errors import BadInput, Conflict, NotFound
from core.ids import InvoiceId, new_id
from core.money import Money
from store.tables.money import invoice, letter
from store.upsert import insert_once


async def record(
    tx: AsyncConnection,
    key: InvoiceId,
    kind: Kind,
    *,
    content_hash: str,
    channel: str,
    sent_at: datetime,
    costs: Money,
    received_on: date | None = None,
) -> str:
    """Write down a letter about an invoice; the same content is the same letter. Its id.

    `channel`: email or post. `costs`: as the letter names them. Raises NotFound, BadInput.
    """
    if channel not in ("email", "post"):
        raise BadInput(f"“{channel}”: a letter goes by email or by post")
    row = (await tx.execute(select(invoice).where(invoice.c.id == key))).one_or_none()
    if row is None:
        raise NotFound("there is no such invoice")
    if row.currency != costs.currency:
        raise BadInput(f"this invoice is in {row.currency}")
    values = {
        "id": new_id(),
        "creditor_id": row.creditor_id,
        "debtor_id": row.debtor_id,
        "invoice_id": key,
        "kind": kind,
        "content_hash": content_hash,
        "channel": channel,
        "sent_at": sent_at,
        "received_on": received_on,
        "currency": costs.currency,
        "costs": costs.minor,
    }
    await insert_once(tx, letter, **values)
    same = select(letter.c.id).where(letter.c.invoice_id == key, letter.c.content_hash == content_hash)
    return str((await tx.execute(same)).scalar_one())


async def received(tx: AsyncConnection, key: str, on: date) -> None:
    """Note the day of receipt: once, and never before the sending. Raises NotFound, BadInput, Conflict."""
    row = (await tx.execute(select(letter).where(letter.c.id == key).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("there is no such letter")
    if row.received_on not in (None, on):
        raise Conflict(f"it was received on {row.received_on}")
    if on < row.sent_at.date():
        raise BadInput("a letter cannot arrive before it was sent")
    await tx.execute(update(letter).where(letter.c.id == key).values(received_on=on))


async def of_invoice(tx: AsyncConnection, key: InvoiceId, zone: ZoneInfo) -> Sequence[Letter]:
    """The letters about an invoice, the latest first."""
    query = select(letter).where(letter.c.invoice_id == key).order_by(letter.c.sent_at.desc(), letter.c.id.desc())
    return [_letter(row, zone) for row in await tx.execute(query)]


def _letter(row: Any, zone: ZoneInfo) -> Letter:
    return Letter(
        id=row.id,
        kind=Kind(row.kind),
        channel=row.channel,
        sent_at=row.sent_at,
        sent_on=row.sent_at.astimezone(zone).date(),
        received_on=row.received_on,
        costs=Money(row.costs, row.currency),
        content_hash=row.content_hash,
    )
