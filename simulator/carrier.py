"""The way from a phone to us: webhooks, signed with the providers' secrets, over real HTTP."""

import asyncio
import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels import twilio
from channels.telegram import SECRET_HEADER
from channels.twilio_http import API_URL
from core.errors import BadInput
from core.pictures import media_type
from simulator.network import Bubble, Line, Network, Person

# Twilio recognises these itself on SMS, answers them, and says so: https://www.twilio.com/docs/messaging/tutorials/how-to-use-advanced-opt-out
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP", "YES"})
_PAUSE = 0.3  # seconds before a receipt: providers are not faster than their own answer


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the providers share with us; `bots` maps an account to its token and secret."""

    twilio_sid: str
    twilio_token: str
    bots: Mapping[str, tuple[str, str]]


class Carrier:
    """`public_url` is what providers would sign; `here` in each call is where this process itself listens."""

    def __init__(self, network: Network, secrets: Secrets, public_url: str, session: aiohttp.ClientSession) -> None:
        self._network = network
        self._secrets = secrets
        self._public_url = public_url.rstrip("/")
        self._session = session
        # Ids are new after a restart too: we have kept the old ones.
        self._updates = itertools.count(time.time_ns() // 1_000_000)
        self._receipts: set[asyncio.Task[None]] = set()

    async def say(self, here: str, person: Person, line: Line, text: str, picture: bytes = b"") -> None:
        """The person types, or sends a picture, where `text` is what is written under it."""
        bubble = self._network.hear(line, text, picture)
        if line.channel == "telegram":
            said = _photo(bubble, picture) if picture else {"text": text}
            await self._update(here, line, bubble, {"message": _message(person, bubble) | said})
            return
        fields = {"Body": text}
        if picture:
            # At Twilio's own host, whoever stands in for it.
            path = f"/2010-04-01/Accounts/{self._secrets.twilio_sid}/Messages/{bubble.id}/Media/{media_sid(bubble.id)}"
            fields |= {"NumMedia": "1", "MessageType": "image", "MediaUrl0": API_URL + path}
            fields |= {"MediaContentType0": media_type(picture) or ""}
        if line.channel == "sms":
            fields |= self._keyword(line, text)
        await self._post_message(here, person, line, bubble, fields)

    async def tap(self, here: str, person: Person, line: Line, asked: str, choice: str) -> None:
        """The person taps a button of ours. Raises BadInput."""
        bubble = self._network.find(line, asked)
        tapped = next((c for c in bubble.choices if c["id"] == choice), None) if bubble else None
        if bubble is None or tapped is None:
            raise BadInput("There is no such button.")
        heard = self._network.hear(line, tapped["title"])
        if line.channel == "telegram":
            query = {"id": heard.id, "from": _user(person), "chat_instance": line.ours, "data": choice}
            shown = _message(person, bubble) | {"text": bubble.text, "reply_markup": _keyboard(bubble)}
            await self._update(here, line, heard, {"callback_query": query | {"message": shown}})
            return
        fields = {"Body": tapped["title"]}
        if bubble.listed:
            fields |= {"MessageType": "interactive", "ListId": choice, "ListTitle": tapped["title"]}
        else:
            fields |= {"MessageType": "button", "ButtonPayload": choice, "ButtonText": tapped["title"]}
        await self._post_message(here, person, line, heard, fields)

    async def block(self, here: str, person: Person, line: Line, blocked: bool) -> None:
        """Telegram: the person blocks our bot, or lets it in again."""
        (self._network.closed.add if blocked else self._network.closed.discard)(line)
        bot = {"id": 1, "is_bot": True, "first_name": line.ours}
        states = [{"user": bot, "status": "member"}, {"user": bot, "status": "kicked", "until_date": 0}]
        old, new = states if blocked else reversed(states)
        change = {"chat": _chat(person), "from": _user(person), "date": int(time.time())}
        await self._update(
            here, line, None, {"my_chat_member": change | {"old_chat_member": old, "new_chat_member": new}}
        )

    def report(self, here: str, line: Line, bubble: Bubble, status: str, code: str = "") -> None:
        """Tell us later what became of a message."""
        bubble.status = status
        if bubble.callback:
            task = asyncio.create_task(self._report(here, line, bubble, status, code))
            self._receipts.add(task)
            task.add_done_callback(self._receipts.discard)

    async def _report(self, here: str, line: Line, bubble: Bubble, status: str, code: str) -> None:
        await asyncio.sleep(_PAUSE)
        prefix = twilio.WHATSAPP if line.channel == "whatsapp" else ""
        fields = {
            "MessageSid": bubble.id,
            "SmsSid": bubble.id,
            "AccountSid": self._secrets.twilio_sid,
            "From": prefix + line.ours,
            "To": prefix + line.phone,
            "MessageStatus": status,
            "SmsStatus": status,
        }
        await self._post_form(here, bubble.callback, fields | ({"ErrorCode": code} if code else {}))

    def _keyword(self, line: Line, text: str) -> dict[str, str]:
        word = text.strip().upper()
        if word in _STOP:
            self._network.closed.add(line)
            return {"OptOutType": "STOP"}
        if word in _START:
            self._network.closed.discard(line)
            return {"OptOutType": "START"}
        return {}

    async def _post_message(
        self, here: str, person: Person, line: Line, bubble: Bubble, fields: dict[str, str]
    ) -> None:
        prefix = twilio.WHATSAPP if line.channel == "whatsapp" else ""
        base = {
            "MessageSid": bubble.id,
            "SmsMessageSid": bubble.id,
            "AccountSid": self._secrets.twilio_sid,
            "ApiVersion": "2010-04-01",
            "From": prefix + line.phone,
            "To": prefix + line.ours,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
        }
        if prefix:
            base |= {"ProfileName": person.name, "WaId": line.phone.removeprefix("+")}
        status = await self._post_form(here, self._public_url + twilio.MESSAGES, base | fields)
        bubble.status = _heard(status)

    async def _post_form(self, here: str, url: str, fields: dict[str, str]) -> int:
        signature = RequestValidator(self._secrets.twilio_token).compute_signature(url, fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        return await self._post(here, url, urlencode(fields), headers)

    async def _update(self, here: str, line: Line, bubble: Bubble | None, what: Mapping[str, Any]) -> None:
        _, secret = self._secrets.bots[line.ours]
        url = f"{self._public_url}/webhooks/telegram/{line.ours}"
        headers = {"Content-Type": "application/json", SECRET_HEADER: secret}
        status = await self._post(here, url, json.dumps({"update_id": next(self._updates)} | dict(what)), headers)
        if bubble:
            bubble.status = _heard(status)

    async def _post(self, here: str, url: str, body: str, headers: Mapping[str, str]) -> int:
        """The HTTP status; 0 where nobody answered. The path is that of the public address, below its own prefix."""
        path = url.removeprefix(self._public_url) if url.startswith(self._public_url) else urlsplit(url).path
        try:
            async with self._session.post(here + path, data=body.encode(), headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


def here(request: web.Request) -> str:
    """Where this process listens, whatever the Host header says."""
    assert request.transport is not None
    host, port = request.transport.get_extra_info("sockname")[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def chat_id(phone: str) -> int:
    return int(phone.removeprefix("+"))


def media_sid(message_sid: str) -> str:
    """Of the picture that came with a message."""
    return "ME" + message_sid[2:]


def _heard(status: int) -> str:
    return "" if status == 200 else f"not taken: HTTP {status}"


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": chat_id(person.phone),
        "is_bot": False,
        "first_name": person.name,
        "language_code": person.locale,
    }


def _chat(person: Person) -> dict[str, Any]:
    return {"id": chat_id(person.phone), "type": "private", "first_name": person.name}


def _message(person: Person, bubble: Bubble) -> dict[str, Any]:
    return {"message_id": 1, "date": int(bubble.at.timestamp()), "chat": _chat(person), "from": _user(person)}


def _photo(bubble: Bubble, picture: bytes) -> dict[str, Any]:
    """From the smallest size to the best, as Telegram does. The small one is never drawn: only the best can be had."""
    small = {"file_id": f"{bubble.id}-90", "file_unique_id": f"{bubble.id}-90", "width": 90, "height": 90}
    best = {"file_id": bubble.id, "file_unique_id": bubble.id, "width": 1280, "height": 1280}
    return {"photo": [small, best | {"file_size": len(picture)}]} | ({"caption": bubble.text} if bubble.text else {})


def _keyboard(bubble: Bubble) -> dict[str, Any]:
    buttons = [
        {"text": choice["title"]} | ({"url": choice["url"]} if choice["url"] else {"callback_data": choice["id"]})
        for choice in bubble.choices
    ]
    return {"inline_keyboard": [[button] for button in buttons]}
