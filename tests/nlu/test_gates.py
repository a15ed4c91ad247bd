"""No change may make the understanding worse: each gate is a little below what was measured (docs/understanding.md).

The bars that are aimed at stand in `bench.nlu.page`; a gate that is passed by far is a gate to raise.
"""

import pytest

from bench.nlu.figures import figures
from bench.nlu.framed import framed, inside
from bench.nlu.messages import HALVES
from bench.nlu.readings import Reading, read
from understanding import Understanding

pytestmark = pytest.mark.slow

# In each half
LEAST = {
    "crisis_recall": 0.95,
    "self_harm_recall": 0.95,
    "top_3": 0.97,
    "care_recall": 0.965,
    "care_precision": 0.85,
    "macro_f1": 0.90,
}
# Beyond the four languages, in a Dutch conversation
LEAST_ELSEWHERE = {"top_1": 0.88, "care_recall": 0.96, "crisis_recall": 0.95}
MOST_TAKEN_FOR_OURS = 0.05
LOST_IN_A_FRAME = 0.02
MOST_WITH_A_SECOND_WISH = 0.03  # none has one


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("name", LEAST)
def test_held_out(name: str, half: str, readings: list[Reading]) -> None:
    measured = figures([one for one in readings if one.message.half == half])[name]
    assert measured.value >= LEAST[name]


def test_greeting_and_regards_change_little(understanding: Understanding) -> None:
    messages = inside()[::4]
    alone, between = figures(read(understanding, messages)), figures(framed(understanding, messages))
    for name in ("top_1", "care_recall", "crisis_recall"):
        assert between[name].value >= alone[name].value - LOST_IN_A_FRAME


def test_of_one_wish_no_second_is_made(readings: list[Reading]) -> None:
    messages = [one for one in readings if one.message.half == "dev"]
    assert sum(one.also is not None for one in messages) <= MOST_WITH_A_SECOND_WISH * len(messages)


@pytest.mark.parametrize("name", LEAST_ELSEWHERE)
def test_other_languages(name: str, others: list[Reading]) -> None:
    assert figures(others)[name].value >= LEAST_ELSEWHERE[name]


def test_other_languages_are_not_taken_for_ours(others: list[Reading]) -> None:
    assert sum(one.language is not None for one in others) <= MOST_TAKEN_FOR_OURS * len(others)
