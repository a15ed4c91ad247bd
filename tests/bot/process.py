"""The engine as it really runs: its own Python, a trained model, a port of the system's choice."""

import asyncio
import hashlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from aiohttp import web

from bench.ports import free_port
from bot.actions import actions
from bot.actions.server import executor, routes
from tests.bot.world import World

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("EFFEN_ENGINE_PYTHON", str(ROOT / ".venv-engine" / "bin" / "python"))
TOKEN = "the engine's secret"
_PATIENCE = 60.0


def fingerprint() -> str:
    """Of everything that a model is trained from."""
    files = [
        *ROOT.glob("bot/domain/*.yml"),
        *ROOT.glob("bot/data/rules/*.yml"),
        ROOT / "bot/config.yml",
        *ROOT.glob("bot/engine/*.py"),
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command of the engine's command line, to its end."""
    return subprocess.run(
        [PYTHON, "-m", "bot.engine", *arguments],
        cwd=ROOT,
        env=_environment(**environment),
        capture_output=True,
        text=True,
        timeout=180,
    )


def _environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", **more}


def train(folder: Path) -> Path:
    model = folder / f"{fingerprint()}.tar.gz"
    if not model.exists():
        done = run("train", "--out", str(folder), "--fixed-model-name", f"new-{os.getpid()}")
        assert done.returncode == 0, done.stdout + done.stderr
        (folder / f"new-{os.getpid()}.tar.gz").rename(model)
    return model


@dataclass
class Engine:
    url: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def engine(model: Path, database: str, actions_url: str, log: Path, **more: str) -> Iterator[Engine]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/webhooks/effen/"
    settings = {
        "EFFEN_ENGINE_TOKEN": TOKEN,
        "EFFEN_ACTIONS_URL": actions_url,
        "EFFEN_ENGINE_DATABASE_URL": database,
        **more,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [PYTHON, "-m", "bot.engine", "run", "--model", str(model), "--port", str(port)],
            cwd=ROOT,
            env=_environment(**settings),
            stdout=output,
            stderr=output,
        )
        try:
            _wait(url, process, log)
            yield Engine(url, process)
        finally:
            process.terminate()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the engine ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=1) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"the engine did not come up: {log.read_text()}")


class ActionServer:
    """The actions' listener in a thread, so that it outlives a test's event loop; each test brings its world."""

    def __init__(self) -> None:
        self.url = ""
        self._executor = executor([])
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)

    def serve(self, world: World) -> None:
        for action in actions(world.services()):
            self._executor.register_action(action)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.add_routes(routes(self._executor, TOKEN))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/webhook"
