"""The app as a process: listeners and loops for its roles."""

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from datetime import datetime

import structlog

from app import trained
from app.compose import Effen, wired
from app.settings import Settings
from app.web import listening
from core.clock import Clock, SystemClock
from core.errors import EffenError
from store.schema import is_current

log = structlog.get_logger(__name__)


class SchemaBehind(EffenError):
    """The database's schema is not this version's: run `effen migrate`."""


class _Fixed(SystemClock):
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


async def serve(settings: Settings, roles: set[str]) -> None:
    """Until SIGTERM or Ctrl-C. Raises SchemaBehind, TrainingFailed."""
    async with _wired(settings, SystemClock()) as effen:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with running(effen, roles):
            log.info("app.started", roles=sorted(roles), port=settings.port)
            await stop.wait()


async def tick(settings: Settings, at: datetime | None) -> None:
    """The scheduler, once, and what it has queued delivered."""
    async with _wired(settings, _Fixed(at) if at else SystemClock()) as effen:
        await effen.accounts.refresh()
        await effen.tick()
        while await effen.delivery.run_one():
            pass


class running:
    """The app's listeners and loops around a block."""

    def __init__(self, effen: Effen, roles: set[str]) -> None:
        self._effen = effen
        self._roles = roles
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> None:
        effen, settings = self._effen, self._effen.settings
        await effen.accounts.refresh()
        if "web" in self._roles:
            await self._stack.enter_async_context(listening(effen, host=settings.host, port=settings.port))
        loops = asyncio.create_task(effen.work(worker="worker" in self._roles, scheduler="scheduler" in self._roles))
        self._stack.push_async_callback(_cancelled, loops)

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _wired(settings: Settings, clock: Clock) -> AbstractAsyncContextManager[Effen]:
    if not is_current(settings.store_url):
        raise SchemaBehind(SchemaBehind.__doc__)
    understanding = trained.understanding(settings)
    return wired(settings, clock, understanding, trained.answering(settings, understanding), os.environ)
