"""Conversations go on after hours or days: what was open is known, and a yes means what was asked last."""

import pytest

from conversations import turns
from store.tables.money import payment_link
from store.tables.talk import inbound
from tests.whole.people import Phone, Visitor
from tests.whole.stage import Stage

pytestmark = pytest.mark.slow


async def verified(stage: Stage) -> Phone:
    phone = Phone(stage, channel="sms", number="+31600000001")
    for text in ("wat moet ik nog betalen?", "2026-0042", "1234 AB"):
        await phone.say(text)
    return phone


@pytest.mark.parametrize("word", ["ja", "oui", "ok", "yes please", "👍"])
async def test_a_yes_to_yesterdays_reminder_means_that_reminder(stage: Stage, word: str) -> None:
    phone = await verified(stage)
    await stage.effen.tick()
    await stage.settled()
    stage.clock.advance(hours=20)
    assert await phone.say(word) == ["payment_link.issued"]
    (link,) = await stage.rows(payment_link)
    assert link.amount == 4990
    assert (await stage.rows(inbound))[-1].intent == "pay"


async def test_a_yes_means_the_reminder_and_not_a_form_from_before(stage: Stage) -> None:
    phone = await verified(stage)
    await phone.say("ik betaal liever na de 25e als mijn loon er is")
    assert (await phone.conversation()).form == "promise_form"
    await stage.effen.tick()
    await stage.settled()
    assert await phone.say("ja") == ["payment_link.issued"]


async def test_a_form_left_for_hours_swallows_nothing(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    assert (await person.say("hoeveel moet ik nog betalen?"))[-1] == "verify.ask_reference"
    stage.clock.advance(hours=5)
    said = await person.say("tot hoe laat zijn jullie vandaag bereikbaar?")
    assert said[0].startswith(("contact.", "answer.")) and said[-1] == "talk.resume"
    assert (await person.conversation()).form is None
    assert (await person.say("ja"))[-1] == "verify.ask_reference"


async def test_an_answer_to_its_question_is_one_also_the_next_day(stage: Stage) -> None:
    phone = Phone(stage, number="+31600000077")
    await phone.say("hoeveel moet ik nog betalen?")
    stage.clock.advance(hours=20)
    assert (await phone.say("2026-0042"))[-1].startswith("verify.ask_")


async def test_within_hours_the_form_goes_on(stage: Stage) -> None:
    phone = Phone(stage, number="+31600000077")
    await phone.say("hoeveel moet ik nog betalen?")
    stage.clock.advance(hours=3)
    said = await phone.say("tot hoe laat zijn jullie vandaag bereikbaar?")
    assert "talk.resume" not in said and said[-1].startswith("verify.")


async def test_who_comes_back_after_days_hears_what_is_open(stage: Stage) -> None:
    phone = await verified(stage)
    stage.clock.advance(hours=12)
    assert await phone.say("goedemorgen") == ["talk.greet"]
    stage.clock.advance(days=3)
    assert await phone.say("goedemorgen") == ["balance.welcome_back"]
    stranger = Phone(stage, number="+31600000078")
    await stranger.say("goedemorgen")
    stage.clock.advance(days=3)
    assert await stranger.say("goedemorgen") == ["talk.greet"]


async def test_a_yes_outlives_the_dialogue_s_session(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "ROLL_OVER", 0)
    phone = await verified(stage)
    before = (await phone.conversation()).dialogue
    assert await phone.say("wat moet ik nog betalen?") == ["balance.open"]
    assert (await phone.conversation()).dialogue != before
    assert await phone.say("ja") == ["pay.choose"]
