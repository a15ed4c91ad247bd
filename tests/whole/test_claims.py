"""Somebody says to have paid: asked, noted, looked for, found or not; and a picture of it, for an agent alone."""

from datetime import UTC, date, datetime

import pytest

from store.tables.money import claim, payment_link, proof
from tests.billing.test_claims import JPEG
from tests.desk.test_pages import plain
from tests.fakes.twilio import problem
from tests.whole.people import Phone, Visitor, colleague, logged_in
from tests.whole.stage import Stage
from tests.whole.test_paying import pay_at_the_bank
from tests.whole.test_reminders import tick, verified

pytestmark = pytest.mark.slow

# The stage opens on Tuesday 24 November 2026; Fenna owes 49.90 and 18.75.
NL = ("ik heb al betaald", "wat staat er open?", "afgelopen vrijdag", "49,90", "6789")
EN = ("I have already paid this", "what do I owe?", "last Friday", "€49.90", "ends in 6789")


@pytest.mark.parametrize(("locale", "words"), [("nl", NL), ("en", EN)])
async def test_it_is_asked_noted_and_settled_by_the_money(stage: Stage, locale: str, words: tuple[str, ...]) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1001"), locale=locale).arrive()
    await person.say("hallo" if locale == "nl" else "hello")
    paid, question, day, amount, account = words
    assert await person.say(paid) == ["claim.ask_day"]
    assert await person.say(question) == ["balance.open", "claim.ask_day"], (
        "a question is answered, and the form goes on"
    )
    assert await person.say(day) == ["claim.ask_amount"]
    assert await person.say(amount) == ["claim.ask_account"]
    assert await person.say(account) == ["claim.noted_web"]
    text = (await person.texts())[-1]
    assert ("49,90" in text and "1 december" in text) if locale == "nl" else ("49.90" in text and "1 December" in text)
    noted = await stage.one(claim)
    assert (noted.state, noted.paid_on, noted.account_end) == ("open", date(2026, 11, 20), "6789")
    assert len(noted.invoices) == 1, "the amount tells which invoice"
    assert await person.say(paid) == ["claim.open_no_picture"]
    assert await tick(stage) == []
    await person.say("ik wil betalen" if locale == "nl" else "I want to pay now")
    await person.tap("option.pay_all")
    before = await stage.last()
    await pay_at_the_bank(stage, (await stage.one(payment_link)).token)
    assert await stage.said(before) == ["payment.received", "payment.settled_all"]
    assert (await stage.one(claim)).state == "settled"


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
async def test_reminders_wait_and_then_the_proof_is_asked_for(stage: Stage, channel: str) -> None:
    person = await verified(stage, channel)
    assert await person.say("ik heb al betaald") == ["claim.ask_day_or_picture"]
    for text in ("gisteren", "68,65", "weet ik niet"):
        said = await person.say(text)
    assert said == ["claim.noted"]
    assert await tick(stage) == [], "the reminder of today waits"
    stage.clock.set(datetime(2026, 12, 1, 9, tzinfo=UTC))
    assert await tick(stage) == []
    # The window of a day has closed: what WhatsApp takes now is an approved template.
    stage.twilio.contents["HX00000000000000000000000000000002"] = {"types": {"twilio/text": {"body": "approved"}}}
    stage.clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC))
    assert await tick(stage) == ["claim.lapsed"]
    assert await tick(stage) == []
    if channel == "whatsapp":
        assert stage.twilio.calls[-1]["ContentSid"] == "HX00000000000000000000000000000002"
    stage.twilio.media["ME1"] = stage.telegram.files["ME1"] = JPEG
    assert await person.send("ME1") == ["claim.picture", "handoff.when_open"]
    browser = await colleague(stage)
    (talk,) = await stage.talks()
    page = plain(await browser.page(f"/desk/c/{talk.id}"))
    assert "Niet gevonden" in page and "Bewijs 1" in page
    kept = await stage.one(proof)
    response = await browser.get(f"/desk/c/{talk.id}/proofs/{kept.id}")
    assert (response.content_type, await response.read()) == ("image/jpeg", JPEG)


async def test_no_picture_is_asked_for_where_none_can_be_sent(stage: Stage) -> None:
    person = await verified(stage, "sms")
    for text in ("ik heb al betaald", "gisteren", "68,65", "weet ik niet"):
        said = await person.say(text)
    assert said == ["claim.noted"]
    stage.clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC))
    assert await tick(stage) == ["claim.lapsed_no_picture"]


async def test_a_picture_is_fetched_again_where_the_provider_is_ill(stage: Stage) -> None:
    person = await verified(stage, "whatsapp")
    await person.say("ik heb al betaald")
    stage.twilio.media["ME1"] = JPEG
    stage.twilio.refuse(503, problem(503, 20503))
    before = await stage.last()
    await person.write("", picture="ME1")
    await stage.until(lambda: answered(stage, before), "for the answer")
    assert await stage.rows(proof) == []
    await stage.later(minutes=2)
    assert (await stage.one(proof)).content == JPEG


async def answered(stage: Stage, before: int) -> bool:
    return "claim.noted_picture" in await stage.said(before)


async def test_what_is_no_picture_is_not_kept(stage: Stage) -> None:
    person = await verified(stage, "whatsapp")
    await person.say("ik heb al betaald")
    stage.twilio.media["ME1"] = b"%PDF-1.7 of somebody's bank" + bytes(40)
    said = await person.send("ME1", "hier is het bewijs")
    assert said == ["claim.noted_picture", "handoff.when_open", "claim.no_picture"]
    assert (await stage.one(proof)).content is None


async def test_a_picture_of_a_stranger_is_left_alone(stage: Stage) -> None:
    stranger = Phone(stage, channel="whatsapp", number="+31600000077")
    await stranger.say("hallo")
    stage.twilio.media["ME1"] = JPEG
    assert await stranger.send("ME1") == ["notice.media"]
    assert await stage.rows(proof) == []
    assert not any("/Media/" in call.path for call in stage.twilio.calls)
