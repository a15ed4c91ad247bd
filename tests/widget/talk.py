"""A conversation behind the widget that answers from a list, and a page that carries the widget."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

import widget
from channels.origins import Origins
from channels.rate import Brake, Rate
from channels.web import WEB, Web, utterances
from channels.webchat import WebChat
from core.creditor import Alerts, Brand, Creditor
from core.errors import BadInput, NotFound
from core.ids import CreditorKey
from core.message import Address, Rendered
from core.money import Money
from locales import Renderer

BLOEM = Creditor(
    key="bloem",
    name="Bloem & Blad",
    country="NL",
    registration="KvK 12345678",
    languages=["nl", "en"],
    iban="NL02ABNA0123456789",
    brand=Brand(color="#0b6e4f"),
    alerts=Alerts(urgent="care@example.test"),
)
AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


async def find(key: str) -> Creditor:
    if key != BLOEM.key:
        raise NotFound("no such creditor")
    return BLOEM


class Talk:
    """Fills `channels.web.Chat`: remembers each session, and answers a text with what `answers` has for it."""

    def __init__(self, public_url: str, answers: Mapping[str, Sequence[Rendered]]) -> None:
        self.answers = answers
        self.heard: list[dict[str, Any]] = []
        self.down = False  # the line, not the pages
        self.lines: list[asyncio.Transport] = []
        self.refuses = False  # as when somebody writes too fast
        self.refused: list[str] = []
        self._sessions: dict[str, list[Mapping[str, Any]]] = {}
        brake = Brake(lambda: 0.0, session=Rate(100, 1))
        self.chat = WebChat(self, Origins(public_url, lambda creditor: []), brake, lambda request: request.remote or "")
        self._channel = Web("web", WEB, self.chat.emit)

    async def creditor(self, key: str | None) -> Creditor:
        return await find(key or "")

    async def open(self, creditor: str, session: str, **more: Any) -> Sequence[Mapping[str, Any]]:
        return self._sessions.setdefault(session, [])

    async def receive(self, creditor: str, session: str, text: str, **more: Any) -> None:
        if self.refuses:
            self.refused.append(more["message_id"])
            raise BadInput("refused")
        said = self._sessions.setdefault(session, [])
        own = {"text": text, "metadata": {"id": more["message_id"], "author": "person", "at": AT.isoformat()}}
        if own in said:
            return
        said.append(own)
        self.heard.append({"session": session, "text": text, **more})
        for answer in self.answers.get(text, ()):
            await self.say(session, answer)

    async def say(self, session: str, message: Rendered) -> None:
        message = replace(message, address=Address(session))
        self._sessions.setdefault(session, []).extend(utterances(message))
        await self._channel.send(message)

    def hang_up(self) -> None:
        """Every line breaks."""
        for line in self.lines:
            line.close()

    async def ask(self, *_: Any, **__: Any) -> Sequence[Rendered]:
        return []


OFFERS = [
    widget.Offer("Monstera deliciosa", "Gatenplant, 60 cm hoog. Houdt van licht, niet van felle zon.", Money(3495)),
    widget.Offer("Kleine cactus", "Vraagt bijna niets: om de drie weken een slokje water.", Money(895)),
    widget.Offer("Olijfboom in pot", "Voor balkon en terras, kan een graad vorst hebben.", Money(4950)),
]
CUSTOMERS = [widget.Customer("K1001", "Sanne de Vries"), widget.Customer("K1002", "Youssef Amrani")]


@asynccontextmanager
async def shop(answers: Mapping[str, Sequence[Rendered]]) -> AsyncIterator[tuple[str, Talk]]:
    """The shop with the widget, on loopback: its address, and the conversation behind it."""
    texts = Renderer()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        talk = Talk(address, answers)
        app = web.Application(middlewares=[_line(talk)])
        talk.chat.server.attach(app)
        app.add_routes(widget.routes(find, texts))
        app.add_routes(
            widget.shop_routes(CreditorKey("bloem"), texts, _offers, _customers, lambda number: f"h.{number}.s")
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        yield address, talk
        await talk.chat.server.shutdown()
        await runner.cleanup()


def _line(talk: Talk) -> Middleware:
    @web.middleware
    async def when_up(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/socket.io/"):
            if talk.down:
                raise web.HTTPServiceUnavailable
            if request.transport:
                talk.lines.append(request.transport)
        return await handler(request)

    return when_up


async def _offers() -> Sequence[widget.Offer]:
    return OFFERS


async def _customers() -> Sequence[widget.Customer]:
    return CUSTOMERS


def said(identifier: str, text: str, **more: Any) -> Rendered:
    return Rendered(id=identifier, account="bloem", address=Address(""), text=text, at=AT, **more)
