"""Somebody asks for an invoice again: the page that comes, its file, and what the desk then knows."""

import io
import re

import pytest
from pypdf import PdfReader

from store.tables.invoices import invoice_copy
from store.tables.money import payment_link
from tests.whole.people import Visitor, colleague, logged_in
from tests.whole.stage import Stage
from tests.whole.test_paying import pay_at_the_bank, person

pytestmark = pytest.mark.slow

ASK = "kun je me de factuur 2026-0042 nog een keer sturen?"


@pytest.mark.parametrize("channel", ["web", "whatsapp", "sms", "telegram", "rest"])
async def test_a_copy_for_who_is_verified(stage: Stage, channel: str) -> None:
    debtor = await person(stage, channel, "nl")
    said = await debtor.say(ASK)
    assert said[-1].startswith("verify.") and await stage.rows(invoice_copy) == []
    said = await debtor.say("1234 AB")  # the number stood in the message
    assert said == ["invoice_copy.ready"]
    address = re.search(rf"{stage.url}(/i/\S+)", (await debtor.texts())[-1])
    assert address is not None
    async with stage.http.get(stage.url + address[1]) as response:
        page = await response.text()
        assert response.status == 200 and "Kopie van factuur 2026-0042" in page and "49,90" not in page
    async with stage.http.get(f"{stage.url}{address[1]}/copy.pdf") as response:
        assert response.headers["Content-Disposition"].startswith('attachment; filename="Kopie-factuur-2026-0042.pdf"')
        text = PdfReader(io.BytesIO(await response.read())).pages[0].extract_text().replace("\u00a0", " ")
    for words in ("Monstera deliciosa", "Btw 9% € 2,48", "Staat nog open € 49,90", "Fenna Varenblad"):
        assert words in text


async def test_what_the_desk_sees_of_it(stage: Stage) -> None:
    debtor = await Visitor(stage, token=logged_in(stage, "K-1003"), locale="en").arrive()
    assert await debtor.say("could you send me a copy of my invoice?") == ["invoice_copy.ready"]
    copy = await stage.one(invoice_copy)
    async with stage.http.get(f"{stage.url}/i/{copy.token}") as response:
        assert response.status == 200
    assert await debtor.say("I would like to pay now please") == ["payment_link.issued"]
    await pay_at_the_bank(stage, (await stage.one(payment_link)).token)
    agent = await colleague(stage)
    page = await agent.page(f"/desk/c/{(await debtor.conversation()).id}")
    history = re.findall(r"<b>2026-0088</b> (\w+) <time", page)
    assert history == ["verstuurd", "bekeken", "bekeken", "betaald"]


async def test_a_copy_is_not_for_ever(stage: Stage) -> None:
    debtor = await Visitor(stage, token=logged_in(stage, "K-1003")).arrive()
    await debtor.say("stuur me de factuur nog eens")
    copy = await stage.one(invoice_copy)
    await stage.later(days=8)
    async with stage.http.get(f"{stage.url}/i/{copy.token}") as response:
        assert response.status == 410
        assert "verlopen" in await response.text()
