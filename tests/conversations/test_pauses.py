"""A form that was left open for hours."""

import pytest

from conversations import reading
from conversations.pauses import leaves, resume
from conversations.reading import Reading
from core.message import Option


@pytest.mark.parametrize(
    ("heard", "form", "expected"),
    [
        pytest.param(reading.of_keyword("ask_product"), "verify_form", True, id="another matter"),
        pytest.param(reading.of_keyword("greet"), "verify_form", True, id="a hello"),
        pytest.param(reading.of_keyword("out_of_scope"), "verify_form", True, id="anything"),
        pytest.param(reading.of_keyword("inform"), "verify_form", False, id="a value, as it was asked for"),
        pytest.param(reading.of_keyword("affirm"), "promise_form", False, id="yes"),
        pytest.param(reading.of_keyword("already_paid"), "already_paid_form", False, id="its own matter"),
        pytest.param(reading.of_option(Option("t", "pay")), "verify_form", False, id="a tap breaks it by itself"),
        pytest.param(reading.of_keyword("ask_product"), None, False, id="no form"),
    ],
)
def test_leaves(heard: Reading, form: str | None, expected: bool) -> None:
    assert leaves(heard, form) is expected


@pytest.mark.parametrize(
    ("wanted", "heard", "offered"),
    [("pay", "greet", ["pay", "deny"]), ("pay", "pay", []), (None, "greet", [])],
    ids=["asked about again", "asked for anew", "nothing was wanted"],
)
def test_resume(wanted: str | None, heard: str, offered: list[str]) -> None:
    said = resume(wanted, reading.of_keyword(heard))
    assert [option.intent for say in said for option in say.options] == offered
