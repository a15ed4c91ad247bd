"""Migrations make what the code's tables say, on both databases, and can be run again."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from store.database import driver_url
from store.schema import drift, is_current, migrate

_POSTGRES = os.environ.get("EFFEN_TEST_POSTGRES_URL", "")


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=pytest.mark.skipif(not _POSTGRES, reason="EFFEN_TEST_POSTGRES_URL is not set")
        ),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'effen.db'}"
        return
    name = f"migrated_{secrets.token_hex(6)}"
    server = create_engine(driver_url(_POSTGRES), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(_POSTGRES).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def test_migrations_make_the_tables_of_the_code(url: str) -> None:
    migrate(url)
    migrate(url)
    assert is_current(url)
    at = make_url(driver_url(url))
    engine = create_engine(at.set(drivername="sqlite") if at.drivername.startswith("sqlite") else at)
    with engine.connect() as connection:
        assert drift(connection) == []
    engine.dispose()


def test_an_empty_database_is_not_current(url: str) -> None:
    assert not is_current(url)
