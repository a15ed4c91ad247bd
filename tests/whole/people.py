"""People who write to the product, each over their own channel, as that channel's provider brings it."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import socketio

from core.ids import CreditorKey, new_id, new_secret
from desk.accounts import Accounts
from store.tables.people import contact_point
from store.tables.talk import button, conversation, outbound
from tests.desk.conftest import Browser
from tests.desk.world import PASSWORD
from tests.fakes.telegram import SECRET
from tests.fakes.twilio import TOKEN, media_url, signed
from tests.whole.stage import ENVIRONMENT, Stage

_numbers = itertools.count(1)


@dataclass
class Person:
    """`say` and `tap` return the keys of what was said in answer."""

    stage: Stage
    channel: str = ""
    address: str = ""

    async def write(self, text: str, button_id: str | None = None) -> None:
        raise NotImplementedError

    async def say(self, text: str) -> list[str]:
        return await self._answered(self.write(text))

    async def send(self, picture: str, text: str = "") -> list[str]:
        """A picture, by the name under which the provider keeps it, with a caption or without."""
        return await self._answered(self.write(text, picture=picture))  # type: ignore[call-arg]

    async def tap(self, title: str) -> list[str]:
        """Press the button whose message key is `title`: the first such one of the newest message that has any."""
        rows = await self.stage.rows(button, button.c.conversation_id == (await self.conversation()).id)
        shown = [row for row in rows if row.option["title"] == title]
        assert shown, f"no button {title} among {[row.option['title'] for row in rows]}"
        order = {row.id: row.seq for row in await self.stage.rows(outbound)}
        newest = max(shown, key=lambda row: (order[row.outbound_id], -row.position))
        return await self._answered(self.write("", newest.id))

    async def _answered(self, writing: Any) -> list[str]:
        before = await self.stage.last()
        await writing
        await self.stage.settled()
        return await self.stage.said(before)

    async def contact(self) -> Any:
        return await self.stage.one(
            contact_point, contact_point.c.channel == self.channel, contact_point.c.address == self.address
        )

    async def conversation(self) -> Any:
        return await self.stage.one(conversation, conversation.c.id == (await self.contact()).conversation_id)

    async def texts(self) -> list[str]:
        """What this person has read so far."""
        rows = await self.stage.rows(outbound, outbound.c.contact_point_id == (await self.contact()).id)
        return [part["text"] for row in rows if row.rendered for part in row.rendered]


@dataclass
class Visitor(Person):
    """In the web chat, over socket.io. `token`: the shop's, of a customer who is logged in there."""

    channel: str = "web"
    address: str = field(default_factory=new_secret)
    token: str | None = None
    locale: str = "nl"
    network: str = ""  # the network address that our proxy names
    heard: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    async def arrive(self) -> "Visitor":
        self._socket = socketio.AsyncClient(reconnection=False)
        confirmed = asyncio.Event()
        self._socket.on("bot_uttered", self.heard.append)
        self._socket.on("history", self.history.extend)
        self._socket.on("session_confirm", lambda session: confirmed.set())
        headers = {"X-Forwarded-For": self.network} if self.network else {}
        await self._socket.connect(self.stage.url, headers=headers, transports=["websocket"])
        details = {"creditor": "bloem", "locale": self.locale, "token": self.token}
        await self._socket.emit("session_request", {"session_id": self.address, "customData": details})
        await asyncio.wait_for(confirmed.wait(), 10)
        await self.stage.settled()
        return self

    async def leave(self) -> None:
        await self._socket.disconnect()

    async def write(self, text: str, button_id: str | None = None, message_id: str | None = None) -> None:
        details = {"creditor": "bloem", "message_id": message_id or new_id(), "button": button_id}
        body = {"message": text, "session_id": self.address, "customData": details}
        taken = await self._socket.call("user_uttered", body, timeout=10)
        assert "error" not in taken, taken


def logged_in(stage: Stage, customer_number: str) -> str:
    """The token that the shop signs for its customer."""
    claims = {"sub": customer_number, "exp": stage.clock.now() + timedelta(minutes=30)}
    return jwt.encode(claims, ENVIRONMENT["BLOEM_TOKEN_SECRET"], algorithm="HS256")


