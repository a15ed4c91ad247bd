"""Rasa's REST channel over real HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels import rest
from channels.origins import Origins
from channels.rate import Brake, Rate
from core.message import Choice
from tests.channels.desk import BLOEM, Desk, listed, rendered


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    origins = Origins("https://effen.example", listed)
    brake = Brake(lambda: 0.0, session=Rate(3, 1))
    app.add_routes(rest.routes(desk, origins, brake, lambda request: request.remote or ""))
    async with TestServer(app) as server, aiohttp.ClientSession(server.make_url("/")) as client:
        yield client


ASKED = {"sender": "me", "message": "Hoi", "metadata": {"creditor": "bloem"}}


async def test_a_turn(client: aiohttp.ClientSession, desk: Desk) -> None:
    desk.says = [rendered("Dag!", choices=[Choice("b-1", "Betalen")]), rendered("En verder?")]
    metadata = {"creditor": "bloem", "locale": "nl", "token": "t.o.k", "message_id": "c-1"}
    async with client.post(rest.PATH, json=ASKED | {"metadata": metadata}) as response:
        assert response.status == 200
        assert await response.json() == [
            {"recipient_id": "me", "text": "Dag!", "buttons": [{"title": "Betalen", "payload": "b-1"}]},
            {"recipient_id": "me", "text": "En verder?"},
        ]
    assert desk.heard == [
        {
            "event": "ask",
            "creditor": "bloem",
            "session": "me",
            "text": "Hoi",
            "message_id": "c-1",
            "locale": "nl",
            "token": "t.o.k",
            "remote": "127.0.0.1",
            "seconds": 25.0,
        }
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(json.dumps(ASKED), 200, id="JSON as text/plain"),
        pytest.param(json.dumps(ASKED | {"message": "/betalen"}), 200, id="a slash is text"),
        pytest.param(json.dumps(ASKED | {"message": "x" * 5_000}), 200, id="over-long is cut further on"),
        pytest.param("{", 400, id="not JSON"),
        pytest.param("[]", 400, id="no object"),
        pytest.param("[" * 20_000, 400, id="nested without end"),
        pytest.param("\ud800".encode("utf-8", "surrogatepass"), 400, id="not UTF-8"),
        pytest.param(json.dumps({"sender": "me", "metadata": {"creditor": "bloem"}}), 400, id="no message"),
        pytest.param(json.dumps(ASKED | {"message": 7}), 400, id="a number as message"),
        pytest.param(json.dumps(ASKED | {"sender": {"a": 1}}), 400, id="an object as sender"),
        pytest.param(json.dumps(ASKED | {"sender": "s" * 129}), 400, id="a long sender"),
        pytest.param(json.dumps(ASKED | {"metadata": "bloem"}), 400, id="metadata as a string"),
        pytest.param(json.dumps(ASKED | {"metadata": {"creditor": ["bloem"]}}), 400, id="a list as creditor"),
        pytest.param(json.dumps(ASKED | {"metadata": {"creditor": "nobody"}}), 404, id="unknown creditor"),
        pytest.param(json.dumps(ASKED | {"metadata": None}), 404, id="several creditors and none named"),
        pytest.param("x" * (rest.MAX_BODY + 1), 413, id="too large"),
    ],
)
async def test_bodies(client: aiohttp.ClientSession, desk: Desk, body: str | bytes, status: int) -> None:
    async with client.post(rest.PATH, data=body, headers={"Content-Type": "text/plain"}) as response:
        assert response.status == status
        if status != 200:
            assert (await response.json())["status"] == status
    assert len(desk.heard) == (status == 200)


async def test_what_cannot_be_stored_is_dropped(client: aiohttp.ClientSession, desk: Desk) -> None:
    body = '{"sender": "me", "message": "a\\u0000b\\ud800c", "metadata": {"creditor": "bloem"}}'
    async with client.post(rest.PATH, data=body) as response:
        assert response.status == 200
    assert desk.heard[0]["text"] == "abc"


async def test_without_a_sender_one_is_made(client: aiohttp.ClientSession, desk: Desk) -> None:
    desk.says = [rendered()]
    async with client.post(rest.PATH, json=ASKED | {"sender": None}) as response:
        made = (await response.json())[0]["recipient_id"]
    assert len(made) >= 22
    assert desk.heard[0]["session"] == made


async def test_the_only_creditor_need_not_be_named() -> None:
    desk = Desk([BLOEM])
    app = web.Application()
    app.add_routes(rest.routes(desk, Origins("http://localhost", listed), Brake(lambda: 0.0), lambda request: ""))
    asked = {"sender": "me", "message": "Hoi"}
    async with TestServer(app) as server, aiohttp.request("POST", server.make_url(rest.PATH), json=asked) as response:
        assert response.status == 200
    assert desk.heard[0]["creditor"] == "bloem"


async def test_too_fast(client: aiohttp.ClientSession) -> None:
    statuses = []
    for _ in range(4):
        async with client.post(rest.PATH, json=ASKED) as response:
            statuses.append((response.status, response.headers.get("Retry-After")))
    assert statuses == [(200, None)] * 3 + [(429, "1")]


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [
        pytest.param("https://effen.example", 200, True, id="our own"),
        pytest.param("https://bloem.example", 200, True, id="the creditor's"),
        pytest.param("https://tak.example", 404, True, id="another creditor's"),
        pytest.param("https://evil.example", 403, False, id="nobody's"),
        pytest.param("null", 403, False, id="null"),
    ],
)
async def test_origins(client: aiohttp.ClientSession, origin: str, status: int, allowed: bool) -> None:
    async with client.post(rest.PATH, json=ASKED, headers={"Origin": origin}) as response:
        assert response.status == status
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    async with client.options(rest.PATH, headers={"Origin": origin}) as response:
        assert response.status == (204 if allowed else 403)


async def test_answers_are_json(client: aiohttp.ClientSession) -> None:
    async with client.post(rest.PATH, json=ASKED) as response:
        answers: Any = await response.json()
    assert answers == []
