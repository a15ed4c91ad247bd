"""Our side of the phones, with real channels behind real doors, on one port with the simulator."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import segno
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

import simulator
from channels import twilio, webhooks
from channels.picture import Pictures
from channels.sms import Sms
from channels.telegram import Telegram
from channels.twilio import Twilio
from channels.whatsapp import WhatsApp
from core.message import Address, Channel, Inbound, Receipt, Rendered

FENNA = simulator.Person("Fenna", "+31600000001")
SID, TOKEN = "AC" + "0" * 32, "a-token"
NUMBERS = {"whatsapp": {"bloem": "+3197000000001"}, "sms": {"bloem": "+3197000000002"}}
BOTS = {"bloem": ("123:abc", "a-secret")}
ADDRESS = {
    "whatsapp": Address("whatsapp:+31600000001"),
    "sms": Address("+31600000001"),
    "telegram": Address("31600000001"),
}


def _drawn() -> bytes:
    file = io.BytesIO()
    segno.make("Effen").save(file, kind="png", scale=4)
    return file.getvalue()


# One that a browser can draw, and one that is larger than any other request.
PNG = _drawn()
JPEG = b"\xff\xd8\xff\xe0" + bytes(2_000_000)


class House:
    """Our side, on one port with the simulator, as in development."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self.session = session
        self.heard: list[Inbound | Receipt] = []
        self._came = asyncio.Condition()
        account = Twilio(SID, TOKEN, session=session, public_url=url, api_url=f"{url}/simulator/twilio")
        self.telegram = Telegram(BOTS, fetch=Pictures(session, url).fetch, api_url=f"{url}/simulator/telegram")
        self.channels: dict[str, Channel] = {
            "whatsapp": WhatsApp(account, NUMBERS["whatsapp"]),
            "sms": Sms(account, NUMBERS["sms"]),
            "telegram": self.telegram,
        }

    async def accept(self, item: Inbound | Receipt) -> None:
        async with self._came:
            self.heard.append(item)
            self._came.notify_all()

    async def say(self, channel: str, status: int = 200, **what: Any) -> None:
        asked = {"creditor": "bloem", "phone": FENNA.phone, "channel": channel} | what
        body, headers = io.BytesIO(json.dumps(asked).encode()), {"Content-Type": "application/json"}
        async with self.session.post(f"{self.url}/simulator/say", data=body, headers=headers) as response:
            assert response.status == status

    async def phone(self, channel: str) -> dict[str, Any]:
        query = {"creditor": "bloem", "phone": FENNA.phone}
        async with self.session.get(f"{self.url}/simulator/phones", params=query) as response:
            phones: dict[str, dict[str, Any]] = await response.json()
            return phones[channel]

    async def send(self, channel: str, text: str = "Dag Fenna", **more: Any) -> str:
        return await self.channels[channel].send(Rendered("m1", "bloem", ADDRESS[channel], text, **more))

    async def receives(self, wanted: Callable[[Inbound | Receipt], bool]) -> None:
        async with asyncio.timeout(5), self._came:
            await self._came.wait_for(lambda: any(wanted(item) for item in self.heard))


@asynccontextmanager
async def housed() -> AsyncIterator[House]:
    """Listening until the block ends."""

    async def qr(request: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="image/png")

    port = unused_port()
    app = web.Application()
    async with aiohttp.ClientSession() as session:
        house = House(session, f"http://127.0.0.1:{port}")
        both = [house.channels["whatsapp"], house.channels["sms"]]
        doors = {
            twilio.MESSAGES: both,
            twilio.STATUS: both,
            "/webhooks/telegram/{account}": [house.channels["telegram"]],
        }
        app.add_routes(
            webhooks.routes(
                doors,
                public_url=house.url,
                accept=house.accept,
                refused=lambda name: pytest.fail(f"{name}: not signed"),
                remote=lambda request: "",
            )
        )
        app.add_routes(
            simulator.routes(
                [FENNA],
                whatsapp=NUMBERS["whatsapp"],
                sms=NUMBERS["sms"],
                telegram=BOTS,
                twilio=(SID, TOKEN),
                public_url=house.url,
                session=session,
            )
        )
        app.router.add_get("/p/t/qr.png", qr)
        async with TestServer(app, port=port):
            yield house
            await house.telegram.close()
