"""A person in a real browser: the chat, the pay page, the confirmation; and an agent who takes over in the desk."""

import re

import pytest
from playwright.async_api import Page, expect

from core.ids import CreditorKey
from desk.accounts import Accounts
from store.tables.money import payment
from store.tables.talk import conversation
from tests.browser import chromium
from tests.whole.stage import Stage

pytestmark = pytest.mark.browser
PASSWORD = "a-long-password-of-tests"


async def test_from_the_chat_to_the_desk(stage: Stage) -> None:
    await Accounts(stage.effen.db, stage.clock).add(
        CreditorKey("bloem"), "roos@bloemenblad.example", "Roos Wilg", "agent", PASSWORD
    )
    async with chromium() as browser:
        context = await browser.new_context(locale="nl-NL", reduced_motion="reduce")
        page = await context.new_page()
        faults: list[str] = []
        context.on("weberror", lambda error: faults.append(str(error.error)))
        await page.goto(f"{stage.url}/demo/shop")
        await page.get_by_role("button", name="Chat openen").click()
        log = page.get_by_role("log")
        await expect(log).to_contain_text("AI-assistent van Bloem & Blad")

        await says(page, "wat moet ik nog betalen?")
        await expect(log).to_contain_text("factuurnummer")
        await says(page, "2026-0042")
        await expect(log).to_contain_text("postcode")
        await says(page, "1234 AB")
        await expect(log).to_contain_text("€ 68,65".replace(" ", "\u00a0"))
        await says(page, "ik wil betalen")
        await page.get_by_role("button", name="Alles betalen").click()
        pays = page.get_by_role("link", name=re.compile("Betaal"))
        await expect(pays).to_be_visible()

        async with context.expect_page() as opened:
            await pays.click()
        shop = await opened.value
        await shop.get_by_role("button", name="iDEAL").click()
        await shop.locator("button[value=succeed]").click()
        await expect(shop.locator("body")).to_contain_text("betaald")
        # By itself, within two seconds of the bank's word.
        await expect(log).to_contain_text("is binnen", timeout=2_000)
        assert (await stage.one(payment)).status == "paid"

        await says(page, "ik heb dit nooit besteld")
        await expect(log).to_contain_text("collega")
        desk = await (await browser.new_context(locale="nl-NL")).new_page()
        await desk.goto(f"{stage.url}/desk")
        await desk.locator("input[type=email]").fill("roos@bloemenblad.example")
        await desk.locator("input[type=password]").fill(PASSWORD)
        await desk.keyboard.press("Enter")
        await desk.locator("a[href^='/desk/c/']").first.click()
        await expect(desk.locator("body")).to_contain_text("ik heb dit nooit besteld")
        await desk.locator("form[action$='/take'] button").click()
        await desk.locator("textarea[name=text]").fill("Dag, ik ben Roos. Ik zoek het voor je uit.")
        await desk.locator("form[action$='/write'] button").first.click()
        await expect(log).to_contain_text("Ik zoek het voor je uit.")

        # The bot stays silent; the agent sees it without reloading.
        await says(page, "dankjewel, ik wacht even")
        await expect(desk.locator("body")).to_contain_text("dankjewel, ik wacht even")
        assert (await stage.said())[-1] == "agent.text"
        await desk.locator("form[action$='/hand-back'] button").first.click()
        await expect(log).to_contain_text(re.compile("weer.*AI|AI.*weer"))
        talk = await stage.one(conversation, conversation.c.debtor_id.is_not(None))
        assert talk.state == "pending"
        assert faults == []


async def says(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Typ je bericht").fill(text)
    await page.keyboard.press("Enter")
