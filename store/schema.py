"""The schema's versions: brought to head before anything else runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.engine import make_url

from store.database import driver_url
from store.tables import metadata


def migrate(url: str) -> None:
    """Bring the database at this address to head. Blocks; safe to run twice, and again after a failure."""
    with _connected(url) as connection:
        command.upgrade(_config(connection), "head")
        connection.commit()


def is_current(url: str) -> bool:
    """Whether the database has the newest schema."""
    with _connected(url) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        return found == ScriptDirectory.from_config(_config(connection)).get_current_head()


def drift(connection: Connection) -> list[object]:
    """Where the tables in the code differ from what the migrations have made."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def revise(connection: Connection, message: str) -> None:
    """Write the next migration: the difference between the code's tables and this database (for developers)."""
    command.revision(_config(connection), message, autogenerate=True)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    at = make_url(driver_url(url))
    if at.drivername.startswith("sqlite"):
        at = at.set(drivername="sqlite")
        if at.database:
            Path(at.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(at, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
