"""SQLite in the event loop's own thread, for SQLAlchemy's asyncio side.

aiosqlite hands each statement to a thread and back several times: a prepared query took 0.3 ms, and takes 0.06 here.
What may take long is not done in SQLite: waiting for another process's writer is waiting in the event loop.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_

# A writer that waits longer than this, in seconds, has met a stuck one.
_PATIENCE = 10.0
_PAUSE = 0.01


class Direct(SQLiteDialect_pysqlite):
    """The dialect of `sqlite+direct:///file`."""

    driver = "direct"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> Any:
        positional, named = super().create_connect_args(url)
        return positional, {**named, "factory": _Connection}

    def do_begin(self, dbapi_connection: Any) -> None:
        # A deferred transaction that turns writer late fails at once when another was faster.
        _patiently(dbapi_connection.cursor().execute, "BEGIN IMMEDIATE")

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        _patiently(cursor.execute, statement, parameters)
        await_(_nothing())

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        cursor.executemany(statement, parameters)
        await_(_nothing())


class Reading(Direct):
    """The dialect of `sqlite+reading:///file`: begins no transaction, each statement sees what is committed."""

    driver = "reading"
    supports_statement_cache = True

    def do_begin(self, dbapi_connection: Any) -> None:
        pass


def _patiently(execute: Callable[..., Any], *statement: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            execute(*statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        await_(asyncio.sleep(_PAUSE))


class _Connection(sqlite3.Connection):
    def cursor(self, *args: Any) -> Any:
        return super().cursor(_Cursor)


class _Cursor(sqlite3.Cursor):
    """Has read all its rows when `execute` returns: no statement is left open in a pooled connection."""

    def execute(self, *args: Any) -> "_Cursor":
        super().execute(*args)
        self._rows = deque(super().fetchall() if self.description else ())
        return self

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def _async_soft_close(self) -> None:
        """SQLAlchemy's asyncio side calls this after each statement."""


async def _nothing() -> None:
    """SQLAlchemy's asyncio side insists that a statement is waited for."""
