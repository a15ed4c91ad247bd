"""Wake-ups: a hint that there is work. Every wait also polls, so a lost one costs a moment and never a message."""

import asyncio
from typing import Protocol


class Wake(Protocol):
    def ring(self, topic: str) -> None:
        """Something was committed for `topic` (inbox, outbox, event, shop)."""
        ...

    async def wait(self, topic: str, timeout: float) -> None:
        """Until rung, or `timeout` seconds."""
        ...


# Work that any one worker takes: one waiter is woken, and a ring that nobody hears is kept for the next.
WORK = frozenset({"inbox", "outbox", "event", "shop"})


class LocalWake:
    """Wake-ups inside one process."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._missed: set[str] = set()

    def ring(self, topic: str) -> None:
        waiting = [future for future in self._waiting.pop(topic, []) if not future.done()]
        if topic in WORK:
            if waiting[1:]:
                self._waiting[topic] = waiting[1:]
            if not waiting:
                self._missed.add(topic)
            waiting = waiting[:1]
        for future in waiting:
            future.set_result(None)

    async def wait(self, topic: str, timeout: float) -> None:
        if topic in self._missed:
            self._missed.discard(topic)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(topic, []).append(future)
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            pass
        finally:
            left = [other for other in self._waiting.pop(topic, []) if other is not future]
            if left:
                self._waiting[topic] = left
