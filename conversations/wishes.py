"""A wish as a button: one that was guessed at, or one that still waits for its turn."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.message import Option

# Of what the person wrote, this is still true when they tap the button.
_CARRIED = ("amount", "invoice_number", "order_number")
# The action looks the person's words up.
_QUESTIONS = frozenset({"ask_product", "ask_return", "ask_pay_later_terms", "ask_offers"})


def option(intent: str, text: str, values: Iterable[Mapping[str, Any]]) -> Option:
    """What a tap means: `intent` (`dispute/amount` included), with what `text` said beside it.

    The title is `reading.<intent>`, in the person's words.
    """
    said: dict[str, str] = {}
    for value in values:
        if value["entity"] in _CARRIED:
            said.setdefault(value["entity"], str(value["value"]))
    if intent in _QUESTIONS:
        said["question"] = text
    return Option(f"reading.{intent.replace('/', '_')}", intent, entities=said)
