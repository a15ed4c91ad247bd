"""The loops that take work from the store: each waits for a wake-up and polls all the same."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from store.wake import Wake

log = structlog.get_logger(__name__)

# A lost wake-up costs this many seconds at the most.
POLL = 1.0


async def drain(run_one: Callable[[], Awaitable[bool]], wake: Wake, topic: str) -> None:
    """Run until cancelled: work while there is some, then wait. A fault is logged and the loop goes on."""
    while True:
        try:
            while await run_one():
                pass
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("worker.fault", topic=topic, error=type(error).__name__)
            await asyncio.sleep(POLL)
        await wake.wait(topic, POLL)


async def every(seconds: float, run: Callable[[], Awaitable[object]], name: str, *, first: float = 0) -> None:
    """Run after `first` seconds and then every so many, until cancelled."""
    await asyncio.sleep(first)
    while True:
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("worker.fault", topic=name, error=type(error).__name__)
        await asyncio.sleep(seconds)
