"""A round of the scheduler: what one row brings up is logged, and the others are looked at all the same."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database import Database

log = structlog.get_logger(__name__)


async def look_at(
    database: Database, rows: Sequence[Any], look: Callable[[AsyncConnection, Any], Awaitable[bool]], what: str
) -> int:
    """`look` at each row, in a transaction of its own; for how many it said True. `what` the log calls them."""
    ended = 0
    for row in rows:
        try:
            async with database.begin() as tx:
                ended += await look(tx, row)
        except Exception as error:
            log.exception(f"{what}.not_looked_at", id=row.id, error=type(error).__name__)
    return ended
