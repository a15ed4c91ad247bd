"""Processes that are measured: started, asked whether they are up, weighed and ended."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO

import aiohttp

# What a process inherits besides what it is given.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
_PATIENCE = 180.0


@dataclass
class Served:
    """A process that answers at `url`; `started`: the seconds until it did."""

    name: str
    process: asyncio.subprocess.Process
    url: str
    started: float = 0.0

    async def memory(self) -> float:
        """Resident memory in MB (10⁶ bytes)."""
        ps = await asyncio.create_subprocess_exec(
            "ps", "-o", "rss=", "-p", str(self.process.pid), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await ps.communicate()
        return int(out) * 1024 / 1e6

    def cpu(self) -> float:
        """Seconds of processor time so far (Linux; elsewhere 0)."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return 0.0
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def served(
    name: str,
    command: Sequence[str],
    url: str,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
) -> AsyncIterator[Served]:
    """A process around a block, up when `url` answers 200. Raises RuntimeError when it ends or does not come up."""
    with log.open("ab") as out:
        began = monotonic()
        one = Served(name, await start(command, cwd, environment, out), url)
        try:
            await _up(one, log)
            one.started = monotonic() - began
            yield one
        finally:
            await ended(one.process)


async def start(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], out: IO[bytes] | int
) -> asyncio.subprocess.Process:
    inherited = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=inherited | dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=out,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


async def ended(process: asyncio.subprocess.Process) -> None:
    """End the process and what it has started: asked first, then made to."""
    for number, seconds in ((signal.SIGINT, 15), (signal.SIGKILL, 15)):
        if process.returncode is None:
            os.killpg(process.pid, number)
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                continue


async def _up(one: Served, log: Path) -> None:
    deadline = monotonic() + _PATIENCE
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while monotonic() < deadline:
            if one.process.returncode is not None:
                raise RuntimeError(f"{one.name} ended at start (exit {one.process.returncode}): see {log}")
            try:
                async with http.get(one.url) as response:
                    if response.status == 200:
                        return
            except (TimeoutError, aiohttp.ClientError):
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{one.name} did not come up within {_PATIENCE:.0f} seconds: see {log}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
