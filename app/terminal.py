"""`effen chat`: the bot in a terminal, through the running app's REST channel like any other client."""

import asyncio
import sys
from typing import Any

import aiohttp

from core.errors import EffenError
from core.ids import new_secret

_TIMEOUT = aiohttp.ClientTimeout(total=40)


class NotReachable(EffenError):
    """The app could not be reached."""


async def talk(public_url: str, creditor: str | None, locale: str | None) -> None:
    """Read lines until the end of input or an empty one. A button is chosen by its number."""
    sender = new_secret()
    metadata = {name: value for name, value in (("creditor", creditor), ("locale", locale)) if value}
    offered: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        while line := (await asyncio.to_thread(_ask)).strip():
            chosen = int(line) - 1 if line.isdecimal() else -1
            message = offered[chosen]["payload"] if 0 <= chosen < len(offered) else line
            body = {"sender": sender, "message": message, "metadata": metadata}
            try:
                async with session.post(f"{public_url}/webhooks/rest/webhook", json=body) as response:
                    answer = await response.json(content_type=None)
                    if response.status != 200:
                        raise NotReachable(answer.get("detail", f"the app answered {response.status}"))
            except (TimeoutError, aiohttp.ClientError) as error:
                why = f"no app answers at {public_url} ({type(error).__name__})"
                raise NotReachable(f"{why}: start it with `effen demo` or `effen serve`") from None
            offered = _show(answer)


def _ask() -> str:
    sys.stdout.write("\n› " if sys.stdin.isatty() else "")
    sys.stdout.flush()
    return sys.stdin.readline()


def _show(answer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print what was said; returns the buttons of its last message that had any."""
    offered: list[dict[str, Any]] = []
    for message in answer:
        sys.stdout.write(f"\n{message['text']}\n")
        if image := message.get("image"):
            sys.stdout.write(f"[{image}]\n")
        if buttons := message.get("buttons"):
            offered = buttons
            sys.stdout.writelines(f"  {number}. {button['title']}\n" for number, button in enumerate(buttons, 1))
    sys.stdout.flush()
    return offered
