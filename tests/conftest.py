"""What tests of every package share: a real database of each kind, and the time.

PostgreSQL is used where EFFEN_TEST_POSTGRES_URL names one; each test has a schema of its own there.
"""

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from store.database import Database
from store.tables import metadata
from tests.clock import FakeClock

_POSTGRES = os.environ.get("EFFEN_TEST_POSTGRES_URL", "")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(not _POSTGRES, reason="EFFEN_TEST_POSTGRES_URL names no PostgreSQL"),
        ),
    ]
)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database with every table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'effen.db'}")
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield database
        await database.close()
        return
    schema = f"test_{secrets.token_hex(8)}"
    url = make_url(_POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    database = Database(url.render_as_string(hide_password=False))
    async with database.engine.begin() as connection:
        await connection.execute(text(f"CREATE SCHEMA {schema}"))
        await connection.run_sync(metadata.create_all)
    yield database
    async with database.engine.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await database.close()
