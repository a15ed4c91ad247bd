"""Who writes in a language that the creditor does not speak is asked once which of its own they read."""

from dataclasses import replace
from typing import Any

import pytest

from conversations import languages, reading
from conversations.reading import Reading
from core.hold import Reason
from store.database import Database
from tests.clock import FakeClock
from tests.conversations.house import House, Wire

OURS = ["nl", "en", "fr", "de"]


def words(intent: str, **more: Any) -> Reading:
    return replace(reading.of_keyword(intent), **more)


@pytest.mark.parametrize(
    ("heard", "spoken", "expected"),
    [
        pytest.param(words("pay", foreign=True), OURS, True, id="none of ours"),
        pytest.param(words("pay", language="fr"), ["nl", "en"], True, id="none of this creditor's"),
        pytest.param(words("pay", language="fr"), OURS, False, id="one of them"),
        pytest.param(words("opt_out"), OURS, False, id="a keyword is in no language"),
    ],
)
def test_unspoken(heard: Reading, spoken: list[str], expected: bool) -> None:
    assert languages.unspoken(heard, spoken) is expected


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(words("ask_balance"), True, id="a wish"),
        pytest.param(words("human"), False, id="a person"),
        pytest.param(words("pay", care=Reason.HARDSHIP), False, id="care"),
    ],
)
def test_what_waits_for_the_language(heard: Reading, expected: bool) -> None:
    assert languages.waits(heard) is expected


@pytest.mark.parametrize(
    ("heard", "spoken", "offered"),
    [
        pytest.param(words("pay", foreign=True), ["nl", "en"], ["pay nl", "pay en"], id="the wish is carried"),
        pytest.param(words("thank", foreign=True), ["nl", "en"], ["greet nl", "greet en"], id="no wish: a welcome"),
        pytest.param(
            words("hardship", foreign=True, care=Reason.HARDSHIP),
            ["nl", "en"],
            ["hardship nl", "hardship en"],
            id="trouble",
        ),
        pytest.param(
            words("self_harm", foreign=True, care=Reason.SELF_HARM), ["nl", "en"], None, id="a crisis has no menu"
        ),
        pytest.param(words("pay", foreign=True), ["nl"], None, id="nothing to choose"),
        pytest.param(words("pay", language="en"), ["nl", "en"], None, id="no need"),
    ],
)
async def test_which(database: Database, clock: FakeClock, heard: Reading, spoken: list[str], offered: Any) -> None:
    house = await House(database, clock, Wire()).furnish()
    turn = await house.hears("quiero pagar")
    async with house.db.read() as tx:
        asked = await languages.which(tx, await house.talk_of(turn), heard, "quiero pagar", spoken)
    found = asked and [f"{option.intent} {option.entities['language']}" for option in asked.options]
    assert found == offered
    if asked:
        await house.put(turn, asked, "first")
        async with house.db.read() as tx:
            assert await languages.which(tx, await house.talk_of(turn), heard, "quiero pagar", spoken) is None


def test_the_tap_is_in_its_language() -> None:
    from core.message import Option

    assert reading.of_option(Option("option.language_en", "pay", entities={"language": "en"})).language == "en"
