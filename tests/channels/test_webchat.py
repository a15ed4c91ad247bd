"""Rasa's socket.io channel with a real client on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import socketio
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.origins import Origins
from channels.rate import Brake, Rate
from channels.web import WEB, Web
from channels.webchat import WebChat
from core.message import Address
from tests.channels.desk import Desk, listed, rendered

LONG = "s" * 22
BLOEM = {"customData": {"creditor": "bloem", "locale": "nl"}}


class Line:
    """One web page: what it hears, in order."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient()
        self._heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        for event in ("session_confirm", "history", "bot_uttered", "chat_error"):
            self.client.on(event, self._hearing(event))

    def _hearing(self, event: str) -> Callable[[Any], None]:
        return lambda payload: self._heard.put_nowait((event, payload))

    async def says(self, event: str, *data: Any) -> Any:
        """The acknowledgement, after which everything that the event led to has been heard."""
        return await self.client.call(event, *data, timeout=5)

    async def hears(self) -> tuple[str, Any]:
        return await asyncio.wait_for(self._heard.get(), 5)

    def heard(self) -> list[tuple[str, Any]]:
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]


@pytest.fixture
def desk() -> Desk:
    return Desk(history=[{"text": "Eerder", "metadata": {"id": "m0"}}])


@pytest.fixture
async def chat(desk: Desk) -> WebChat:
    brake = Brake(lambda: 0.0, session=Rate(4, 1))
    return WebChat(desk, Origins("https://effen.example", listed), brake, lambda request: request.remote or "")


@pytest.fixture
async def address(chat: WebChat) -> AsyncIterator[str]:
    app = web.Application()
    chat.server.attach(app)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")
        await chat.server.shutdown()


@pytest.fixture
async def call(address: str) -> AsyncIterator[Callable[..., Any]]:
    lines: list[Line] = []

    async def dial(**more: Any) -> Line:
        line = Line()
        await line.client.connect(address, **more)
        lines.append(line)
        return line

    yield dial
    for line in lines:
        await line.client.disconnect()


async def test_a_session_is_made_and_its_history_shown(call: Any, desk: Desk) -> None:
    line = await call()
    confirmed = await line.says("session_request", {"session_id": None} | BLOEM)
    session = confirmed["session_id"]
    assert len(session) >= 22
    assert line.heard() == [("session_confirm", session), ("history", [{"text": "Eerder", "metadata": {"id": "m0"}}])]
    opened = {"event": "open", "creditor": "bloem", "session": session, "locale": "nl", "token": None}
    assert desk.heard == [opened | {"remote": "127.0.0.1"}]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(LONG, True, id="long"),
        pytest.param("0" * 32, True, id="one of Rasa's own"),
        pytest.param("s" * 21, False, id="short"),
        pytest.param("s" * 129, False, id="endless"),
        pytest.param("bloem/" + LONG, False, id="with a slash"),
        pytest.param(7, False, id="a number"),
    ],
)
async def test_sessions_that_can_be_guessed_are_replaced(call: Any, given: object, kept: bool) -> None:
    line = await call()
    confirmed = await line.says("session_request", {"session_id": given} | BLOEM)
    assert (confirmed["session_id"] == given) is kept


async def test_a_message_with_all_its_details(call: Any, desk: Desk) -> None:
    line = await call()
    await line.says("session_request", {"session_id": LONG} | BLOEM)
    more = {"creditor": "tak", "locale": "fr", "token": "t.o.k", "message_id": "c-1", "button": "b-1"}
    assert await line.says("user_uttered", {"message": "Betalen", "session_id": "x", "metadata": more}) == {
        "message_id": "c-1"
    }
    # The line's creditor and session stand: neither can be changed by a message.
    assert desk.heard[-1] == {
        "event": "receive",
        "creditor": "bloem",
        "session": LONG,
        "text": "Betalen",
        "button": "b-1",
        "message_id": "c-1",
        "locale": "fr",
        "token": "t.o.k",
        "remote": "127.0.0.1",
    }


async def test_a_message_kept_during_a_broken_line_opens_its_session(call: Any, desk: Desk) -> None:
    line = await call()
    await line.says("user_uttered", {"message": "Hoi", "session_id": LONG} | BLOEM)
    assert [heard["event"] for heard in desk.heard] == ["open", "receive"]
    assert {heard["session"] for heard in desk.heard} == {LONG}
    assert line.heard()[0] == ("session_confirm", LONG)


