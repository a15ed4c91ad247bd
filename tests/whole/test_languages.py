"""People who write in a language that we do not speak: care at once, a wish in a language that they choose."""

import pytest

from bench.nlu.messages import OTHER_LANGUAGES, other
from core.hold import Reason
from store.tables.talk import conversation, outbound
from tests.whole.people import Phone, Visitor, logged_in
from tests.whole.stage import Stage
from understanding import Understanding

pytestmark = pytest.mark.slow

ANSWERS = {"ask_balance": "balance.", "pay": "pay"}


def first(understanding: Understanding, language: str, intent: str) -> str:
    """A message that judges, of this language and intent, that is understood and seen as foreign."""
    for message in other(language):
        parse = understanding.parse(message.text, "nl")
        if message.intent == intent == parse.intent.name and parse.language is None and not parse.readings:
            return message.text
    pytest.skip(f"no {intent} in {language} is understood")


@pytest.mark.parametrize(
    ("language", "intent"), [*((language, "ask_balance") for language in OTHER_LANGUAGES), ("pl", "pay"), ("ar", "pay")]
)
async def test_a_wish_is_served_in_the_language_of_choice(
    stage: Stage, understanding: Understanding, language: str, intent: str
) -> None:
    text = first(understanding, language, intent)
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    assert await person.say(text) == ["language.which"]
    asked = (await person.texts())[-1]
    assert all(
        line in asked for line in ("In welke taal", "Which language", "Dans quelle langue", "In welcher Sprache")
    )
    said = await person.tap("option.language_fr")
    assert said[0].startswith(ANSWERS[intent])
    assert (await person.conversation()).locale == "fr"
    assert "language.which" not in await person.say(text), "it is asked once"


@pytest.mark.parametrize(
    ("language", "reason"),
    [
        ("es", Reason.SELF_HARM),
        ("ar", Reason.SELF_HARM),
        ("pl", Reason.HARDSHIP),
        ("tr", Reason.HARDSHIP),
        ("it", Reason.HUMAN),
        ("ro", Reason.HUMAN),
    ],
)
async def test_care_and_a_person_come_first(
    stage: Stage, understanding: Understanding, language: str, reason: Reason
) -> None:
    person = await Visitor(stage).arrive()
    said = await person.say(first(understanding, language, reason))
    talk = await stage.one(conversation, conversation.c.id == (await person.conversation()).id)
    assert (talk.state, talk.reason) == ("open", reason)
    assert ("language.which" in said) is (reason is not Reason.SELF_HARM)


async def test_numbers_choose_a_language_on_a_phone(stage: Stage) -> None:
    phone = Phone(stage, number="+34600000009")
    assert (await phone.say("hola, cuánto les debo todavía en total?"))[-1] == "language.which"
    (asked,) = await stage.rows(outbound, outbound.c.key == "language.which")
    assert "\n2. English" in asked.rendered[0]["text"]
    assert await phone.say("2") == ["verify.ask_reference"]
    assert (await phone.conversation()).locale == "en"
