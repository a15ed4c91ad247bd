"""The client of the dialogue engine: one turn, one answer."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from core.errors import EngineFailed
from core.ids import TurnId
from core.message import Say

# The engine answers in some 10 ms; one that needs longer than this has lost the turn.
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)


@dataclass(frozen=True, slots=True)
class Answer:
    says: Sequence[Say]
    form: str | None  # the open form, if any
    events: int  # of the dialogue's session so far
    slots: Mapping[str, Any]  # to be carried into the next session


class Engine:
    """Any number of engines, asked in turn."""

    def __init__(self, session: aiohttp.ClientSession, urls: Sequence[str], token: str) -> None:
        self._session = session
        self._urls = itertools.cycle([f"{url.rstrip('/')}/webhooks/effen" for url in urls])
        self._headers = {"Authorization": f"Bearer {token}"}

    async def turn(
        self,
        turn: TurnId,
        dialogue: str,
        text: str,
        parse: Mapping[str, Any],
        slots: Mapping[str, Any],
        *,
        interrupt: bool,
        said: Say | None = None,
    ) -> Answer:
        """The dialogue's answer. The same turn twice is one turn. Raises EngineFailed.

        `said`: to a session that is new, what was said last in the one before.
        """
        request = {
            "turn": turn,
            "dialogue": dialogue,
            "text": text,
            "parse": parse,
            "slots": slots,
            "interrupt": interrupt,
            "said": said.as_json() if said else None,
        }
        body = await self._post("turns", request)
        return Answer([Say.from_json(say) for say in body["says"]], body["form"], body["events"], body["slots"])

    async def forget(self, before: datetime) -> int:
        """Erase the dialogues that nobody has gone on with since; how many. Raises EngineFailed."""
        return int((await self._post("forget", {"before": before.timestamp()}))["dialogues"])

    async def _post(self, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            async with self._session.post(
                f"{next(self._urls)}/{path}", json=request, headers=self._headers, timeout=_TIMEOUT
            ) as response:
                if response.status != 200:
                    raise EngineFailed(f"the engine answered {response.status}")
                body: dict[str, Any] = await response.json()
                return body
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise EngineFailed(type(error).__name__) from error
