"""Settings: where they come from, what production refuses, and who a client is behind a proxy."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.proxies import remote_of
from app.settings import Settings, problems

GOOD: dict[str, Any] = {
    "environment": "production",
    "database_url": "postgresql://db.example.test/effen",
    "secret_key": "k" * 32,
    "engine_token": "t" * 32,
    "public_url": "https://chat.example.test",
    "smtp_url": "smtp://mail.example.test",
    "trusted_proxies": "127.0.0.1",
}


def test_production_with_everything_has_no_problems() -> None:
    assert problems(Settings(**GOOD), {}) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"database_url": ""}, "EFFEN_DATABASE_URL"),
        ({"secret_key": ""}, "EFFEN_SECRET_KEY"),
        ({"secret_key": "short"}, "EFFEN_SECRET_KEY"),
        ({"engine_token": ""}, "EFFEN_ENGINE_TOKEN"),
        ({"public_url": "http://chat.example.test"}, "EFFEN_PUBLIC_URL"),
        ({"smtp_url": ""}, "EFFEN_SMTP_URL"),
        ({"trusted_proxies": ""}, "EFFEN_TRUSTED_PROXIES"),
    ],
)
def test_what_production_refuses(changes: dict[str, str], named: str) -> None:
    found = problems(Settings(**{**GOOD, **changes}), {})
    assert len(found) == 1 and named in found[0]


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-a-file\n")
    monkeypatch.delenv("EFFEN_SECRET_KEY", raising=False)
    monkeypatch.setenv("EFFEN_SECRET_KEY_FILE", str(secret))
    assert Settings().secret_key == "from-a-file"


def test_in_development_secrets_are_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    first, second = (Settings(var_dir=tmp_path, secret_key="").with_secrets() for _ in range(2))
    assert first.secret_key == second.secret_key != ""
    assert (tmp_path / "secrets" / "secret_key").stat().st_mode & 0o077 == 0


def test_production_makes_no_secrets(tmp_path: Path) -> None:
    assert Settings(**{**GOOD, "secret_key": "", "var_dir": tmp_path}).with_secrets().secret_key == ""


@pytest.mark.parametrize(
    ("database", "engine", "store"),
    [
        ("", "", "sqlite:///"),
        ("postgresql://db/effen", "", "postgresql://db/effen"),
        ("postgresql+psycopg://db/effen", "", "postgresql://db/effen"),
        ("postgresql://db/effen", "sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_the_engine_s_own_store(database: str, engine: str, store: str) -> None:
    assert Settings(database_url=database, engine_database_url=engine).engine_store_url.startswith(store)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "remote"),
    [
        pytest.param("", "203.0.113.9", "198.51.100.1", "203.0.113.9", id="nobody is trusted"),
        pytest.param("10.0.0.0/8", "10.0.0.1", "198.51.100.1", "198.51.100.1", id="our proxy"),
        pytest.param("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1", id="a made-up one before it"),
        pytest.param("10.0.0.0/8", "10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1", id="two proxies of ours"),
        pytest.param("10.0.0.0/8", "203.0.113.9", "198.51.100.1", "203.0.113.9", id="past the proxy"),
        pytest.param("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1", id="nothing said"),
        pytest.param("10.0.0.0/8", "10.0.0.1", "nonsense", "nonsense", id="a name of no proxy of ours"),
    ],
)
def test_the_client_behind_a_proxy(trusted: str, peer: str, forwarded: str, remote: str) -> None:
    request: Any = SimpleNamespace(remote=peer, headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert remote_of(trusted)(request) == remote
