"""The widget in a real browser, with the real socket.io server on loopback."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from core.message import Choice
from tests.browser import chromium
from tests.widget.talk import Talk, said, shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all: it takes seconds to start
]

ANSWERS = {
    "Hoi": [
        said(
            "a1",
            "Waar kan ik je mee helpen?",
            choices=[Choice("b1", "Wat staat er open?"), Choice("b2", "Iets anders")],
        )
    ],
    "Wat staat er open?": [
        said(
            "a2",
            "Je betaallink. Zie https://x.example/uitleg.",
            choices=[Choice("l1", "Betaal", "https://x.example/p/1")],
        )
    ],
    "Gevaar": [said("a3", "<img src=x onerror=alert(1)>", choices=[Choice("l2", "Klik", "javascript:alert(1)")])],
    "Een mens": [said("a4", "Sanne is er.", author="system"), said("a5", "Hoi!", author="agent", name="Sanne")],
}


@pytest_asyncio.fixture(loop_scope="module")
async def world() -> AsyncIterator[tuple[str, Talk]]:
    async with shop(ANSWERS) as here:
        yield here


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, world: tuple[str, Talk]) -> AsyncIterator[Page]:
    context = await browser.new_context(
        locale="nl-NL", viewport={"width": 1000, "height": 800}, reduced_motion="reduce"
    )
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    await page.goto(f"{world[0]}/demo/shop")
    yield page
    await context.close()
    assert faults == []


async def opened(page: Page) -> Page:
    await page.get_by_role("button", name="Chat openen").click()
    return page


async def says(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Typ je bericht").fill(text)
    await page.keyboard.press("Enter")


async def test_a_conversation(page: Page, world: tuple[str, Talk]) -> None:
    await opened(page)
    await says(page, "Hoi")
    await page.get_by_role("button", name="Wat staat er open?").click()
    link = page.get_by_role("link", name="Betaal")
    await expect(link).to_have_attribute("href", "https://x.example/p/1")
    await expect(page.get_by_role("link", name="https://x.example/uitleg")).to_have_attribute(
        "href", "https://x.example/uitleg"
    )
    await expect(page.get_by_role("button", name="Iets anders")).to_have_count(0)
    first, second = world[1].heard
    assert (first["text"], first["button"], first["locale"]) == ("Hoi", None, "nl")
    assert (second["text"], second["button"]) == ("Wat staat er open?", "b1")
    assert first["message_id"] != second["message_id"]
    assert first["session"] == second["session"]
    assert len(first["session"]) >= 22


async def test_who_speaks_is_seen(page: Page) -> None:
    await opened(page)
    await says(page, "Hoi")
    await expect(page.locator(".entry.bot .who")).to_contain_text("AI")
    await says(page, "Een mens")
    await expect(page.locator(".entry.agent .who")).to_contain_text("Sanne")
    await expect(page.locator(".entry.agent .who")).to_contain_text("medewerker")
    await expect(page.locator(".entry.system .who")).to_have_count(0)


async def test_what_is_said_is_text(page: Page) -> None:
    await opened(page)
    await says(page, "Gevaar")
    await expect(page.locator(".entry.bot .bubble")).to_have_text("<img src=x onerror=alert(1)>")
    await expect(page.get_by_role("link", name="Klik")).to_have_count(0)


async def test_the_conversation_is_there_again_and_once(page: Page, world: tuple[str, Talk]) -> None:
    await opened(page)
    await says(page, "Hoi")
    await expect(page.locator(".entry")).to_have_count(2)
    await page.reload()
    await opened(page)
    await expect(page.locator(".entry")).to_have_count(2)
    world[1].hang_up()
    await world[1].say(world[1].heard[0]["session"], said("a9", "Terwijl je weg was"))
    await expect(page.get_by_text("Terwijl je weg was")).to_be_visible()
    await expect(page.locator(".entry")).to_have_count(3)
    await expect(page.get_by_text("Geen verbinding.")).to_be_hidden()


async def test_a_broken_line_is_told_and_what_was_typed_goes_out_later(page: Page, world: tuple[str, Talk]) -> None:
    world[1].down = True
    await opened(page)
    await says(page, "Hoi")
    await expect(page.get_by_text("Geen verbinding.")).to_be_visible()
    await expect(page.get_by_text("Wordt verstuurd…")).to_be_visible()
    world[1].down = False
    await expect(page.get_by_role("button", name="Wat staat er open?")).to_be_visible(timeout=20_000)
    await expect(page.get_by_text("Geen verbinding.")).to_be_hidden()
    assert [message["text"] for message in world[1].heard] == ["Hoi"]


async def test_an_unread_message_is_counted(page: Page, world: tuple[str, Talk]) -> None:
    await opened(page)
    await says(page, "Hoi")
    await page.get_by_role("button", name="Wat staat er open?").wait_for()
    await page.keyboard.press("Escape")
    await world[1].say(world[1].heard[0]["session"], said("a9", "Nog iets"))
    await expect(page.get_by_role("button", name="Chat openen (nieuwe berichten)")).to_be_visible()


async def test_what_was_not_taken_can_be_sent_again_under_the_same_id(page: Page, world: tuple[str, Talk]) -> None:
    await opened(page)
    await says(page, "Hoi")
    await page.get_by_role("button", name="Iets anders").wait_for()
    world[1].refuses = True
    await says(page, "Een mens")
    await expect(page.get_by_text("Niet verstuurd.")).to_be_visible()
    world[1].refuses = False
    await page.get_by_role("button", name="Opnieuw versturen").click()
    await expect(page.locator(".entry.agent")).to_have_count(1)
    await expect(page.get_by_text("Niet verstuurd.")).to_have_count(0)
    assert world[1].refused == [world[1].heard[-1]["message_id"]]


async def test_a_customer_who_logs_in_gets_a_fresh_session(page: Page, world: tuple[str, Talk]) -> None:
    await opened(page)
    await says(page, "Hoi")
    await expect(page.locator(".entry")).to_have_count(2)
    await page.get_by_label("Je bent").select_option("K1001")
    await expect(page.locator(".entry")).to_have_count(0)
    await says(page, "Hoi")
    await expect(page.locator(".entry")).to_have_count(2)
    before, after = world[1].heard
    assert before["session"] != after["session"]
    assert (before["token"], after["token"]) == (None, "h.K1001.s")
    await page.reload()  # the shop logs the same customer in again: the same conversation
    await opened(page)
    await expect(page.locator(".entry")).to_have_count(2)
    await page.get_by_label("Je bent").select_option("")
    await expect(page.locator(".entry")).to_have_count(0)


async def test_keyboard(page: Page) -> None:
    launcher = page.get_by_role("button", name="Chat openen")
    await launcher.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Chat met Bloem & Blad")
    await expect(dialog).to_be_visible()
    await expect(page.get_by_role("textbox")).to_be_focused()
    await expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(launcher).to_be_focused()


async def test_a_small_phone_has_the_whole_screen_and_keeps_the_focus(page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 640})
    await opened(page)
    dialog = page.get_by_role("dialog")
    box = await dialog.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 640)
    await expect(dialog).to_have_attribute("aria-modal", "true")
    await page.get_by_role("button", name="Versturen").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("combobox", name="Taal")).to_be_focused()


async def test_another_language(page: Page) -> None:
    await opened(page)
    await says(page, "Hoi")
    await expect(page.locator(".entry")).to_have_count(2)
    await page.get_by_role("combobox", name="Taal").select_option("en")
    await expect(page.get_by_role("textbox", name="Type your message")).to_be_visible()
    await expect(page.locator(".entry")).to_have_count(2)


async def test_the_page_hears_what_is_said(page: Page) -> None:
    await page.evaluate("window.heard = []; Effen.on('message', (m) => window.heard.push(m.author)); 0")
    await opened(page)
    await says(page, "Een mens")
    await expect(page.locator(".entry.agent")).to_have_count(1)
    assert await page.evaluate("window.heard") == ["system", "agent"]
