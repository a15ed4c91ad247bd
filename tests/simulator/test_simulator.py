"""The phones, with real channels behind real doors: a message goes all the way there and back."""

import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from channels.sms import Sms
from core.errors import SendFailed
from core.lifecycle import OutboundState
from core.message import Choice, Fetches, Inbound, Receipt, Rendered
from core.pictures import MOST
from simulator.network import Bubble, Network, now
from tests.simulator.house import ADDRESS, BOTS, FENNA, JPEG, PNG, SID, TOKEN, House, housed


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with housed() as house:
        yield house


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


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


@pytest.mark.parametrize("text", ["", "De bloempot is kapot"])
@pytest.mark.parametrize("picture", [pytest.param(PNG, id="PNG"), pytest.param(JPEG, id="JPEG")])
@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
async def test_a_picture_of_theirs(house: House, channel: str, picture: bytes, text: str) -> None:
    await house.say(channel, text=text, picture=encoded(picture))
    (heard,) = house.heard
    assert isinstance(heard, Inbound)
    assert heard.text == text
    (media,) = heard.media
    fetches = house.channels[channel]
    assert isinstance(fetches, Fetches)
    assert await fetches.fetch("bloem", media, MOST) == picture
    (shown,) = (await house.phone(channel))["bubbles"]
    assert (shown["mine"], shown["text"], shown["status"]) == (True, text, "")
    async with house.session.get(house.url + shown["image"]) as response:
        assert response.content_type == ("image/png" if picture == PNG else "image/jpeg")
        assert await response.read() == picture


async def test_twilio_keeps_a_picture_for_its_account(house: House) -> None:
    await house.say("whatsapp", picture=encoded(PNG))
    assert isinstance(house.heard[0], Inbound)
    (media,) = house.heard[0].media
    assert re.fullmatch(
        rf"https://api\.twilio\.com/2010-04-01/Accounts/{SID}/Messages/MM\w{{32}}/Media/ME\w{{32}}", media
    )
    kept = media.replace("https://api.twilio.com", f"{house.url}/simulator/twilio")
    ours = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
    theirs = {"Authorization": aiohttp.encode_basic_auth(SID, "a-guess")}
    for url, headers, status in ((kept, ours, 200), (kept, theirs, 401), (kept, {}, 401), (kept[:-1] + "x", ours, 404)):
        async with house.session.get(url, headers=headers) as response:
            assert response.status == status


async def test_telegram_keeps_a_picture_for_its_bot(house: House) -> None:
    await house.say("telegram", picture=encoded(PNG))
    assert isinstance(house.heard[0], Inbound)
    (media,) = house.heard[0].media
    token, _ = BOTS["bloem"]
    base = f"{house.url}/simulator/telegram"
    async with house.session.post(f"{base}/bot{token}/getFile", data={"file_id": media}) as response:
        file = (await response.json())["result"]
    assert (file["file_id"], file["file_size"]) == (media, len(PNG))
    for url, status in ((f"bot{token}", 200), ("bot1:guess", 401)):
        async with house.session.get(f"{base}/file/{url}/{file['file_path']}") as response:
            assert response.status == status
    async with house.session.post(f"{base}/bot{token}/getFile", data={"file_id": "another"}) as response:
        assert (response.status, (await response.json())["error_code"]) == (400, 400)


def test_the_oldest_pictures_go() -> None:
    network = Network()
    bubbles = [Bubble(f"MM{number}", True, "", now()) for number in range(100)]
    for bubble in bubbles:
        network.keep(bubble, bytes(1024 * 1024))
    assert list(network.pictures) == [bubble.id for bubble in bubbles[-64:]]


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
    found = await channel.find(message, datetime.now(UTC) - timedelta(seconds=5))
    assert found and found.provider_id == sid


@pytest.mark.parametrize(
    ("channel", "what", "status"),
    [
        pytest.param("sms", {"text": "  "}, 400, id="nothing"),
        pytest.param("sms", {"text": "Hoi", "phone": "me"}, 400, id="no number"),
        pytest.param("sms", {"bubble": "x", "choice": "y"}, 400, id="no such button"),
        pytest.param("sms", {"blocked": True}, 400, id="an SMS cannot be blocked"),
        pytest.param("sms", {"picture": encoded(PNG)}, 400, id="no picture on SMS"),
        pytest.param("whatsapp", {"picture": encoded(b"%PDF-1.7" + bytes(40))}, 400, id="no picture"),
        pytest.param("whatsapp", {"picture": "é"}, 400, id="no base64"),
        pytest.param("telegram", {"picture": encoded(JPEG[:4] + bytes(MOST))}, 400, id="a picture too large"),
        pytest.param("telegram", {"picture": encoded(bytes(2 * MOST))}, 413, id="far too large"),
        pytest.param("fax", {"text": "Hoi"}, 404, id="no such channel"),
        pytest.param("sms", {"text": "Hoi", "creditor": "tak"}, 404, id="no such creditor"),
    ],
)
async def test_what_a_phone_cannot_do(house: House, channel: str, what: dict[str, Any], status: int) -> None:
    await house.say(channel, status, **what)
    assert house.heard == []
    if channel in house.channels and "phone" not in what and "creditor" not in what:
        assert (await house.phone(channel))["bubbles"] == []


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
