"""Insert once: the unique constraint decides, on SQLite and PostgreSQL alike."""

from typing import Any

from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_once(tx: AsyncConnection, table: Table, **values: Any) -> bool:
    """Insert the row; False where a row with the same unique key exists already (nothing changes then)."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).on_conflict_do_nothing()
    # Without the option the count of an INSERT is -1 on PostgreSQL.
    result: CursorResult[Any] = await tx.execute(statement, values, execution_options={"preserve_rowcount": True})
    return result.rowcount == 1


async def upsert(
    tx: AsyncConnection, table: Table, key: tuple[str, ...], insert_only: tuple[str, ...] = (), **values: Any
) -> None:
    """Insert the row, or change the one with the same `key` columns; `insert_only` columns stay as they were."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    changed = {name: value for name, value in values.items() if name not in (*key, *insert_only, "id")}
    await tx.execute(insert(table).values(**values).on_conflict_do_update(index_elements=list(key), set_=changed))
