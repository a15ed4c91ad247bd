"""Call me: on which number and when, read back in a few words, and what is true where there is no number."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.hold import Reason
from tests.bot.talk import Talk
from tests.bot.world import World

NUMBER = "+31 6 12345678"


@pytest.mark.parametrize(
    ("text", "when", "told"),
    [
        (f"bel me morgenochtend terug op {NUMBER}", "2026-11-24 morgenochtend", ("2026-11-24", "morgenochtend")),
        (f"call me after 2 pm on {NUMBER}, please", "after 2 pm", "after 2 pm"),
        (f"maandag tussen 9 en 11 op {NUMBER}", "2026-11-30 tussen 9 en 11", ("2026-11-30", "tussen 9 en 11")),
        (f"rappelez-moi le 25 au {NUMBER}", "2026-11-25", {"date": "2026-11-25"}),
        (f"donderdag om 10.30u graag, {NUMBER}", "2026-11-26 om 10.30u", ("2026-11-26", "om 10.30u")),
    ],
)
async def test_when_is_read_back_in_a_few_words(talk: Talk, world: World, text: str, when: str, told: Any) -> None:
    said = await talk.hear(text, "request_callback")
    assert said.keys == ["handoff.callback_noted"]
    assert world.handoffs == [(Reason.CALLBACK, {"phone": "+31612345678", "when": when})]
    if isinstance(told, tuple):
        told = {"key": "handoff.day_and_time", "args": {"day": {"date": told[0]}, "time": told[1]}}
    assert said.args["when"] == told


@pytest.mark.parametrize(
    ("channel", "key"),
    [("web", "handoff.callback_here"), ("telegram", "handoff.callback_here"), ("sms", "handoff.callback")],
)
async def test_three_times_no_number(talk: Talk, world: World, channel: str, key: str) -> None:
    world.channel = channel
    await talk.hear("bel me terug", "request_callback")
    said: Mapping[str, Any] = {}
    for text in ("061", "062", "063"):
        said = (await talk.hear(text, "inform")).body
    assert [say["key"] for say in said["says"]] == [key, "handoff.when_open"]
