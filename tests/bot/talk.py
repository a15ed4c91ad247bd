"""A conversation with a running engine, as the app has it."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.bot.process import TOKEN
from tests.bot.world import World
from understanding.entities import find

_DIALOGUES = itertools.count(1)


@dataclass(frozen=True)
class Said:
    """An answer: its keys, and all of it."""

    status: int
    body: Mapping[str, Any]

    @property
    def keys(self) -> list[str]:
        return [say["key"] for say in self.body["says"]]

    @property
    def form(self) -> str | None:
        return self.body["form"]  # type: ignore[no-any-return]

    @property
    def args(self) -> Mapping[str, Any]:
        """Of the first say."""
        return self.body["says"][0]["args"]  # type: ignore[no-any-return]

    @property
    def options(self) -> list[str]:
        """What a tap means: intent, and its value where it has one."""
        return [
            ":".join([option["intent"], *option["entities"].values()])
            for say in self.body["says"]
            for option in say["options"]
        ]


class Talk:
    def __init__(self, url: str, world: World) -> None:
        self.url = url
        self.world = world
        self.dialogue = f"talk-{next(_DIALOGUES)}"
        self._turns = itertools.count(1)

    async def hear(
        self,
        text: str,
        intent: str,
        *,
        tapped: Mapping[str, str] | None = None,
        slots: Mapping[str, Any] | None = None,
        interrupt: bool = False,
        turn: str | None = None,
    ) -> Said:
        """Send one message: `intent` by its full name, values as understanding finds them or as a tap has them."""
        turn = turn or f"{self.dialogue}-{next(self._turns)}"
        self.world.heard[turn] = (text, intent)
        found: Sequence[Mapping[str, Any]] = (
            [{"entity": name, "value": value} for name, value in tapped.items()]
            if tapped is not None
            else [entity.as_json() for entity in find(text)]
        )
        name, _, reason = intent.partition("/")
        if reason:
            found = [*found, {"entity": f"{name}_reason", "value": reason}]
        body = {
            "turn": turn,
            "dialogue": self.dialogue,
            "text": text,
            "parse": {
                "text": text,
                "intent": {"name": name, "confidence": 0.9},
                "intent_ranking": [],
                "entities": found,
            },
            "slots": dict(slots or {}),
            "interrupt": interrupt,
        }
        return await post(self.url, body)


async def post(url: str, body: Any, *, token: str = TOKEN) -> Said:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.post(f"{url}turns", json=body, headers=headers) as response:
        return Said(response.status, await response.json())
