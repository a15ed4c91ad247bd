"""When a message's intent is not certain enough to act on: the readings that the person is asked to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from understanding.care import CRISIS, family, is_care
from understanding.parse import Intent

NOTHING = "out_of_scope"
# Answers to us and small talk: no wish that anybody would choose from a list; a slip here costs one message.
TALK = frozenset(
    {"affirm", "deny", "cancel", "greet", "goodbye", "thank", "help", "bot_challenge", "switch_language", "inform"}
)
SURE = 0.50
"""How probable the likeliest family must be to be acted on without a question (`python -m bench.nlu.doubt`)."""

_LEAST = 0.08  # a third reading is worth a line from here
_FEW, _MOST = 2, 3


def is_wish(name: str) -> bool:
    """Whether the intent is something that a person wants done or answered."""
    return name not in TALK and name != NOTHING


def weight(ranking: Sequence[Intent]) -> float:
    """How probable the likeliest intent's family is."""
    return sum(intent.confidence for intent in ranking if family(intent.name) == family(ranking[0].name))


def readings(ranking: Sequence[Intent], said: Intent, sure: float = SURE) -> tuple[str, ...]:
    """Two or three intents to choose from, likeliest first; none where `said`, the intent to act on, stands.

    Care is never put to the vote: what the watch decided stands, and a crisis is not an item of a menu. Of a family
    the likeliest member is offered.
    """
    if is_care(said.name) or said.name in TALK or weight(ranking) >= sure:
        return ()
    likely: dict[str, Intent] = {}
    for intent in ranking:
        if is_wish(intent.name) and intent.name not in CRISIS:
            likely.setdefault(family(intent.name), intent)
    few = list(likely.values())[:_MOST]
    return tuple(intent.name for place, intent in enumerate(few) if place < _FEW or intent.confidence >= _LEAST)
