"""The engine as a process of its own: training it, running it, and knowing when it is up."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import aiohttp

from app.repository import ROOT
from app.settings import Settings

# What the dialogue's model is made of; its sentences are the understanding's business.
_INPUTS = ("bot/config.yml", "bot/domain", "bot/data/rules", "bot/data/stories", "bot/engine", "uv.lock")


def python(settings: Settings) -> Path:
    """The interpreter that Rasa runs on."""
    return Path(settings.engine_python) if settings.engine_python else ROOT / ".venv-engine" / "bin" / "python"


def environment(settings: Settings) -> Mapping[str, str]:
    """What the engine's YAML files name, and nothing that it need not know."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return keep | {
        "EFFEN_ACTIONS_URL": settings.actions_url,
        "EFFEN_ENGINE_TOKEN": settings.engine_token,
        "EFFEN_ENGINE_DATABASE_URL": settings.engine_store_url,
        "EFFEN_MODEL_DIR": str(settings.model_dir.resolve()),
        # More threads than cores cost an encoder dearly.
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        # Rasa is in maintenance: its libraries' farewells help nobody here.
        "PYTHONWARNINGS": "ignore",
    }


def model(settings: Settings) -> Path:
    """The trained dialogue, named after its inputs: another branch's model is never served by mistake."""
    return settings.var_dir / "engine" / f"{fingerprint()}.tar.gz"


def fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _INPUTS:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix in (".yml", ".py", ".lock"):
                digest.update(f"\0{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def train(settings: Settings, *, force: bool = False) -> bool:
    """Train the dialogue when its inputs changed; whether it did. Raises CalledProcessError with Rasa's own words."""
    target = model(settings)
    if target.exists() and not force:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    # Without --force Rasa writes nothing where its own inputs are as before, whatever changed in our classes.
    rasa = [str(python(settings)), "-m", "bot.engine", "train", "--force", "--out", str(target.parent.resolve())]
    subprocess.run(  # noqa: S603  our own interpreter and arguments
        [*rasa, "--fixed-model-name", target.name.removesuffix(".tar.gz")],
        cwd=ROOT,
        env=dict(environment(settings)),
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return True


def command(settings: Settings, port: int) -> list[str]:
    """The command that serves the trained dialogue on this port."""
    return [
        *(str(python(settings)), "-m", "bot.engine", "run"),
        *("--model", str(model(settings).resolve()), "--port", str(port)),
    ]


def ports(settings: Settings) -> list[int]:
    """One engine for each of the settings' addresses."""
    return [urlsplit(url).port or 5005 for url in settings.engine_url.split(",")]


async def start(settings: Settings, port: int, log: IO[bytes] | None = None) -> asyncio.subprocess.Process:
    """Start one engine; what it says goes to `log`, else to our standard error. It dies with us."""
    return await asyncio.create_subprocess_exec(
        *command(settings, port),
        cwd=ROOT,
        env=dict(environment(settings)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log or sys.stderr,
        stderr=log,
        start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
    )


async def serve(settings: Settings, ports: Sequence[int]) -> int | None:
    """Run an engine on each port until SIGTERM or Ctrl-C: None; or until one ends by itself: its exit status."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    running = [await start(settings, port) for port in ports]
    waits = [asyncio.create_task(process.wait()) for process in running]
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait([*waits, stopping], return_when=asyncio.FIRST_COMPLETED)
        return None if stopped.is_set() else next(wait.result() for wait in waits if wait.done())
    finally:
        stopping.cancel()
        await asyncio.gather(*(stop(process) for process in running))


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and insist after five seconds."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


async def ready(url: str, process: asyncio.subprocess.Process | None = None, *, within: float = 90) -> None:
    """Wait until the engine answers. Raises RuntimeError when it ends or does not come up."""
    deadline = asyncio.get_running_loop().time() + within
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while asyncio.get_running_loop().time() < deadline:
            if process is not None and process.returncode is not None:
                raise RuntimeError(f"the engine ended at start (exit {process.returncode}); its own log says why")
            if await answers(session, url):
                return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"the engine at {url} did not answer within {within:.0f} seconds")


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether the engine at this address is up and has its model."""
    try:
        async with session.get(f"{url.rstrip('/')}/webhooks/effen/") as response:
            return response.status == 200
    except (TimeoutError, aiohttp.ClientError):
        return False
