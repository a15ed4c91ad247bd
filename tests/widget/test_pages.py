"""The widget's files over HTTP."""

import re
from pathlib import Path

import aiohttp
import pytest

import widget
from tests.widget.talk import CUSTOMERS, OFFERS, shop
from widget.pages import TEXTS


@pytest.mark.parametrize(
    ("path", "kind", "holds"),
    [
        ("/widget.js", "text/javascript", "window.Effen"),
        ("/widget/vendor/socket.io.esm.min.js", "text/javascript", "Socket.IO v4"),
        ("/demo/shop/shop.js", "text/javascript", "Effen.identify"),
        ("/demo/shop/shop.css", "text/css", "--green"),
        ("/demo/shop/plants.svg", "image/svg+xml", "monstera"),
    ],
)
async def test_files(path: str, kind: str, holds: str) -> None:
    async with shop({}) as (address, _), aiohttp.ClientSession() as client, client.get(address + path) as response:
        assert (response.status, response.content_type) == (200, kind)
        assert holds in await response.text()


@pytest.mark.parametrize("path", ["/widget.js", "/widget/vendor/socket.io.esm.min.js", "/widget/bloem.json"])
async def test_any_page_may_load_the_widget(path: str) -> None:
    async with shop({}) as (address, _), aiohttp.ClientSession() as client, client.get(address + path) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("asked", "locale", "send"),
    [("nl", "nl", "Versturen"), ("en", "en", "Send"), ("fr", "nl", "Versturen"), ("", "nl", "Versturen")],
)
async def test_what_the_widget_knows_of_a_creditor(asked: str, locale: str, send: str) -> None:
    async with (
        shop({}) as (address, _),
        aiohttp.ClientSession() as client,
        client.get(f"{address}/widget/bloem.json?lang={asked}") as response,
    ):
        card = await response.json()
    assert card | {"texts": None} == {
        "name": "Bloem & Blad",
        "color": "#0b6e4f",
        "ink": "#ffffff",
        "locale": locale,
        "languages": {"nl": "Nederlands", "en": "English"},
        "texts": None,
    }
    assert card["texts"]["send"] == send
    assert set(card["texts"]) == set(TEXTS)


async def test_nobody_is_not_found() -> None:
    async with (
        shop({}) as (address, _),
        aiohttp.ClientSession() as client,
        client.get(f"{address}/widget/tak.json") as response,
    ):
        assert response.status == 404


def test_the_script_shows_no_text_that_it_is_not_given() -> None:
    script = (Path(widget.__file__).parent / "widget.js").read_text()
    assert set(re.findall(r"\bt\.([a-z_]+)", script)) == set(TEXTS)


async def test_the_shop_shows_the_feed_and_runs_no_inline_script() -> None:
    async with (
        shop({}) as (address, _),
        aiohttp.ClientSession() as client,
        client.get(f"{address}/demo/shop") as response,
    ):
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert all(offer.title in page for offer in OFFERS)
    assert all(customer.number in page for customer in CUSTOMERS)
    assert "script-src 'self';" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page)


@pytest.mark.parametrize(("number", "status"), [("K1001", 200), ("K9999", 404), ("", 404)])
async def test_a_token_for_a_demo_customer_alone(number: str, status: int) -> None:
    async with (
        shop({}) as (address, _),
        aiohttp.ClientSession() as client,
        client.get(f"{address}/demo/shop/token?customer={number}") as response,
    ):
        assert response.status == status
        if status == 200:
            assert (await response.json())["token"] == f"h.{number}.s"
