"""`python -m bot.engine run|train|shell|test|data …`: Rasa's own command line, with our defaults.

This and the YAML with `${…}` are the only places outside app that read the environment.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import MutableMapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

# What Rasa is told unless the command line says otherwise.
_TRAINING = {"--domain": ["bot/domain"], "--config": ["bot/config.yml"], "--data": ["bot/data/rules"]}
_MODEL = {"--model": ["var/engine"]}
_SERVING = {**_MODEL, "--endpoints": ["endpoints.yml"], "--interface": ["127.0.0.1"]}
DEFAULTS = {
    "train": {**_TRAINING, "--out": ["var/engine"], "--fixed-model-name": ["effen"], "--skip-validation": []},
    "run": {**_SERVING, "--credentials": ["bot/credentials.yml"], "--port": ["5005"]},
    "shell": _SERVING,
    "shell nlu": _MODEL,
    "data": _TRAINING,
    "test": _MODEL,
}
_SHORT = {"-d": "--domain", "-c": "--config", "-m": "--model", "-i": "--interface", "-p": "--port"}


def arguments(given: list[str]) -> list[str]:
    """The command line with our defaults for what is not given."""
    named = {_SHORT.get(word, word.partition("=")[0]) for word in given}
    if not given or {"-h", "--help"} & named:
        return given
    added = [
        word
        for option, values in DEFAULTS.get(" ".join(given[:2]), DEFAULTS.get(given[0], {})).items()
        if option not in named
        for word in (option, *values)
    ]
    return [*given, *added]


def settle(environment: MutableMapping[str, str]) -> None:
    """Defaults for what our YAML files name, and for Rasa itself."""
    environment.setdefault("EFFEN_ACTIONS_URL", "http://127.0.0.1:5055/webhook")
    environment.setdefault("EFFEN_ENGINE_DATABASE_URL", engine_database(environment.get("EFFEN_DATABASE_URL", "")))
    environment.setdefault("RASA_TELEMETRY_ENABLED", "false")
    environment.setdefault("RASA_CACHE_DIRECTORY", "var/engine/cache")
    environment.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    if environment["EFFEN_ENGINE_DATABASE_URL"].startswith("postgresql"):
        environment.setdefault("POSTGRESQL_SCHEMA", "engine")
        # One turn at a time holds one connection for some milliseconds.
        environment.setdefault("SQL_POOL_SIZE", "5")


def engine_database(app_database: str) -> str:
    """Where the dialogues are kept: a schema of its own in the app's PostgreSQL, else a file of its own."""
    if app_database.startswith("postgresql"):
        return "postgresql" + app_database[app_database.index("://") :]  # without the app's driver
    return "sqlite:///var/engine.db"


def prepare(database: str, schema: str) -> None:
    """Make the place that Rasa expects to find: a folder for SQLite, a schema for PostgreSQL."""
    if database.startswith("sqlite:///"):
        file = Path(urlsplit(database).path[1:])
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # kept in the file; one wait for the disk a turn, not three
    elif schema:
        import psycopg2
        from psycopg2 import sql

        connection = psycopg2.connect(database)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        connection.close()


def main() -> None:
    settle(os.environ)
    sys.argv = ["rasa", *arguments(sys.argv[1:])]
    if sys.argv[1:2] in (["run"], ["shell"]):
        prepare(os.environ["EFFEN_ENGINE_DATABASE_URL"], os.environ.get("POSTGRESQL_SCHEMA", ""))

    from bot.engine import patches, stubs

    stubs.install()
    from rasa.__main__ import main as rasa

    patches.apply()
    if sys.argv[1:2] != ["train"]:
        from bot.engine import rules

        rules.apply()
    rasa()


if __name__ == "__main__":
    main()
