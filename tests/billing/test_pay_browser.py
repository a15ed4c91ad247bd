"""The pay page in Chromium, on a small phone, with scripts and without: what each end at the bank comes to."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from billing.links import Link
from core.ids import InvoiceId
from core.lifecycle import LinkState
from locales import Renderer
from tests.billing.house import House, Street, street
from tests.browser import chromium

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_address", ["sqlite"], indirect=True)]


@pytest.fixture
async def shop(house: House) -> AsyncIterator[Street]:
    async with street(house, Renderer()) as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
async def phone(request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """As narrow as they are sold."""
    async with chromium() as browser:
        context = await browser.new_context(
            locale="nl-NL", viewport={"width": 320, "height": 568}, java_script_enabled=request.param
        )
        yield await context.new_page()


async def billed(shop: Street) -> tuple[InvoiceId, Link]:
    who = await shop.house.debtor("K1")
    key = await shop.house.invoice(who, "539007547034", 12345)
    return key, await shop.house.link(who, [key])


async def choose(phone: Page, shop: Street, link: Link) -> None:
    """Open the link, and go to the bank with iDEAL."""
    await phone.goto(f"{shop.url}/p/{link.token}")
    await expect(phone.locator("main")).to_contain_text("€ 123,45".replace(" ", "\u00a0"))
    await phone.get_by_role("button", name="iDEAL").click()
    await phone.wait_for_url(f"{shop.url}/sandbox/bank/*")


async def decide(phone: Page, outcome: str) -> None:
    await phone.locator(f"button[value={outcome}]").click()


async def says(phone: Page, text: str) -> None:
    await expect(phone.get_by_role("status")).to_contain_text(text)


@pytest.mark.parametrize(
    ("outcome", "said"), [("fail", "niet gelukt"), ("cancel", "gestopt")], ids=["failure", "cancel"]
)
async def test_what_did_not_work_is_tried_again(shop: Street, phone: Page, outcome: str, said: str) -> None:
    key, link = await billed(shop)
    await choose(phone, shop, link)
    await decide(phone, outcome)
    await says(phone, said)
    assert await shop.house.open(key) == 12345
    await phone.get_by_role("button", name="iDEAL").click()
    await decide(phone, "succeed")
    await says(phone, "Dit is betaald")
    await expect(phone.get_by_role("button")).to_have_count(0)
    assert await shop.house.open(key) == 0
    await phone.go_back()
    await phone.goto(f"{shop.url}/p/{link.token}")  # kept in the chat, and opened once more
    await says(phone, "Dit is betaald")


async def test_money_that_takes_its_time_comes_while_the_page_waits(shop: Street, phone: Page) -> None:
    key, link = await billed(shop)
    await choose(phone, shop, link)
    await decide(phone, "delay")
    await says(phone, "onderweg")
    shop.house.clock.advance(seconds=10)
    await expect(phone.get_by_role("status")).to_contain_text("Dit is betaald", timeout=15_000)
    assert await shop.house.open(key) == 0


@pytest.mark.parametrize("outcome", ["succeed", "delay"])
async def test_money_that_comes_after_the_link_is_over_counts(shop: Street, phone: Page, outcome: str) -> None:
    key, link = await billed(shop)
    await choose(phone, shop, link)
    if outcome == "delay":
        await decide(phone, outcome)
    shop.house.clock.advance(days=15)
    assert await shop.house.links.expire() == 1
    if outcome == "succeed":
        late = await phone.context.new_page()
        await late.goto(f"{shop.url}/p/{link.token}")
        await says(late, "verlopen")
        await decide(phone, outcome)
    else:
        await shop.bank.run_due(shop.house.clock.now())
        await phone.goto(f"{shop.url}/p/{link.token}")
    await says(phone, "Dit is betaald")
    assert await shop.house.open(key) == 0
    found = await shop.house.links.by_id(link.id)
    assert found and found.state is LinkState.PAID
