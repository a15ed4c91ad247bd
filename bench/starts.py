"""How long `make demo` takes to be ready: with trained models and nothing else, and again."""

import asyncio
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from app.repository import ROOT
from app.settings import Settings
from bench.ports import free_port
from bench.served import ended, start

_READY = re.compile(rb"Ready after")
_PATIENCE = 120.0


async def starts(folder: Path, again: int) -> list[float]:
    """Seconds until `make demo` says that it is ready: the first time in this folder, and `again` times more."""
    for part in ("model", "engine"):
        shutil.copytree(Settings().var_dir / part, folder / part)
    port, actions, dialogue = free_port(), free_port(), free_port()
    environment = {
        "EFFEN_VAR_DIR": str(folder),
        "EFFEN_PORT": str(port),
        "EFFEN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "EFFEN_ACTIONS_URL": f"http://127.0.0.1:{actions}/webhook",
        "EFFEN_ENGINE_URL": f"http://127.0.0.1:{dialogue}",
    }
    return [await _start(environment) for _ in range(1 + again)]


async def _start(environment: Mapping[str, str]) -> float:
    began = monotonic()
    # `make bench` has installed already: what others change in the lock meanwhile is not what is measured.
    installed = ("-o", ".venv/.synced", "-o", ".venv-engine/.synced")
    process = await start(["make", "-s", *installed, "demo"], ROOT, environment, asyncio.subprocess.PIPE)
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            while not _READY.search(said):
                part = await process.stdout.read(4096)
                if not part:
                    raise RuntimeError(f"make demo ended by itself:\n{said.decode()[-2000:]}")
                said += part
        seconds = monotonic() - began
    finally:
        await ended(process)
    print(said.decode(), file=sys.stderr)
    return seconds
