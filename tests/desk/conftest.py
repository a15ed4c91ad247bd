"""The desk as an agent meets it: real HTTP on loopback."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import BaseTestServer, TestServer

from core.agent import Agent
from store.database import Database
from tests.clock import FakeClock
from tests.desk.world import PASSWORD, World, make

NOTHING: Mapping[str, str] = {}


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await make(database, clock)


@dataclass
class Browser:
    """One agent's browser: keeps cookies, follows no redirect unless told to."""

    http: ClientSession
    url: str
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.http.get(self.url + path, headers=headers, allow_redirects=False)

    async def page(self, path: str, **headers: str) -> str:
        response = await self.get(path, **headers)
        assert response.status == 200, (path, response.status)
        return await response.text()

    async def post(
        self, path: str, fields: Mapping[str, str] = NOTHING, /, headers: Mapping[str, str] = NOTHING, **form: str
    ) -> ClientResponse:
        form = {"csrf": self.csrf, **fields, **form}
        return await self.http.post(self.url + path, data=form, headers=headers, allow_redirects=False)

    async def login(self, email: str, password: str = PASSWORD, onward: str = "") -> ClientResponse:
        token = csrf_in(await self.page("/desk/login"))
        answer = await self.post("/desk/login", csrf=token, email=email, password=password, next=onward)
        if answer.status == 303:
            self.csrf = csrf_in(await self.page("/desk/account"))
        return answer


def csrf_in(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


class Server:
    def __init__(self, world: World, server: BaseTestServer) -> None:
        self.world = world
        self.url = str(server.make_url("")).rstrip("/")
        self.browsers: list[Browser] = []

    def browser(self) -> Browser:
        """Somebody who is not logged in."""
        browser = Browser(ClientSession(cookie_jar=CookieJar(unsafe=True)), self.url)
        self.browsers.append(browser)
        return browser

    async def logged_in(self, agent: Agent) -> Browser:
        browser = self.browser()
        answer = await browser.login(agent.email)
        assert answer.status == 303
        return browser


@pytest.fixture
async def server(world: World) -> AsyncIterator[Server]:
    async with TestServer(world.application()) as listening:
        server = Server(world, listening)
        yield server
        for browser in server.browsers:
            await browser.http.close()
