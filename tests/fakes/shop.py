"""A shop that takes webhooks: it checks their signature with the reference library of Standard Webhooks."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from tests.fakes.server import Call, FakeServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Heard:
    id: str
    at: datetime
    body: Any


class FakeShop(FakeServer):
    """`statuses` are answered in turn, then 204."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self.heard: list[Heard] = []
        self.rang = asyncio.Event()

    @property
    def hook(self) -> str:
        return f"{self.url}/hook"

    async def answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        body = await request.read()
        identifier = request.headers["webhook-id"]
        at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        assert request.headers["webhook-signature"] == Webhook(SECRET).sign(identifier, at, body.decode())
        assert call.path == "/hook", "a redirect was followed"
        self.heard.append(Heard(identifier, at, call.json))
        self.rang.set()
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})
