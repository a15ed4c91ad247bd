"""Wake-ups: a hint that there is work. Every wait also polls, so a lost one costs a moment and never a message."""

import asyncio
from collections import defaultdict
from typing import Protocol


class Wake(Protocol):
    def ring(self, topic: str) -> None:
        """Something was committed for `topic` (inbox, outbox, event)."""
        ...

    async def wait(self, topic: str, timeout: float) -> None:
        """Until rung, or `timeout` seconds."""
        ...


class LocalWake:
    """Wake-ups inside one process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._missed: set[str] = set()

    def ring(self, topic: str) -> None:
        waiting = self._waiting.pop(topic, set())
        if not waiting:
            self._missed.add(topic)
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, topic: str, timeout: float) -> None:
        if topic in self._missed:
            self._missed.discard(topic)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[topic].add(future)
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            pass
        finally:
            self._waiting[topic].discard(future)
