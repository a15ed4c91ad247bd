"""One engine for all of these tests, one trained model, and a fresh product for each test."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app import engine, trained
from app.repository import ROOT
from app.settings import Settings
from bench.ports import free_port
from tests.clock import FakeClock
from tests.fakes import twilio
from tests.whole.stage import Stage, furnish, staged
from understanding import Understanding


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Ports of this run's own; the models are those of `effen train`."""
    port, actions, dialogue = free_port(), free_port(), free_port()
    folder = tmp_path_factory.mktemp("engine")
    return Settings(
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        actions_url=f"http://127.0.0.1:{actions}/webhook",
        engine_url=f"http://127.0.0.1:{dialogue}",
        engine_database_url=f"sqlite:///{folder / 'engine.db'}",
        engine_token="a-token-between-app-and-engine",
        secret_key="a-secret-key-that-only-tests-know",
        twilio_account_sid=twilio.SID,
        twilio_auth_token=twilio.TOKEN,
        var_dir=ROOT / "var",
    )


@pytest.fixture(scope="session")
def models(settings: Settings) -> None:
    trained.everything(settings, print)


@pytest.fixture(scope="session")
def understanding(settings: Settings, models: None) -> Understanding:
    return trained.understanding(settings)


@pytest.fixture(scope="session")
def dialogue(settings: Settings, models: None) -> Iterator["Dialogue"]:
    process = Dialogue(settings)
    process.start()
    yield process
    process.kill()


class Dialogue:
    """The engine's process, which a test may kill and start again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = f"{settings.engine_url}/webhooks/effen/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            engine.command(self._settings, engine.ports(self._settings)[0]),
            cwd=ROOT,
            env=dict(engine.environment(self._settings)),
            stdout=sys.stderr,
        )
        deadline = time.monotonic() + 90
        while not self._answers():
            assert self._process.poll() is None, "the engine ended at start"
            assert time.monotonic() < deadline, "the engine does not come up"
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It takes turns, and answers none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="session")
def furnished(settings: Settings, models: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo shop, made once; each test has a copy."""
    path = tmp_path_factory.mktemp("shop") / "effen.db"
    asyncio.run(furnish(settings, f"sqlite:///{path}", FakeClock()))
    return path


@pytest.fixture
def database_url(furnished: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(furnished, tmp_path / 'effen.db')}"


@pytest.fixture
async def stage(
    settings: Settings, understanding: Understanding, dialogue: Dialogue, database_url: str
) -> AsyncIterator[Stage]:
    async with staged(settings, understanding, database_url) as stage:
        yield stage
