"""Insert once: the unique constraint decides, on SQLite and PostgreSQL alike."""

from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_once(tx: AsyncConnection, table: Table, **values: Any) -> bool:
    """Insert the row; False where a row with the same unique key exists already (nothing changes then)."""
    # Without the option the count of an INSERT is -1 on PostgreSQL.
    options = {"preserve_rowcount": True}
    result: CursorResult[Any] = await tx.execute(_once(tx.dialect.name, table), values, execution_options=options)
    return result.rowcount == 1


@cache
def _once(dialect: str, table: Table) -> Insert:
    """Built once for each table: building it anew costs more than running it."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


async def upsert(
    tx: AsyncConnection, table: Table, key: tuple[str, ...], insert_only: tuple[str, ...] = (), **values: Any
) -> None:
    """Insert the row, or change the one with the same `key` columns; `insert_only` columns stay as they were."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    changed = {name: value for name, value in values.items() if name not in (*key, *insert_only, "id")}
    await tx.execute(insert(table).values(**values).on_conflict_do_update(index_elements=list(key), set_=changed))
