"""Letters that were sent, from a CSV file or by command: what costs rest on."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing import letters
from billing.imports import cells, rows
from billing.imports.rows import Column, Outcome, Row
from billing.law import Kind
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput, Conflict
from core.ids import InvoiceId
from core.imported import Imported
from store.database import Database
from store.tables.money import invoice, letter


async def load(
    database: Database, clock: Clock, creditor: Creditor, content: bytes, *, dry_run: bool = False
) -> Imported:
    """Without `costs` the letter names none; without `received_on` nothing rests on it yet."""
    now = clock.now()
    columns = {
        "invoice_number": Column(cells.text(64), required=True),
        "kind": Column(cells.one_of(*Kind), required=True),
        "sent_at": Column(cells.moment(creditor.zone), required=True),
        "channel": Column(cells.one_of("email", "post"), required=True),
        "received_on": Column(cells.day),
        "costs": Column(cells.amount),
        "content_hash": Column(content_hash, required=True),
    }

    async def store(tx: AsyncConnection, chunk: Sequence[Row]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for row in chunk:
            try:
                outcomes.append(await keep(tx, creditor, row.values, now))
            except (BadInput, Conflict) as error:
                outcomes.append(str(error))
        return outcomes

    identity = ("invoice_number", "content_hash")
    return await rows.load(database, content, columns, identity, store, dry_run=dry_run)


def content_hash(cell: str) -> str:
    """`sha256:` and 64 hexadecimal digits, of the letter as it was sent."""
    digits = cell.lower().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise BadInput(f"“{cell}” is no SHA-256 of a file: 64 hexadecimal digits")
    return f"sha256:{digits}"


async def keep(tx: AsyncConnection, creditor: Creditor, given: Mapping[str, Any], now: datetime) -> bool:
    """Record a letter, or the day of its receipt; `given` by column. False where all of it is known.

    Raises BadInput, and Conflict where it is recorded otherwise: a letter that was sent does not change.
    """
    number = given["invoice_number"]
    of_invoice = select(invoice.c.id, invoice.c.currency).where(
        invoice.c.creditor_id == creditor.key, invoice.c.number == number
    )
    row = (await tx.execute(of_invoice)).one_or_none()
    if row is None:
        raise BadInput(f"invoice_number: there is no invoice “{number}”; import invoices first")
    sent_at, received_on = given["sent_at"], given.get("received_on")
    if sent_at > now:
        raise BadInput("sent_at: a letter is recorded when it has been sent")
    if received_on is not None and received_on > now.astimezone(creditor.zone).date():
        raise BadInput("received_on: a letter is received today at the latest")
    if received_on is not None and received_on < sent_at.astimezone(creditor.zone).date():
        raise BadInput("received_on: a letter cannot arrive before it was sent")
    costs = cells.money(given.get("costs") or "0", row.currency)
    kind, channel = Kind(given["kind"]), given["channel"]
    key = InvoiceId(row.id)
    same = select(letter).where(letter.c.invoice_id == key, letter.c.content_hash == given["content_hash"])
    known = (await tx.execute(same.with_for_update())).one_or_none()
    if known is None:
        await letters.record(
            tx,
            key,
            kind,
            content_hash=given["content_hash"],
            channel=channel,
            sent_at=sent_at,
            costs=costs,
            received_on=received_on,
        )
        return True
    if (known.kind, known.channel, known.sent_at, known.costs) != (kind, channel, sent_at, costs.minor):
        raise Conflict("this letter is recorded already, with another kind, channel, moment of sending or costs")
    if received_on is None or known.received_on == received_on:
        return False
    await letters.received(tx, known.id, received_on)
    return True
