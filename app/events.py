"""Domain events meet their subscribers here: at least once, in order, each with its own few tries."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from core.clock import Clock
from store.database import Database
from store.tables.talk import event

log = structlog.get_logger(__name__)

Subscriber = Callable[[Mapping[str, Any]], Awaitable[None]]

_BATCH = 50
_TRIES = 8
# Nobody else takes an event within this time; a process that has died gives it back.
_LEASE = timedelta(seconds=30)


class Events:
    """Takes events from the store to those who asked for them. Subscribers are idempotent."""

    def __init__(self, db: Database, clock: Clock, subscribers: Mapping[str, Sequence[Subscriber]]) -> None:
        self._db = db
        self._clock = clock
        self._subscribers = subscribers

    async def run_one(self) -> bool:
        """Handle a batch; False where there was none."""
        now = self._clock.now()
        waiting = (
            select(event.c.seq)
            .where(event.c.handled_at.is_(None), event.c.next_at <= now, event.c.attempts < _TRIES)
            .order_by(event.c.seq)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self._db.begin() as tx:
            rows = (
                await tx.execute(
                    update(event)
                    .where(event.c.seq.in_(waiting))
                    .values(attempts=event.c.attempts + 1, next_at=now + _LEASE)
                    .returning(event)
                )
            ).all()
        done = [row.seq for row in sorted(rows, key=lambda row: row.seq) if await self._handled(row)]
        if done:
            async with self._db.begin() as tx:
                await tx.execute(update(event).where(event.c.seq.in_(done)).values(handled_at=self._clock.now()))
        return bool(rows)

    async def _handled(self, row: Any) -> bool:
        try:
            for subscriber in self._subscribers.get(row.name, ()):
                await subscriber(row.payload)
        except Exception as error:
            log.exception("event.failed", name=row.name, seq=row.seq, attempt=row.attempts, error=type(error).__name__)
            return False
        return True
