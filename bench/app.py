"""`python -m bench.app`: the app as `effen serve` runs it, without the brake on floods from one address."""

import asyncio
import os
import signal
from dataclasses import replace
from time import monotonic

from app import logs, trained
from app.compose import wired
from app.server import running
from app.settings import Settings
from channels.rate import Brake, Rate
from core.clock import SystemClock

_OPEN = Rate(burst=1_000_000, per_second=1_000_000)


async def serve(settings: Settings) -> None:
    understanding = trained.understanding(settings)
    answering = trained.answering(settings, understanding)
    async with wired(settings, SystemClock(), understanding, answering, os.environ) as effen:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        unbraked = replace(effen, brake=Brake(monotonic, _OPEN, _OPEN))
        async with running(unbraked, {"web", "worker", "scheduler"}):
            await stop.wait()


if __name__ == "__main__":
    logs.configure(production=False)
    asyncio.run(serve(Settings()))
