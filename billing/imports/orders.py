"""Orders from a CSV file."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.imports import cells, rows
from billing.imports.rows import Column, Outcome, Row
from core.clock import Clock
from core.creditor import Creditor
from core.ids import new_id
from core.imported import Imported
from store.database import Database
from store.tables.people import debtor
from store.tables.shop import order

STATUSES = ("processing", "shipped", "delivered", "returned", "cancelled")


async def load(
    database: Database, clock: Clock, creditor: Creditor, content: bytes, *, dry_run: bool = False
) -> Imported:
    now = clock.now()
    columns = {
        "order_number": Column(cells.text(64), required=True),
        "customer_number": Column(cells.text(64), required=True),
        "ordered_at": Column(cells.day_of_moment(creditor.zone), required=True),
        "status": Column(cells.one_of(*STATUSES), required=True),
        "carrier": Column(cells.text(100)),
        "tracking_url": Column(cells.address),
        "expected_at": Column(cells.day_of_moment(creditor.zone)),
        "invoice_number": Column(cells.text(64)),
    }

    async def store(tx: AsyncConnection, chunk: Sequence[Row]) -> list[Outcome]:
        customers = {row.values["customer_number"] for row in chunk}
        query = select(debtor.c.customer_number, debtor.c.id).where(
            debtor.c.creditor_id == creditor.key, debtor.c.customer_number.in_(customers)
        )
        owners = {row.customer_number: row.id for row in await tx.execute(query)}
        numbers = [row.values["order_number"] for row in chunk]
        stored = select(order).where(order.c.creditor_id == creditor.key, order.c.number.in_(numbers))
        known = {row.number: row for row in await tx.execute(stored)}
        return [await _store(tx, owners, known, row) for row in chunk]

    async def _store(tx: AsyncConnection, owners: dict[str, str], known: dict[str, Any], row: Row) -> Outcome:
        values = dict(row.values)
        number, customer = values.pop("order_number"), values.pop("customer_number")
        if customer not in owners:
            return f"customer_number: nobody has “{customer}”; import debtors first"
        values["debtor_id"] = owners[customer]
        if number not in known:
            fixed = {"id": new_id(), "creditor_id": creditor.key, "number": number}
            await tx.execute(insert(order).values(**fixed, **values, updated_at=now))
            return True
        if not cells.changed(known[number], values):
            return False
        await tx.execute(update(order).where(order.c.id == known[number].id).values(**values, updated_at=now))
        return True

    return await rows.load(database, content, columns, "order_number", store, dry_run=dry_run)
