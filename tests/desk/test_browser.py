"""The desk in a real browser, without a mouse."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from core.hold import Reason
from core.ids import ConversationId
from store.database import Database
from store.tables.staff import desk_session
from store.tables.talk import outbound
from tests.browser import chromium
from tests.clock import FakeClock
from tests.desk.world import PASSWORD, World, make

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all: it takes seconds to start
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def enter(page: Page) -> None:
    """Open the conversation in focus, and wait until its page is all there."""
    await page.keyboard.press("Enter")
    await expect(page.locator("#entries")).to_be_visible()
    await expect(page.locator("#live.on")).to_be_visible()


@dataclass
class Room:
    """A desk that listens, and agents who sit down at it."""

    world: World
    server: TestServer
    sit: Callable[[str], Awaitable[Page]]

    async def changed(self, talk: ConversationId) -> None:
        await self.world.desk.namespace.changed(talk)


@pytest_asyncio.fixture(loop_scope="module")
async def room(browser: Browser, empty_file: Path, tmp_path: Path) -> AsyncIterator[Room]:
    database = Database(f"sqlite:///{shutil.copy(empty_file, tmp_path / 'effen.db')}")
    world = await make(database, FakeClock())
    faults: list[str] = []
    contexts = []
    server = TestServer(world.application())
    await server.start_server()

    async def sit(name: str) -> Page:
        agent = await world.agent(name)
        context = await browser.new_context(locale="nl-NL", viewport={"width": 1200, "height": 800})
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
        await page.goto(str(server.make_url("/desk")))
        await expect(page.locator("#email")).to_be_focused()
        await page.keyboard.type(agent.email)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#live.on")).to_be_visible()
        return page

    yield Room(world, server, sit)
    for context in contexts:
        await context.close()
    await server.close()
    await database.close()
    assert faults == []


async def test_from_the_queue_to_an_answer_by_keyboard(room: Room) -> None:
    grave, talk = await room.world.talk(reason=Reason.HARDSHIP), await room.world.talk()
    await room.world.hears(talk, "is daar iemand?")
    page = await room.sit("Sanne de Wit")
    for key, focused in (("j", grave), ("j", talk), ("j", talk), ("k", grave), ("j", talk)):
        await page.keyboard.press(key)
        await expect(page.locator(f"#r-{focused} a")).to_be_focused()
    await enter(page)
    await expect(page.locator("#entries")).to_contain_text("is daar iemand?")
    await page.keyboard.press("t")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("Ja hoor, t en j zijn hier gewone letters.")
    await page.keyboard.press("Control+Enter")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".entry.agent")).to_contain_text("Ja hoor, t en j zijn hier gewone letters.")
    await expect(page.locator("#text")).to_have_value("")
    assert [row.key for row in await room.world.all(outbound)] == ["agent.joined", "agent.text"]
    await page.keyboard.press("Escape")
    await page.keyboard.press("q")
    await expect(page.locator("#rows")).to_contain_text("jou")


async def test_shortcuts_are_listed_and_can_be_switched_off(room: Room) -> None:
    await room.world.talk()
    page = await room.sit("Sanne de Wit")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.get_by_label("Sneltoetsen aan").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await expect(page.locator("#rows a")).not_to_be_focused()


async def test_the_queue_changes_while_it_is_looked_at(room: Room) -> None:
    first = await room.world.talk()
    page = await room.sit("Sanne de Wit")
    await page.keyboard.press("j")
    grave = await room.world.talk(reason=Reason.HARDSHIP)
    await room.changed(grave)
    await expect(page.locator("#rows tr")).to_have_count(2)
    assert await page.locator("#rows tr").first.get_attribute("id") == f"r-{grave}"
    await expect(page.locator(f"#r-{first} a")).to_be_focused()
    await expect(page.get_by_role("status")).to_have_text("Wachtrij veranderd: 2 wachten op een medewerker.")


async def test_without_a_socket_the_page_asks_by_itself(room: Room) -> None:
    page = await room.sit("Sanne de Wit")
    await page.context.route_web_socket("**/*", lambda socket: None)
    await page.clock.install()
    await page.reload()
    talk = await room.world.talk()
    await page.clock.fast_forward(11_000)
    await expect(page.locator(f"#r-{talk}")).to_be_visible()
    await expect(page.locator("#live")).to_have_text("Geen directe verbinding; ververst elke 10 seconden")


async def test_a_colleague_who_takes_it_is_seen_at_once(room: Room) -> None:
    talk = await room.world.talk()
    page = await room.sit("Sanne de Wit")
    await page.keyboard.press("j")
    await enter(page)
    await room.world.desking.take(talk, await room.world.agent("Karim Haddad"))
    await room.changed(talk)
    await expect(page.locator("#head")).to_contain_text("Bij Karim Haddad")
    await expect(page.get_by_role("button", name="Overnemen")).to_have_count(0)


async def writing(room: Room, text: str) -> Page:
    await room.world.talk()
    page = await room.sit("Sanne de Wit")
    await page.keyboard.press("j")
    await enter(page)
    await page.keyboard.press("t")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type(text)
    return page


async def test_text_survives_a_lost_connection_and_is_sent_once(room: Room) -> None:
    page = await writing(room, "een lang antwoord")
    # It arrives, but its answer is lost.
    lost = False

    async def lose(route: Any) -> None:
        nonlocal lost
        if lost:
            await route.continue_()
            return
        lost = True
        await route.fetch()
        await route.abort()

    await page.route("**/write", lose)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#problem")).to_have_text("De server antwoordt niet. We blijven het proberen.")
    await expect(page.locator("#text")).to_have_value("een lang antwoord")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("#problem")).to_be_hidden()
    assert [row.key for row in await room.world.all(outbound)] == ["agent.joined", "agent.text"]


async def test_text_survives_the_end_of_the_session(room: Room) -> None:
    page = await writing(room, "een lang antwoord")
    async with room.world.db.begin() as tx:
        await tx.execute(desk_session.delete())
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#problem")).to_contain_text("Je bent uitgelogd.")
    await expect(page.locator("#text")).to_have_value("een lang antwoord")
