"""A person in a real browser, who chooses pictures on the phones."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from core.message import Fetches, Inbound
from core.pictures import MOST
from tests.browser import chromium
from tests.simulator.house import PNG, House, housed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all: it takes seconds to start
]


@pytest_asyncio.fixture(loop_scope="module")
async def house() -> AsyncIterator[House]:
    async with housed() as house:
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, house: House) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    # Listening begins a moment after it is asked for: a key is faster.
    page.on("filechooser", lambda _: None)
    await page.goto(f"{house.url}/simulator")
    yield page
    await page.close()
    assert faults == []


async def choose(page: Page, phone: Locator, file: FilePayload) -> None:
    """By the keyboard."""
    await phone.get_by_role("button", name="Choose a picture").focus()
    async with page.expect_file_chooser() as opened:
        await page.keyboard.press("Enter")
    await (await opened.value).set_files(file)


@pytest.mark.parametrize(("name", "channel"), [("WhatsApp", "whatsapp"), ("Telegram", "telegram")])
async def test_a_picture(page: Page, house: House, name: str, channel: str) -> None:
    phone = page.get_by_role("region", name=name)
    if channel == "telegram":
        await phone.get_by_role("button", name="START").click()
    await choose(page, phone, {"name": "pot.png", "mimeType": "image/png", "buffer": PNG})
    await expect(phone.get_by_text("Picture: pot.png")).to_be_visible()
    await expect(phone.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("Hij is kapot")
    await page.keyboard.press("Enter")

    mine = phone.locator(".mine").last
    await expect(mine).to_contain_text("Hij is kapot")
    picture = mine.get_by_role("img", name="Picture")
    await expect(picture).to_have_js_property("naturalWidth", int.from_bytes(PNG[16:20]))
    await expect(phone.get_by_text("Picture: pot.png")).to_be_hidden()
    heard, fetches = house.heard[-1], house.channels[channel]
    assert isinstance(heard, Inbound)
    assert isinstance(fetches, Fetches)
    assert heard.text == "Hij is kapot"
    assert [await fetches.fetch("bloem", media, MOST) for media in heard.media] == [PNG]


async def test_a_picture_left_out(page: Page, house: House) -> None:
    phone = page.get_by_role("region", name="WhatsApp")
    await choose(page, phone, {"name": "pot.png", "mimeType": "image/png", "buffer": PNG})
    await phone.get_by_role("button", name="Leave out the picture").click()
    await expect(phone.get_by_text("Picture: pot.png")).to_be_hidden()
    await page.keyboard.type("Toch niet")
    await page.keyboard.press("Enter")
    await expect(phone.locator(".mine")).to_have_text(re.compile("Toch niet"))
    await expect(phone.get_by_role("img")).to_have_count(0)
    (heard,) = house.heard
    assert isinstance(heard, Inbound)
    assert heard.media == ()


@pytest.mark.parametrize(
    ("file", "told"),
    [
        pytest.param(
            {"name": "pot.png", "mimeType": "image/png", "buffer": bytes(MOST + 1)},
            "pot.png has 5.1 MB, and a picture can have 5 MB: choose a smaller one.",
            id="too large",
        ),
        pytest.param(
            {"name": "bon.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"},
            "bon.pdf is no JPEG or PNG: choose another picture.",
            id="no picture",
        ),
    ],
)
async def test_what_cannot_be_sent(page: Page, house: House, file: FilePayload, told: str) -> None:
    phone = page.get_by_role("region", name="WhatsApp")
    await choose(page, phone, file)
    async with page.expect_response("**/simulator/phones?*"):
        await expect(page.get_by_role("alert")).to_have_text(told)
    await expect(phone.get_by_text(f"Picture: {file['name']}")).to_be_hidden()
    async with page.expect_response("**/simulator/phones?*"):
        await expect(page.get_by_role("alert")).to_have_text(told)  # until it is read, however often the page looks
    await phone.get_by_role("textbox").fill("Dan zo")
    await page.keyboard.press("Enter")
    await expect(phone.locator(".mine")).to_have_count(1)
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_an_sms_has_no_pictures(page: Page) -> None:
    phone = page.get_by_role("region", name="SMS")
    await expect(phone.get_by_role("textbox")).to_be_visible()
    await expect(phone.get_by_role("button", name="picture")).to_have_count(0)
