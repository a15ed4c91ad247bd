"""The metadata that all tables share, and columns that recur."""

from typing import Any

from sqlalchemy import Column, Computed, ForeignKey, Index, MetaData, String, text

from store.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identifier() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def plain(column: str) -> Column[str]:
    """`plain_number`: a number as people may spell it, without the signs between its letters and digits."""
    squeezed = f"upper({column})"
    for sign in "-./ ":
        squeezed = f"replace({squeezed}, '{sign}', '')"
    return Column("plain_number", String(64), Computed(squeezed, persisted=True))


def reference(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[str]:
    return Column(name, String(64), ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def moment(name: str, *, nullable: bool = True, **kw: Any) -> Column[Any]:
    return Column(name, UtcDateTime(), nullable=nullable, **kw)


def at_most_one(table: str, column: str, *, state: str) -> Index:
    """Of the rows in this state, no two with the same value."""
    only = text(f"state = '{state}'")
    return Index(f"uq_{table}_{state}", column, unique=True, sqlite_where=only, postgresql_where=only)
