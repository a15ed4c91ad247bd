"""People who write over Rasa's REST channel, to the product or to the stock Rasa."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import aiohttp

from bench.timing import Round
from core.ids import new_secret

Messages = Sequence[dict[str, Any]]
_PATH = "/webhooks/rest/webhook"


class Person:
    """One conversation. `say` is timed into the round, `quietly` is not."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}{_PATH}"
        self._sender = new_secret()
        self._token = token

    async def say(self, into: Round, text: str, expected: Callable[[Messages], bool]) -> Messages:
        """Write, wait for the answer; one that is not `expected` is counted."""
        began = perf_counter()
        messages = await self._post(text, {})
        into.turns.append(perf_counter() - began)
        into.missed += not expected(messages)
        return messages

    async def quietly(self, text: str) -> Messages:
        return await self._post(text, {"token": self._token} if self._token else {})

    async def _post(self, text: str, metadata: dict[str, str]) -> Messages:
        """Raises RuntimeError for an answer that is none."""
        body = {"sender": self._sender, "message": text, "metadata": metadata}
        async with self._http.post(self._url, json=body) as response:
            if response.status != 200:
                raise RuntimeError(f"“{text}” was answered with {response.status}: {await response.text()}")
            # Nothing, where something was misread and a person is awaited now: that counts as another answer.
            messages: Messages = await response.json()
        return messages


def answered(messages: Messages) -> bool:
    return bool(messages)


def buttons(messages: Messages) -> list[str]:
    """The payloads of the buttons that were shown last."""
    shown = [message["buttons"] for message in messages if message.get("buttons")]
    return [button["payload"] for button in shown[-1]] if shown else []


def offers(count: int) -> Callable[[Messages], bool]:
    """Whether this many buttons were shown."""
    return lambda messages: len(buttons(messages)) == count


def tells(text: str) -> Callable[[Messages], bool]:
    return lambda messages: any(text in str(message.get("text")) for message in messages)