@dataclass
class RestClient(Person):
    """A client of Rasa's REST channel. `answers`: what the last call returned."""

    channel: str = "rest"
    address: str = field(default_factory=new_secret)
    locale: str | None = "nl"
    network: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)

    async def write(self, text: str, button_id: str | None = None, message_id: str | None = None) -> None:
        metadata = {"creditor": "bloem", "locale": self.locale, "message_id": message_id}
        body = {"sender": self.address, "message": button_id or text, "metadata": metadata}
        url = f"{self.stage.url}/webhooks/rest/webhook"
        headers = {"X-Forwarded-For": self.network} if self.network else {}
        async with self.stage.http.post(url, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            self.answers = await response.json()


@dataclass
class Phone(Person):
    """A telephone that sends SMS or WhatsApp messages through Twilio."""

    number: str = "+31600000009"
    channel: str = "sms"

    def __post_init__(self) -> None:
        self.address = f"whatsapp:{self.number}" if self.channel == "whatsapp" else self.number

    async def write(self, text: str, button_id: str | None = None, picture: str = "", **more: str) -> None:
        ours = {"whatsapp": "whatsapp:+3197000000001", "sms": "+3197000000002"}[self.channel]
        fields = {"MessageSid": f"SM{next(_numbers):032x}", "From": self.address, "To": ours, "Body": text, **more}
        if picture:
            fields |= {"NumMedia": "1", "MediaUrl0": media_url(picture), "MediaContentType0": "image/jpeg"}
        if button_id:
            fields |= {"ButtonPayload": button_id, "MessageType": "button"}
        assert await twilio_says(self.stage, "messages", fields) == 200


async def twilio_says(stage: Stage, what: str, fields: dict[str, str], token: str = TOKEN) -> int:
    """A webhook of Twilio's, `messages` or `status`; the status of our answer."""
    url = f"{stage.url}/webhooks/twilio/{what}"
    body, headers = signed(url, fields, token)
    async with stage.http.post(url, data=body, headers=headers) as response:
        return response.status


@dataclass
class Telegrammer(Person):
    """Somebody in a private chat with the creditor's bot."""

    channel: str = "telegram"
    address: str = "700100200"

    async def write(self, text: str, button_id: str | None = None, picture: str | None = None) -> None:
        number = next(_numbers)
        user = {"id": int(self.address), "is_bot": False, "first_name": "Varen", "language_code": "nl"}
        chat = {"id": int(self.address), "type": "private", "first_name": "Varen"}
        message = {"message_id": number, "date": 1_790_000_000, "chat": chat, "from": user, "text": text}
        if picture:
            size = {"file_id": picture, "file_unique_id": picture, "width": 300, "height": 300}
            message |= {"photo": [size], "caption": message.pop("text")}
        update: dict[str, Any] = {"update_id": number, "message": message}
        if button_id:
            tap = {"id": str(number), "from": user, "chat_instance": "1", "data": button_id, "message": message}
            update = {"update_id": number, "callback_query": tap}
        url = f"{self.stage.url}/webhooks/telegram/bloem"
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        async with self.stage.http.post(url, data=json.dumps(update), headers=headers) as response:
            assert response.status == 200, await response.text()


async def colleague(stage: Stage, name: str = "Roos Wilg", role: str = "agent") -> Browser:
    """Somebody of the creditor's, logged in at the desk."""
    email = f"{name.split()[0].lower()}@bloemenblad.example"
    await Accounts(stage.effen.db, stage.clock).add(CreditorKey("bloem"), email, name, role, PASSWORD)
    browser = Browser(stage.http, stage.url)
    assert (await browser.login(email)).status == 303
    return browser


async def act(stage: Stage, agent: Browser, conversation_id: str, deed: str, **form: str) -> list[str]:
    """What an agent does with a form of the desk; the keys of what was said."""
    before = await stage.last()
    if deed == "write":
        form["key"] = new_id()
    response = await agent.post(f"/desk/c/{conversation_id}/{deed}", form)
    assert response.status == 303, await response.text()
    await stage.settled()
    return await stage.said(before)
