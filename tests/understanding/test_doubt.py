"""When the person is asked what they mean, and what they may choose from."""

import pytest

from understanding.doubt import is_wish, readings
from understanding.parse import Intent


def ranked(**shares: float) -> list[Intent]:
    found = [Intent(name.replace("__", "/"), share) for name, share in shares.items()]
    return sorted(found, key=lambda intent: -intent.confidence)


@pytest.mark.parametrize(
    ("shares", "said", "offered"),
    [
        pytest.param({"pay": 0.6, "pay_part": 0.3}, "pay", (), id="certain"),
        pytest.param({"pay": 0.5, "pay_part": 0.4}, "pay", (), id="just certain"),
        pytest.param({"pay": 0.45, "pay_part": 0.4}, "pay", ("pay", "pay_part"), id="of two minds"),
        pytest.param(
            {"pay": 0.4, "pay_part": 0.3, "pay_later": 0.1, "human": 0.09},
            "pay",
            ("pay", "pay_part", "pay_later"),
            id="three at most",
        ),
        pytest.param({"pay": 0.49, "pay_part": 0.05, "pay_later": 0.04}, "pay", ("pay", "pay_part"), id="two at least"),
        pytest.param({"pay": 0.3, "greet": 0.29, "ask_fees": 0.2}, "out_of_scope", ("pay", "ask_fees"), id="no talk"),
        pytest.param({"out_of_scope": 0.9, "pay": 0.05}, "out_of_scope", (), id="certainly nothing of ours"),
        pytest.param(
            {"out_of_scope": 0.4, "pay": 0.3, "ask_fees": 0.2}, "out_of_scope", ("pay", "ask_fees"), id="or is it"
        ),
        pytest.param({"greet": 0.4, "pay": 0.3, "ask_fees": 0.2}, "greet", (), id="a hello is answered as one"),
        pytest.param({"hardship": 0.3, "pay": 0.29}, "hardship", (), id="care is not put to the vote"),
        pytest.param(
            {"pay": 0.4, "hardship": 0.3, "human": 0.1}, "pay", ("pay", "hardship", "human"), id="trouble may be chosen"
        ),
        pytest.param(
            {"pay": 0.4, "self_harm": 0.3, "report_deceased": 0.2, "human": 0.1},
            "pay",
            ("pay", "human"),
            id="a crisis never",
        ),
        pytest.param(
            {"ask_fees": 0.4, "dispute__amount": 0.2, "dispute__returned": 0.15, "pay": 0.1},
            "ask_fees",
            ("ask_fees", "dispute/amount", "pay"),
            id="one of a family",
        ),
    ],
)
def test_readings(shares: dict[str, float], said: str, offered: tuple[str, ...]) -> None:
    assert readings(ranked(**shares), Intent(said, 0.5)) == offered


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("pay", True),
        ("dispute/amount", True),
        ("opt_out", True),
        ("thank", False),
        ("inform", False),
        ("out_of_scope", False),
    ],
)
def test_wishes(name: str, wish: bool) -> None:
    assert is_wish(name) is wish
