"""The phones, with real channels behind real doors: a message goes all the way there and back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

import simulator
from channels import twilio, webhooks
from channels.picture import Pictures
from channels.sms import Sms
from channels.telegram import Telegram
from channels.twilio import Twilio
from channels.whatsapp import WhatsApp
from core.errors import SendFailed
from core.lifecycle import OutboundState
from core.message import Address, Channel, Choice, Inbound, Receipt, Rendered

FENNA = simulator.Person("Fenna", "+31600000001")
SID, TOKEN = "AC" + "0" * 32, "a-token"
NUMBERS = {"whatsapp": {"bloem": "+3197000000001"}, "sms": {"bloem": "+3197000000002"}}
BOTS = {"bloem": ("123:abc", "a-secret")}
ADDRESS = {
    "whatsapp": Address("whatsapp:+31600000001"),
    "sms": Address("+31600000001"),
    "telegram": Address("31600000001"),
}
PNG = b"\x89PNG"


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
        async with self.session.post(f"{self.url}/simulator/say", json=asked) as response:
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


@pytest.fixture
async def house() -> AsyncIterator[House]:
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


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "telegram"])
async def test_there_and_back(house: House, channel: str) -> None:
    await house.say(channel, text="Hoi")
    (heard,) = house.heard
    assert isinstance(heard, Inbound)
    assert (heard.channel, heard.address, heard.text) == (channel, ADDRESS[channel], "Hoi")
    await house.send(channel)
    shown = await house.phone(channel)
    assert [(bubble["mine"], bubble["text"]) for bubble in shown["bubbles"]] == [(True, "Hoi"), (False, "Dag Fenna")]
    assert shown["bubbles"][0]["status"] == ""


@pytest.mark.parametrize(
    ("channel", "count"),
    [
        pytest.param("whatsapp", 2, id="WhatsApp's buttons"),
        pytest.param("whatsapp", 5, id="WhatsApp's list"),
        pytest.param("telegram", 3, id="Telegram's keyboard"),
    ],
)
async def test_a_tap(house: House, channel: str, count: int) -> None:
    await house.say(channel, text="/start")
    await house.send(channel, choices=[Choice(f"b-{n}", f"Keuze {n}") for n in range(count)])
    asked = (await house.phone(channel))["bubbles"][-1]
    assert [(choice["id"], choice["title"]) for choice in asked["choices"]] == [
        (f"b-{n}", f"Keuze {n}") for n in range(count)
    ]
    await house.say(channel, bubble=asked["id"], choice="b-1")
    tap = house.heard[-1]
    assert isinstance(tap, Inbound)
    assert (tap.button, tap.text) == ("b-1", "Keuze 1")


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
async def test_a_picture(house: House, channel: str) -> None:
    await house.say(channel, text="/start")
    await house.send(channel, image=f"{house.url}/p/t/qr.png")
    image = (await house.phone(channel))["bubbles"][-1]["image"]
    async with house.session.get(image if image.startswith("http") else house.url + image) as response:
        assert await response.read() == PNG


async def test_receipts_come_back(house: House) -> None:
    await house.say("whatsapp", text="Hoi")
    sid = await house.send("whatsapp")
    await house.receives(lambda item: item == Receipt("whatsapp", sid, OutboundState.DELIVERED))
    await house.phone("whatsapp")  # Fenna looks
    await house.receives(lambda item: item == Receipt("whatsapp", sid, OutboundState.READ))


async def test_outside_the_window_whatsapp_takes_and_refuses(house: House) -> None:
    sid = await house.send("whatsapp")
    await house.receives(lambda item: item == Receipt("whatsapp", sid, OutboundState.FAILED, "63016"))
    assert (await house.phone("whatsapp"))["bubbles"] == []


async def test_a_template_is_always_taken(house: House) -> None:
    await house.send("whatsapp", template="HX1", variables={"1": "Fenna"})
    assert (await house.phone("whatsapp"))["bubbles"][0]["text"] == "[HX1]\nFenna"


async def test_stop_on_sms(house: House) -> None:
    await house.say("sms", text="stop")
    assert isinstance(house.heard[-1], Inbound)
    assert house.heard[-1].opt_out
    with pytest.raises(SendFailed) as failed:
        await house.send("sms")
    assert failed.value.code == "21610"
    await house.say("sms", text="START")
    assert house.heard[-1].opt_in
    await house.send("sms")


async def test_blocking_a_bot(house: House) -> None:
    with pytest.raises(SendFailed) as failed:
        await house.send("telegram")
    assert failed.value.code == "400"  # a bot cannot write first
    await house.say("telegram", text="/start")
    await house.say("telegram", blocked=True)
    assert isinstance(house.heard[-1], Inbound)
    assert house.heard[-1].opt_out
    with pytest.raises(SendFailed) as failed:
        await house.send("telegram")
    assert failed.value.code == "blocked"
    await house.say("telegram", blocked=False)
    assert house.heard[-1].opt_in
    await house.send("telegram")


async def test_what_was_sent_is_found(house: House) -> None:
    await house.say("sms", text="Hoi")
    sid = await house.send("sms")
    channel = house.channels["sms"]
    assert isinstance(channel, Sms)
    message = Rendered("m1", "bloem", ADDRESS["sms"], "Dag Fenna")
    assert await channel.find(message, datetime.now(UTC) - timedelta(seconds=5)) == sid


@pytest.mark.parametrize(
    ("channel", "what", "status"),
    [
        pytest.param("sms", {"text": "  "}, 400, id="nothing"),
        pytest.param("sms", {"text": "Hoi", "phone": "me"}, 400, id="no number"),
        pytest.param("sms", {"bubble": "x", "choice": "y"}, 400, id="no such button"),
        pytest.param("sms", {"blocked": True}, 400, id="an SMS cannot be blocked"),
        pytest.param("fax", {"text": "Hoi"}, 404, id="no such channel"),
        pytest.param("sms", {"text": "Hoi", "creditor": "tak"}, 404, id="no such creditor"),
    ],
)
async def test_what_a_phone_cannot_do(house: House, channel: str, what: dict[str, Any], status: int) -> None:
    await house.say(channel, status, **what)
    assert house.heard == []


async def test_the_page(house: House) -> None:
    async with house.session.get(f"{house.url}/simulator") as response:
        page = await response.text()
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert FENNA.phone in page
    for name in ("simulator.js", "simulator.css", "simulator.svg"):
        assert f"/simulator/static/{name}" in page
        async with house.session.get(f"{house.url}/simulator/static/{name}") as response:
            assert response.status == 200


async def test_a_foreign_page_cannot_write(house: House) -> None:
    body = '{"creditor": "bloem", "phone": "+31600000001", "channel": "sms", "text": "Hoi"}'
    async with house.session.post(f"{house.url}/simulator/say", data=body) as response:
        assert response.status == 415
