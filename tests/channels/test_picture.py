"""Our own pictures."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.picture import Pictures


@pytest.fixture
async def inner() -> AsyncIterator[str]:
    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=b"png")

    app = web.Application()
    app.router.add_get("/p/t/qr.png", picture)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://effen.example/p/t/qr.png", b"png", id="ours"),
        pytest.param("https://effen.example/p/gone/qr.png", None, id="gone"),
        pytest.param("https://evil.example/p/t/qr.png", None, id="not ours"),
        pytest.param("https://effen.example.evil.example/p/t/qr.png", None, id="seemingly ours"),
    ],
)
async def test_fetch(inner: str, url: str, expected: bytes | None) -> None:
    async with aiohttp.ClientSession() as session:
        assert await Pictures(session, "https://effen.example", inner).fetch(url) == expected


async def test_nobody_there() -> None:
    async with aiohttp.ClientSession() as session:
        pictures = Pictures(session, "https://effen.example", "http://127.0.0.1:1")
        assert await pictures.fetch("https://effen.example/p/t/qr.png") is None
