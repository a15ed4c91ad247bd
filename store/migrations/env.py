"""Alembic's way in: `store.schema` gives it a connection."""

from typing import Any

from alembic import context
from sqlalchemy import JSON

from store.tables import metadata
from store.types import UtcDateTime


def render(kind: str, value: Any, autogen: Any) -> Any:
    """Our own column types by their names, so that a migration means the same on both databases."""
    names = {UtcDateTime: "UtcDateTime()", JSON: "Json"}
    if kind == "type" and type(value) in names:
        return names[type(value)]
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    render_item=render,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
