"""Domain events meet their subscribers here: at least once, in order, each with its own few tries."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from core.clock import Clock
from store.database import Database
from store.tables.talk import event

log = structlog.get_logger(__name__)

Subscriber = Callable[[Mapping[str, Any]], Awaitable[None]]

_BATCH = 20
# Nobody else takes an event within this time; a process that has died gives it back.
_LEASE = timedelta(minutes=2)
# What fails is tried ever more slowly and never given up: it may be somebody who has to be woken.
_FIRST, _SLOWEST = timedelta(seconds=30), timedelta(hours=1)


def _next() -> ReturningUpdate[Any]:
    """Take the oldest events that are due."""
    now, until = (bindparam(name, type_=event.c.next_at.type) for name in ("now", "until"))
    waiting = (
        select(event.c.seq)
        .where(event.c.handled_at.is_(None), event.c.next_at <= now)
        .order_by(event.c.seq)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    return (
        update(event)
        .where(event.c.seq.in_(waiting))
        .values(attempts=event.c.attempts + 1, next_at=until)
        .returning(event)
    )


# Built once: building them anew for each batch costs more than running them.
_NEXT = _next()
_HANDLED = update(event).where(event.c.seq == bindparam("done"))


class Events:
    """Takes events from the store to those who asked for them. Subscribers are idempotent."""

    def __init__(self, db: Database, clock: Clock, subscribers: Mapping[str, Sequence[Subscriber]]) -> None:
        self._db = db
        self._clock = clock
        self._subscribers = subscribers

    async def free(self) -> None:
        """On start, where this process is the only worker (SQLite): whoever had taken events has died."""
        taken = (event.c.handled_at.is_(None), event.c.attempts > 0, event.c.error.is_(None))
        async with self._db.begin() as tx:
            await tx.execute(update(event).where(*taken).values(next_at=self._clock.now()))

    async def run_one(self) -> bool:
        """Handle a batch; False where there was none. Those of one name keep their order."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            rows = (await tx.execute(_NEXT, {"now": now, "until": now + _LEASE})).all()
        by_name: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: row.seq):
            by_name[row.name].append(row)
        # A mail server that is slow to take an alert must not hold up the word that a payment has come.
        await asyncio.gather(*(self._handle(same) for same in by_name.values()))
        return bool(rows)

    async def _handle(self, rows: Sequence[Row[Any]]) -> None:
        faults = {row.seq: await self._fault(row) for row in rows}
        now = self._clock.now()
        async with self._db.begin() as tx:
            done = [{"done": seq, "handled_at": now} for seq, fault in faults.items() if fault is None]
            if done:
                await tx.execute(_HANDLED, done)
            for row in rows:
                if fault := faults[row.seq]:
                    pause = min(_FIRST * 2 ** min(row.attempts - 1, 10), _SLOWEST)
                    later = update(event).where(event.c.seq == row.seq)
                    await tx.execute(later.values(next_at=now + pause, error=fault))

    async def _fault(self, row: Row[Any]) -> str | None:
        """Why this event is not done; None: it is."""
        try:
            for subscriber in self._subscribers.get(row.name, ()):
                await subscriber(row.payload)
        except Exception as error:
            fault = type(error).__name__
            log.exception("event.failed", name=row.name, seq=row.seq, attempt=row.attempts, error=fault)
            return fault
        return None