async def test_only_the_session_s_own_pages_hear_it(call: Any, chat: WebChat) -> None:
    mine, also_mine, other_session, other_creditor = [await call() for _ in range(4)]
    for line, session, creditor in (
        (mine, LONG, "bloem"),
        (also_mine, LONG, "bloem"),
        (other_session, "t" * 22, "bloem"),
        (other_creditor, LONG, "tak"),
    ):
        await line.says("session_request", {"session_id": session, "customData": {"creditor": creditor}})
        line.heard()
    await Web("web", WEB, chat.emit).send(rendered("Voor jou", address=Address(LONG)))
    for line in (mine, also_mine):
        event, payload = await line.hears()
        assert (event, payload["text"]) == ("bot_uttered", "Voor jou")
    for line in (other_session, other_creditor):
        await line.says("user_uttered", {"message": "Hoi"})  # an answer that would come after it
        assert line.heard() == []


async def test_identify_leaves_the_old_session(call: Any, chat: WebChat) -> None:
    line = await call()
    await line.says("session_request", {"session_id": LONG} | BLOEM)
    fresh = (await line.says("session_request", {"session_id": None} | BLOEM))["session_id"]
    line.heard()
    web_channel = Web("web", WEB, chat.emit)
    await web_channel.send(rendered("Oud", address=Address(LONG)))
    await web_channel.send(rendered("Nieuw", address=Address(fresh)))
    assert (await line.hears())[1]["text"] == "Nieuw"


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        pytest.param("session_request", [{"customData": {"creditor": "nobody"}}], "not_found", id="unknown creditor"),
        pytest.param("session_request", [{}], "not_found", id="no creditor, and several"),
        pytest.param("session_request", [], "not_found", id="nothing at all"),
        pytest.param("session_request", [{"customData": "bloem"}], "bad_input", id="customData as a string"),
        pytest.param("session_request", [{"customData": {"token": "t" * 5000}}], "bad_input", id="an endless token"),
        pytest.param("user_uttered", [], "bad_input", id="no message"),
        pytest.param("user_uttered", ["Hoi"], "bad_input", id="a bare string"),
        pytest.param("user_uttered", [{"message": ["Hoi"]} | BLOEM], "bad_input", id="a list"),
        pytest.param("user_uttered", [{"message": b"Hoi"} | BLOEM], "bad_input", id="bytes"),
    ],
)
async def test_what_cannot_be_used_is_said(call: Any, desk: Desk, event: str, data: list[Any], code: str) -> None:
    line = await call()
    assert await line.says(event, *data) == {"error": code}
    ((name, error),) = line.heard()
    assert (name, error["code"]) == ("chat_error", code)
    assert desk.heard == []


async def test_too_fast(call: Any, desk: Desk) -> None:
    line = await call()
    await line.says("session_request", {"session_id": LONG} | BLOEM)
    answers = [await line.says("user_uttered", {"message": "Hoi"}) for _ in range(4)]
    assert [answer.get("error") for answer in answers] == [None, None, None, "slow_down"]
    assert line.heard()[-1] == ("chat_error", {"code": "slow_down", "seconds": 1})
    assert len(desk.heard) == 4


@pytest.mark.parametrize(
    ("origin", "creditor", "connects", "error"),
    [
        pytest.param("https://bloem.example", "bloem", True, None, id="the creditor's page"),
        pytest.param("https://effen.example", "bloem", True, None, id="our own page"),
        pytest.param("https://tak.example", "bloem", True, "not_found", id="another creditor's page"),
        pytest.param("https://evil.example", "bloem", False, None, id="a stranger's page"),
    ],
)
async def test_origins(call: Any, origin: str, creditor: str, connects: bool, error: str | None) -> None:
    if not connects:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await call(headers={"Origin": origin})
        return
    line = await call(headers={"Origin": origin})
    answer = await line.says("session_request", {"customData": {"creditor": creditor}})
    assert answer.get("error") == error


async def test_a_page_may_read_what_its_origin_allows(address: str) -> None:
    async with aiohttp.ClientSession() as client:
        url = f"{address}/socket.io/?EIO=4&transport=polling"
        async with client.get(url, headers={"Origin": "https://bloem.example"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://bloem.example"
