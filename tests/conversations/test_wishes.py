"""A wish as a button keeps what was said beside it."""

from typing import Any

import pytest

from conversations.wishes import option

AMOUNT = {"entity": "amount", "value": "50.00"}
OTHER = {"entity": "amount", "value": "60.00"}
LANGUAGE = {"entity": "language", "value": "nl"}


@pytest.mark.parametrize(
    ("intent", "values", "title", "carried"),
    [
        pytest.param("pay_part", [AMOUNT, OTHER], "reading.pay_part", {"amount": "50.00"}, id="the first amount"),
        pytest.param("pay", [LANGUAGE], "reading.pay", {}, id="not every value"),
        pytest.param("dispute/amount", [], "reading.dispute_amount", {}, id="a dispute with its reason"),
        pytest.param("ask_return", [], "reading.ask_return", {"question": "hoe lang?"}, id="the question itself"),
    ],
)
def test_option(intent: str, values: list[dict[str, Any]], title: str, carried: dict[str, str]) -> None:
    made = option(intent, "hoe lang?", values)
    assert (made.title, made.intent, made.entities) == (title, intent, carried)
