"""The payment reference of an invoice or a link: no two debts share one."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.creditor import Creditor
from core.errors import BadInput
from payments.references import Kind, reference_of, stored
from store.tables.money import invoice, payment_link, payment_link_invoice


async def link_reference(tx: AsyncConnection, creditor: Creditor, link: str, rows: Sequence[Any]) -> str:
    """The invoice's own reference, else one from its number; several invoices share one of the link.

    Where a number is too long for one, or what it gives belongs to others already, it is the link's as well.
    """
    kind = Kind(creditor.reference)
    single = rows[0] if len(rows) == 1 else None
    if single is not None and (own := await own_reference(tx, creditor, single)):
        return own
    for attempt in count():
        reference = reference_of(kind, f"L{link[-12:]}{attempt or ''}")
        if not await _taken(tx, creditor, reference, None):
            break
    return reference


async def own_reference(tx: AsyncConnection, creditor: Creditor, row: Any) -> str | None:
    """An invoice's own reference, else one from its number; None where that is too long, or belongs to others too."""
    kind = Kind(creditor.reference)
    if row.reference:
        return stored(str(row.reference), kind)
    with suppress(BadInput):
        reference = reference_of(kind, row.number)
        if not await _taken(tx, creditor, reference, row.id):
            return reference
    return None


async def _taken(tx: AsyncConnection, creditor: Creditor, reference: str, only: str | None) -> bool:
    """Whether money with this reference would be for anything but the invoice `only`."""
    of_invoice = select(invoice.c.id).where(
        invoice.c.creditor_id == creditor.key, invoice.c.reference == reference, invoice.c.id != (only or "")
    )
    of_link = (
        select(payment_link.c.id)
        .join(payment_link_invoice, payment_link_invoice.c.link_id == payment_link.c.id)
        .where(
            payment_link.c.creditor_id == creditor.key,
            payment_link.c.reference == reference,
            payment_link_invoice.c.invoice_id != (only or ""),
        )
    )
    return bool((await tx.execute(select(or_(of_invoice.exists(), of_link.exists())))).scalar_one())
