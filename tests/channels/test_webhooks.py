"""The doors for providers, over real HTTP, with the channels that stand there."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from channels import twilio, webhooks
from channels.sms import Sms
from channels.telegram import SECRET_HEADER, Telegram
from channels.twilio import Twilio
from channels.whatsapp import WhatsApp
from core.errors import NotFound
from core.message import Channel, Inbound, Receipt
from tests.channels.test_telegram import BASE, TAP, fetch
from tests.channels.test_twilio import CHAT, OURS, STATUS, TEXT
from tests.fakes.telegram import SECRET, TOKEN
from tests.fakes.twilio import SID, signed
from tests.fakes.twilio import TOKEN as TWILIO_TOKEN

PUBLIC = "https://effen.example"  # not where the tests' server listens: only the sender's signature knows it


class House:
    """What stands behind the doors, and remembers."""

    def __init__(self) -> None:
        self.items: list[Inbound | Receipt] = []
        self.refused: list[str] = []

    async def accept(self, item: Inbound | Receipt) -> None:
        if isinstance(item, Inbound) and item.account not in (OURS, "bloem"):
            raise NotFound("nobody's number")
        if isinstance(item, Inbound) and item.text == "break":
            raise RuntimeError("the database is gone")
        self.items.append(item)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def client(house: House) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    async with aiohttp.ClientSession() as session:
        account = Twilio(SID, TWILIO_TOKEN, session=session, public_url=PUBLIC)
        both: list[Channel] = [WhatsApp(account, {"bloem": OURS}), Sms(account, {"bloem": OURS})]
        telegram = Telegram({"bloem": (TOKEN, SECRET)}, fetch=fetch)
        doors: dict[str, list[Channel]] = {
            twilio.MESSAGES: both,
            twilio.STATUS: both,
            "/webhooks/telegram/{account}": [telegram],
            "/none": [],
        }
        app.add_routes(
            webhooks.routes(
                doors,
                public_url=PUBLIC,
                accept=house.accept,
                refused=house.refused.append,
                remote=lambda request: request.remote or "",
            )
        )
        async with TestServer(app) as server, aiohttp.ClientSession(server.make_url("/")) as client:
            yield client


@pytest.mark.parametrize(
    ("path", "fields", "channel", "kind"),
    [
        pytest.param(twilio.MESSAGES, TEXT, "sms", Inbound, id="SMS"),
        pytest.param(twilio.MESSAGES, CHAT, "whatsapp", Inbound, id="WhatsApp"),
        pytest.param(twilio.STATUS, STATUS, "sms", Receipt, id="a receipt"),
        pytest.param(f"{twilio.MESSAGES}?a=b%20c&d=%C3%A9", TEXT, "sms", Inbound, id="with a query"),
    ],
)
async def test_twilio(
    client: aiohttp.ClientSession, house: House, path: str, fields: dict[str, str], channel: str, kind: type
) -> None:
    body, headers = signed(PUBLIC + path, fields)
    async with client.post(URL(path, encoded=True), data=body, headers=headers | {"Host": "evil.example"}) as response:
        assert response.status == 200
        assert response.content_type == "text/xml"
        assert (await response.text()).endswith("<Response/>")
    (item,) = house.items
    assert (item.channel, type(item)) == (channel, kind)


@pytest.mark.parametrize(
    ("signed_as", "fields", "status", "refused"),
    [
        pytest.param("http://effen.example", TEXT, 403, ["whatsapp"], id="another scheme"),
        pytest.param("https://evil.example", TEXT, 403, ["whatsapp"], id="another host"),
        pytest.param(PUBLIC, {"Body": "Hoi"}, 400, [], id="unreadable"),
        pytest.param(PUBLIC, TEXT | {"To": "+31000"}, 404, [], id="nobody's number"),
        pytest.param(PUBLIC, TEXT | {"Body": "break"}, 500, [], id="a fault of ours: they try again"),
    ],
)
async def test_twilio_is_refused(
    client: aiohttp.ClientSession,
    house: House,
    signed_as: str,
    fields: dict[str, str],
    status: int,
    refused: list[str],
) -> None:
    body, headers = signed(signed_as + twilio.MESSAGES, fields)
    async with client.post(twilio.MESSAGES, data=body, headers=headers) as response:
        assert response.status == status
    assert house.items == []
    assert house.refused == refused


@pytest.mark.parametrize(
    ("account", "secret", "body", "status"),
    [
        pytest.param("bloem", SECRET, json.dumps({"update_id": 1, "message": BASE | {"text": "Hoi"}}), 200, id="text"),
        pytest.param("bloem", "guess", json.dumps({"update_id": 1}), 403, id="a guessed secret"),
        pytest.param("nobody", SECRET, json.dumps({"update_id": 1}), 404, id="no such account"),
        pytest.param("bloem", SECRET, "{", 400, id="unreadable"),
        pytest.param("bloem", SECRET, "x" * (webhooks.MAX_BODY + 1), 413, id="too large"),
    ],
)
async def test_telegram(
    client: aiohttp.ClientSession, house: House, account: str, secret: str, body: str, status: int
) -> None:
    headers = {SECRET_HEADER: secret}
    async with client.post(f"/webhooks/telegram/{account}", data=body, headers=headers) as response:
        assert response.status == status
    assert len(house.items) == (status == 200)
    assert house.refused == (["telegram"] if status == 403 else [])


async def test_a_tap_stops_waiting(client: aiohttp.ClientSession) -> None:
    update = {"update_id": 1, "callback_query": TAP}
    async with client.post("/webhooks/telegram/bloem", json=update, headers={SECRET_HEADER: SECRET}) as response:
        assert await response.json() == {"method": "answerCallbackQuery", "callback_query_id": "cb1"}


async def test_a_door_without_channels_is_no_door(client: aiohttp.ClientSession) -> None:
    async with client.post("/none") as response:
        assert response.status == 404
