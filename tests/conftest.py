"""What tests of every package share: a real database of each kind, and the time.

Tables are made once for each process that runs tests: a test on SQLite has a copy of an empty file, and on PostgreSQL
what it wrote is deleted after it. PostgreSQL is used where EFFEN_TEST_POSTGRES_URL names one.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from store.database import Database
from store.tables import metadata
from tests.clock import FakeClock

_POSTGRES = os.environ.get("EFFEN_TEST_POSTGRES_URL", "")

# Foreign keys would ask for an order; the wait is for a test that left a transaction open.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '10s';
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() LOOP
        PERFORM setval(name::regclass, 1, false);
    END LOOP;
END $$
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with every table."""
    path = tmp_path_factory.mktemp("empty") / "effen.db"
    asyncio.run(_make_tables(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def schema() -> Iterator[str]:
    """The address of a PostgreSQL schema with every table."""
    name = f"test_{secrets.token_hex(8)}"
    asyncio.run(_run(_POSTGRES, f"CREATE SCHEMA {name}"))
    url = make_url(_POSTGRES).update_query_dict({"options": f"-csearch_path={name}"})
    address = url.render_as_string(hide_password=False)
    asyncio.run(_make_tables(address))
    yield address
    asyncio.run(_run(_POSTGRES, f"DROP SCHEMA {name} CASCADE"))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(not _POSTGRES, reason="EFFEN_TEST_POSTGRES_URL names no PostgreSQL"),
        ),
    ]
)
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database with every table."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('empty_file'), tmp_path / 'effen.db')}"
    return str(request.getfixturevalue("schema"))


@pytest.fixture
async def database(database_address: str) -> AsyncIterator[Database]:
    database = Database(database_address)
    yield database
    await database.close()
    if not database_address.startswith("sqlite"):
        await _run(database_address, _EMPTY)


async def _make_tables(url: str) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.close()


async def _run(url: str, statement: str) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))
    await database.close()
