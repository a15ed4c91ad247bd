"""The app as a process of its own, which a test may kill: `effen serve` over a database, with its settings."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from app.repository import ROOT
from app.settings import Settings
from tests.whole.stage import ENVIRONMENT

_SET = [
    "public_url",
    "port",
    "actions_url",
    "engine_url",
    "engine_token",
    "secret_key",
    "twilio_account_sid",
    "twilio_auth_token",
    "twilio_api_url",
    "telegram_api_url",
    "database_url",
    "var_dir",
]


class App:
    """`effen serve`, up within the block; killed at its end."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if error is not None:
            sys.stderr.write(self._log.read_text()[-4000:])

    async def start(self) -> None:
        environment = {f"EFFEN_{name.upper()}": str(getattr(self.settings, name)) for name in _SET}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  it returns at once
                [sys.executable, "-c", "from app.cli import main; main()", "serve"],
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT, **environment, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
            )
        async with aiohttp.ClientSession() as http:
            async with asyncio.timeout(60):
                while not await self._lives(http):
                    assert self._process.poll() is None, self._log.read_text()[-4000:]
                    await asyncio.sleep(0.05)

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def stop(self) -> int:
        """As an operator does; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(self._process.wait, 30)
        self._process = None
        return status

    async def _lives(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.settings.public_url}/health/live") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False
