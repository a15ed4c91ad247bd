"""A message that the bot is not sure of: the person chooses what they mean, and it is done."""

import pytest

from app import creditor_files
from app.repository import DEMO
from store.tables.talk import inbound, outbound, sentence
from tests.whole.people import Person, Phone, Visitor, logged_in
from tests.whole.stage import Stage
from understanding import Understanding

pytestmark = pytest.mark.slow

# Which of them are in doubt is the model's business.
VAGUE = [
    "factuur",
    "de rekening graag",
    "iets met mijn geld",
    "rekening",
    "wat is dit bedrag",
    "ik heb iets met die factuur",
    "kan ik daar iets aan doen",
    "termijn",
    "bestelling en factuur",
    "hoe zit dat nu",
    "ik wil dat geld",
    "die brief van jullie",
    "terug",
    "betaling bestelling",
    "kosten",
    "even over mijn bestelling betalen",
    "de datum",
    "bedrag",
    "regelen",
]


def vague(understanding: Understanding, count: int = 1) -> list[str]:
    parses = {text: understanding.parse(text, "nl") for text in VAGUE}
    found = [text for text, parse in parses.items() if parse.readings and parse.care.name is None]
    assert len(found) >= count, "the model is sure of all these"
    return found[:count]


async def test_a_tap_does_what_it_says(stage: Stage, understanding: Understanding) -> None:
    (text,) = vague(understanding)
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    assert (await person.say(text))[-1] == "talk.unsure"
    asked = (await stage.rows(outbound, outbound.c.key == "talk.unsure"))[0]
    titles = [option["title"] for option in asked.options]
    assert 3 <= len(titles) <= 5
    assert titles[-2:] == ["option.something_else", "option.human"]
    heard = await stage.one(inbound)
    assert (heard.intent, heard.parse["readings"]) == ("out_of_scope", list(understanding.parse(text, "nl").readings))
    await person.tap(titles[0])
    tapped = (await stage.rows(inbound))[-1]
    assert (tapped.intent, tapped.parse["tapped"]) == (asked.options[0]["intent"], True)


async def test_something_else_is_a_person(stage: Stage, understanding: Understanding) -> None:
    person = await Visitor(stage).arrive()
    await person.say(vague(understanding)[0])
    assert await person.tap("option.something_else") == ["talk.not_understood_again"]
    assert (await person.tap("option.yes_human"))[0] == "handoff.human"


async def test_the_second_doubt_in_a_row_is_a_person(stage: Stage, understanding: Understanding) -> None:
    person = await Visitor(stage).arrive()
    first, second = vague(understanding, 2)
    assert (await person.say(first))[-1] == "talk.unsure"
    assert await person.say(second) == ["talk.not_understood_again"]


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_on_a_phone(stage: Stage, understanding: Understanding, channel: str) -> None:
    person: Person = Phone(stage, channel=channel)
    await person.say(vague(understanding)[0])
    (asked,) = await stage.rows(outbound, outbound.c.key == "talk.unsure")
    assert ("\n1. " in asked.rendered[0]["text"]) is (channel == "sms")
    await person.write("1")
    await stage.settled()
    assert (await stage.rows(inbound))[-1].intent == asked.options[0]["intent"]


async def test_sure_that_it_is_nothing_of_ours(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    assert (await person.say("wie wint het wereldkampioenschap voetbal?"))[-1] == "talk.not_understood"


@pytest.mark.parametrize("wanted", [True, False], ids=["opted in", "by default"])
async def test_the_tap_teaches_where_the_creditor_wants_it(
    stage: Stage, understanding: Understanding, wanted: bool
) -> None:
    config = creditor_files.read(DEMO / "creditor.yml").model_copy(update={"training_inbox": wanted})
    await creditor_files.apply(stage.effen.db, stage.clock, config)

    async def in_force() -> bool:
        return (await stage.effen.creditors.get(config.key)).training_inbox is wanted

    await stage.until(in_force, "the creditor's new settings")
    person = await Visitor(stage).arrive()
    (text,) = vague(understanding)
    await person.say(text)
    asked = (await stage.rows(outbound, outbound.c.key == "talk.unsure"))[0]
    await person.tap(asked.options[0]["title"])
    kept = [(row.text, row.chosen) for row in await stage.rows(sentence)]
    assert kept == ([(text, asked.options[0]["intent"])] if wanted else [])
