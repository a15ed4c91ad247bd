"""A debtor asks, is verified, pays, is thanked: in Dutch and English, by words and by buttons."""

import re

import pytest

from core.message import Locale
from locales import gsm7
from store.tables.money import booking, payment, payment_link
from store.tables.talk import outbound
from tests.whole.people import Person, Phone, RestClient, Telegrammer, Visitor, logged_in
from tests.whole.stage import Stage

WORDS = {
    "nl": ("wat moet ik nog betalen?", "ik wil betalen"),
    "en": ("how much do I still owe you?", "I want to pay"),
}


async def person(stage: Stage, channel: str, locale: str) -> Person:
    if channel == "web":
        return await Visitor(stage, locale=locale).arrive()
    if channel == "rest":
        return RestClient(stage, locale=locale)
    if channel == "telegram":
        return Telegrammer(stage)
    return Phone(stage, channel=channel)


@pytest.mark.parametrize("locale", ["nl", "en"])
@pytest.mark.parametrize("channel", ["web", "whatsapp", "sms", "telegram", "rest"])
async def test_asks_is_verified_pays_and_is_thanked(stage: Stage, channel: str, locale: str) -> None:
    ask, pay = WORDS[locale]
    debtor = await person(stage, channel, locale)
    said = await debtor.say(ask)
    assert "verify.ask_reference" in said
    assert await debtor.say("2026-0042") == ["verify.ask_postcode"]
    said = await debtor.say("1234 ab")
    assert said[0] == "balance.open"
    contact = await debtor.contact()
    assert contact.verified_until > stage.clock.now()
    assert await debtor.say(pay) == ["pay.choose"]
    assert await debtor.tap("option.pay_all") == ["payment_link.issued"]
    link = await stage.one(payment_link)
    assert link.amount == 4990 + 1875
    assert (link.state, list(link.times)) == ("sent", ["created", "sent"])
    await pay_at_the_bank(stage, link.token)
    assert list((await stage.one(payment_link)).times) == ["created", "sent", "viewed", "started", "paid"]
    assert (await stage.said())[-2:] == ["payment.received", "payment.settled_all"]
    assert (await stage.one(payment)).status == "paid"
    intro = stage.effen.texts.text("intro.ai", Locale(locale), creditor="Bloem & Blad")
    assert (await debtor.texts())[0] == (gsm7.plain(intro) if channel == "sms" else intro)


async def test_a_customer_whom_the_shop_identified_is_not_asked_again(stage: Stage) -> None:
    customer = await Visitor(stage, token=logged_in(stage, "K-1003"), locale="en").arrive()
    assert await customer.say("what do I owe?") == ["balance.open"]
    assert any("27.95" in text for text in await customer.texts())


async def test_three_wrong_answers_bring_a_person(stage: Stage) -> None:
    stranger = await Visitor(stage).arrive()
    await stranger.say("wat staat er open?")
    await stranger.say("2026-0042")
    assert await stranger.say("9999 zz") == ["verify.wrong"]
    assert await stranger.say("2026-9999, 1234 AB") == ["verify.wrong"]
    said = await stranger.say("2026-0042, 4321 AB")
    assert said[0] == "verify.locked"
    talk = await stranger.conversation()
    assert (talk.state, talk.reason, talk.debtor_id) == ("open", "verification", None)
    assert not any("€" in text for text in await stranger.texts())


@pytest.mark.parametrize(
    ("outcome", "keys", "status"),
    [
        ("fail", ["payment.failed"], "failed"),
        ("cancel", ["payment.failed"], "cancelled"),
        ("delay", ["payment.received", "payment.settled_all"], "paid"),
    ],
)
async def test_what_the_bank_says_is_told(stage: Stage, outcome: str, keys: list[str], status: str) -> None:
    debtor = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    assert await debtor.say("ik wil betalen") == ["pay.choose"]
    assert await debtor.tap("option.pay_all") == ["payment_link.issued"]
    before = await stage.last()
    link = await stage.one(payment_link)
    await pay_at_the_bank(stage, link.token, outcome)
    if outcome == "delay":
        stage.clock.advance(seconds=10)
        assert stage.effen.sandbox is not None
        await stage.effen.sandbox.run_due(stage.clock.now())
        await stage.settled()
    assert await stage.said(before) == keys
    assert (await stage.one(payment)).status == status


async def test_a_payment_is_booked_once_however_often_it_is_told(stage: Stage) -> None:
    debtor = await Visitor(stage, token=logged_in(stage, "K-1003"), locale="en").arrive()
    await debtor.say("I would like to pay now please")
    link = await stage.one(payment_link)
    await pay_at_the_bank(stage, link.token)
    paid = await stage.one(payment)
    for _ in range(3):
        await stage.effen.payments.settle("sandbox", "bloem", paid.external_id)
        async with stage.http.get(f"{stage.url}/p/{link.token}/return") as response:
            assert response.status == 200
    await stage.settled()
    assert len(await stage.rows(booking, booking.c.kind == "payment")) == 1
    assert len(await stage.rows(outbound, outbound.c.key == "payment.received")) == 1


async def test_a_checkout_that_was_left_open_is_closed_when_the_invoice_is_paid(stage: Stage) -> None:
    debtor = await Visitor(stage, token=logged_in(stage, "K-1003"), locale="en").arrive()
    await debtor.say("I would like to pay now please")
    link = await stage.one(payment_link)
    address = f"{stage.url}/p/{link.token}"
    async with stage.http.post(address, data={"method": "creditcard"}, allow_redirects=False) as start:
        left = start.headers["Location"]
    await pay_at_the_bank(stage, link.token)
    assert {row.method: row.status for row in await stage.rows(payment)} == {"creditcard": "cancelled", "ideal": "paid"}
    assert "payment.failed" not in await stage.said()
    async with stage.http.get(left) as bank:
        assert "<form" not in await bank.text()


async def pay_at_the_bank(stage: Stage, token: str, outcome: str = "succeed") -> None:
    """Through the pay page and the sandbox bank, as a browser without JavaScript would."""
    async with stage.http.get(f"{stage.url}/p/{token}") as page:
        assert page.status == 200
        text = await page.text()
        assert "Varenblad" not in text, "the pay page names nobody"
        method = re.search(r'name="method"[^>]*value="(\w+)"|value="(\w+)"[^>]*name="method"', text)
        assert method, text
    choice = {"method": method[1] or method[2]}
    async with stage.http.post(f"{stage.url}/p/{token}", data=choice, allow_redirects=False) as start:
        assert start.status == 303
        bank = start.headers["Location"]
    async with stage.http.post(bank, data={"outcome": outcome}) as back:
        assert back.status == 200
    await stage.settled()
