"""The engine's command line and surroundings."""

import pytest

from bot.engine.__main__ import arguments, engine_database, settle
from tests.bot.process import run


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(["--version"], ["--version"], id="no command"),
        pytest.param(["run", "--help"], ["run", "--help"], id="help"),
        pytest.param(
            ["run", "-p", "0", "--model", "a.tar.gz"],
            [
                *("run", "-p", "0", "--model", "a.tar.gz", "--endpoints", "endpoints.yml"),
                *("--interface", "127.0.0.1", "--credentials", "bot/credentials.yml"),
            ],
            id="run listens on loopback",
        ),
        pytest.param(
            ["run", "-i", "10.0.0.5", "-m", "a", "-p", "1", "--endpoints=e.yml", "--credentials", "c.yml"],
            ["run", "-i", "10.0.0.5", "-m", "a", "-p", "1", "--endpoints=e.yml", "--credentials", "c.yml"],
            id="what is given counts",
        ),
        pytest.param(
            ["shell", "-p", "0"],
            [
                *("shell", "-p", "0", "--model", "var/engine", "--endpoints", "endpoints.yml"),
                *("--interface", "127.0.0.1"),
            ],
            id="shell listens on loopback",
        ),
        pytest.param(["shell", "nlu"], ["shell", "nlu", "--model", "var/engine"], id="shell nlu"),
        pytest.param(["test", "nlu"], ["test", "nlu", "--model", "var/engine"], id="test"),
        pytest.param(
            ["data", "validate"],
            [
                *("data", "validate", "--domain", "bot/domain", "--config", "bot/config.yml"),
                *("--data", "bot/data/rules"),
            ],
            id="data",
        ),
    ],
)
def test_defaults(given: list[str], asked: list[str]) -> None:
    assert arguments(given) == asked


@pytest.mark.parametrize(
    ("app", "engine"),
    [
        ("", "sqlite:///var/engine.db"),
        ("sqlite:///var/effen.db", "sqlite:///var/engine.db"),
        ("postgresql://effen@db/effen", "postgresql://effen@db/effen"),
        ("postgresql+psycopg://effen@db/effen", "postgresql://effen@db/effen"),
    ],
)
def test_where_dialogues_are_kept(app: str, engine: str) -> None:
    assert engine_database(app) == engine
    environment = {"EFFEN_DATABASE_URL": app}
    settle(environment)
    assert environment["EFFEN_ENGINE_DATABASE_URL"] == engine
    assert environment.get("POSTGRESQL_SCHEMA") == ("engine" if engine.startswith("postgresql") else None)


def test_what_is_set_counts() -> None:
    environment = {"EFFEN_ENGINE_DATABASE_URL": "sqlite:////srv/e.db", "EFFEN_ACTIONS_URL": "http://app:5055/webhook"}
    settle(environment)
    assert environment["EFFEN_ENGINE_DATABASE_URL"] == "sqlite:////srv/e.db"
    assert environment["EFFEN_ACTIONS_URL"] == "http://app:5055/webhook"


def test_the_dialogue_is_valid() -> None:
    done = run("data", "validate", "--fail-on-warnings")
    assert done.returncode == 0, done.stdout + done.stderr
