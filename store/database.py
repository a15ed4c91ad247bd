"""Transactions on SQLite (WAL) and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

# Another process's writer is waited for outside SQLite (store.direct); this is for what SQLite does in an instant.
_BUSY_MS = 20
# Reads start no transaction.
_READS: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
_POOL: dict[str, Any] = {"pool_size": 12}
# Errors are logged, and a statement's values are people's words.
_QUIET: dict[str, Any] = {"hide_parameters": True}


# What a transaction has changed and for whom it has work, in its connection's own notes.
_SEEN = "changed"
_WORK = "work"


def changed(tx: AsyncConnection, conversation_id: str) -> None:
    """Somebody may be looking at this conversation: a hint to look again, given after the commit, and lost with it."""
    tx.info[_SEEN].add(conversation_id)


def ring(tx: AsyncConnection, topic: str) -> None:
    """There is work for `topic` (`store.wake`): its workers are woken after the commit."""
    tx.info[_WORK].add(topic)


class Database:
    """One database. `begin()` writes, `read()` reads; neither is held while a provider or the engine is called."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self.engine, self._reads = _sqlite(self.url), _sqlite(self.url.replace("+direct", "+reading", 1))
        else:
            self.engine = create_async_engine(self.url, **_POOL, **_QUIET)
            self._reads = self.engine.execution_options(**_READS)
        # SQLite has one writer: waiting in line here is fair and cheap, its own waiting is neither.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.is_sqlite else nullcontext()
        self._onlooker: Callable[[Set[str]], None] | None = None
        self._bell: Callable[[str], None] | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, rolled back by an exception."""
        async with self._turn, self.engine.begin() as connection:
            seen: set[str] = set()
            work: set[str] = set()
            connection.info.update({_SEEN: seen, _WORK: work})
            yield connection
        if seen and self._onlooker:
            self._onlooker(seen)
        if self._bell:
            for topic in work:
                self._bell(topic)

    def watch(self, onlooker: Callable[[Set[str]], None]) -> None:
        """Tell `onlooker`, after each commit, the ids of the conversations that `changed` named. It must not wait."""
        self._onlooker = onlooker

    def wake_by(self, bell: Callable[[str], None]) -> None:
        """Call `bell`, after each commit, with each topic that `ring` named. It must not wait."""
        self._bell = bell

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads; each statement sees what is committed."""
        async with self._reads.connect() as connection:
            yield connection

    async def close(self) -> None:
        await self._reads.dispose()
        await self.engine.dispose()


def driver_url(url: str) -> str:
    """The URL with the driver that we use: `sqlite:///x` or `postgresql://…` as people write them."""
    scheme = make_url(url).drivername.partition("+")[0]
    driver = {"sqlite": "sqlite+direct", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}[scheme]
    return make_url(url).set(drivername=driver).render_as_string(hide_password=False)


def _sqlite(url: str) -> AsyncEngine:
    registry.register("sqlite.direct", "store.direct", "Direct")
    registry.register("sqlite.reading", "store.direct", "Reading")
    engine = create_async_engine(url, **_QUIET)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver starts no transactions: store.direct does
        cursor = connection.cursor()
        # NORMAL in WAL survives the death of the process; only a power cut may lose the last commits.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
