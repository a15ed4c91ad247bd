"""Debtors from a CSV file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.imports import cells, rows
from billing.imports.rows import Column, Outcome, Row
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.iban import iban
from core.ids import new_id
from core.imported import Imported
from store.database import Database
from store.tables.people import debtor


async def load(
    database: Database, clock: Clock, creditor: Creditor, content: bytes, *, dry_run: bool = False
) -> Imported:
    now = clock.now()
    columns = {
        "customer_number": Column(cells.text(64), required=True),
        "kind": Column(cells.one_of("consumer", "business")),
        "name": Column(cells.text(200), required=True),
        "email": Column(cells.email),
        "phone": Column(cells.phone),
        "street": Column(cells.text(200)),
        "house_number": Column(cells.text(20)),
        "postcode": Column(cells.text(16)),
        "city": Column(cells.text(200)),
        "country": Column(cells.country),
        "date_of_birth": Column(cells.past_day(now.date())),
        "language": Column(cells.one_of("nl", "en", "fr", "de")),
        "iban": Column(iban),
        "endpoint": Column(cells.endpoint),
        "blocked": Column(cells.yes_no),
        "marketing_consent": Column(cells.yes_no),
        "marketing_consent_at": Column(cells.moment(creditor.zone)),
    }

    async def store(tx: AsyncConnection, chunk: Sequence[Row]) -> list[Outcome]:
        numbers = [row.values["customer_number"] for row in chunk]
        query = select(debtor).where(debtor.c.creditor_id == creditor.key, debtor.c.customer_number.in_(numbers))
        known = {row.customer_number: row for row in await tx.execute(query.order_by(debtor.c.id).with_for_update())}
        return [await keep(tx, creditor, known.get(row.values["customer_number"]), row.values, now) for row in chunk]

    return await rows.load(database, content, columns, "customer_number", store, dry_run=dry_run)


async def keep(tx: AsyncConnection, creditor: Creditor, known: Any, given: Mapping[str, Any], now: datetime) -> Outcome:
    """Store a debtor, or change `known`, its row, to what is `given` by column."""
    values = dict(given)
    if "kind" in values:
        values["kind"] = values["kind"] or "consumer"  # who is better protected
    if values.get("postcode"):
        country = values.get("country") or (known.country if known else None) or creditor.country
        try:
            values["postcode"] = cells.postcode(values["postcode"], country)
        except BadInput as error:
            return f"postcode: {error}"
    blocked = values.pop("blocked", None)
    if blocked is not None:
        values["blocked_at"] = ((known and known.blocked_at) or now) if blocked else None
    said, at = values.pop("marketing_consent", None), values.pop("marketing_consent_at", None)
    values["marketing_consent"], values["marketing_consent_at"] = consent(known, said, at)
    if known is None:
        row = {"kind": "consumer", **values, "id": new_id(), "creditor_id": creditor.key}
        await tx.execute(insert(debtor).values(**row, created_at=now, updated_at=now))
        return True
    if not cells.changed(known, values):
        return False
    await tx.execute(update(debtor).where(debtor.c.id == known.id).values(**values, updated_at=now))
    return True


def consent(known: Any, said: bool | None, at: datetime | None) -> tuple[bool, datetime | None]:
    """The consent to offers that holds, and since when.

    A file never overrules what the person has told us later, and a yes without its moment never undoes a no.
    """
    stored = (known.marketing_consent, known.marketing_consent_at) if known else (False, None)
    if said is None:
        return stored
    if known is None:
        return said, at
    if at is not None and stored[1] is not None and at <= stored[1]:
        return stored
    if said and not stored[0] and at is None:
        return stored
    return said, at or stored[1]
