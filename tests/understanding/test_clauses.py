"""A message of several clauses: how it is taken apart, and which second wish counts."""

import time

import pytest

from understanding.clauses import Clause, clauses, wishes
from understanding.parse import Intent


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("ik wil betalen", (), id="one clause"),
        pytest.param(
            "hoeveel is het? en waar is mijn pakket", ("hoeveel is het?", "en waar is mijn pakket"), id="two sentences"
        ),
        pytest.param(
            "hoeveel is het en waar is mijn pakket", ("hoeveel is het", "waar is mijn pakket"), id="and a question"
        ),
        pytest.param("koffie en thee graag", (), id="and a noun"),
        pytest.param("send it and also call me", ("send it", "call me"), id="and also"),
        pytest.param("je paie demain, mais où est mon colis", ("je paie demain", "où est mon colis"), id="but"),
        pytest.param(
            "Das stimmt nicht, außerdem bin ich umgezogen", ("Das stimmt nicht", "bin ich umgezogen"), id="besides"
        ),
        pytest.param("dank! waar is mijn pakket", (), id="a lone word is no clause"),
        pytest.param("het is 12.50 op 1.12.2026", (), id="a point in a number"),
        pytest.param("eerste regel\ntweede regel", ("eerste regel", "tweede regel"), id="lines"),
        pytest.param(
            "een twee. drie vier. vijf zes. zeven acht.", ("een twee.", "drie vier.", "vijf zes."), id="three at most"
        ),
        pytest.param("?!?!? ... \n\n", (), id="no words"),
    ],
)
def test_clauses(text: str, parts: tuple[str, ...]) -> None:
    assert clauses(text) == parts


@pytest.mark.parametrize("text", [" " * 100_000, "a " * 50_000, "a. " * 50_000, " \n\t" * 50_000, "en ook " * 20_000])
def test_a_hostile_text_is_taken_apart_at_once(text: str) -> None:
    began = time.perf_counter()
    clauses(f"hallo daar{text}dag daar")
    assert time.perf_counter() - began < 1


def clause(name: str, share: float = 0.95) -> Clause:
    return Clause(f"words of {name}", Intent(name, share))


@pytest.mark.parametrize(
    ("said", "certain", "heard", "first", "also"),
    [
        pytest.param("pay", True, [], "pay", None, id="one clause"),
        pytest.param("pay", True, [clause("pay"), clause("ask_fees")], "pay", "ask_fees", id="two wishes"),
        pytest.param(
            "ask_fees", True, [clause("pay"), clause("ask_fees")], "pay", "ask_fees", id="the first that is named"
        ),
        pytest.param("pay", True, [clause("pay"), clause("ask_fees", 0.79)], "pay", None, id="not certain enough"),
        pytest.param(
            "pay", True, [clause("pay", 0.4), clause("ask_fees")], "pay", "ask_fees", id="the whole is certain"
        ),
        pytest.param("pay", True, [clause("ask_fees"), clause("human")], "pay", None, id="torn apart"),
        pytest.param("pay", True, [clause("pay"), clause("thank")], "pay", None, id="thanks are no wish"),
        pytest.param("pay", True, [clause("pay"), clause("out_of_scope")], "pay", None, id="nor is chatter"),
        pytest.param("out_of_scope", True, [clause("pay"), clause("out_of_scope")], "pay", None, id="beside chatter"),
        pytest.param("greet", True, [clause("greet"), clause("pay")], "pay", None, id="beside a greeting"),
        pytest.param("affirm", True, [clause("pay"), clause("affirm")], "affirm", "pay", id="an answer to us first"),
        pytest.param("affirm", True, [clause("affirm"), clause("hardship")], "hardship", None, id="care before it"),
        pytest.param("hardship", True, [clause("pay"), clause("hardship")], "hardship", "pay", id="care first"),
        pytest.param(
            "pay", True, [clause("pay"), clause("hardship")], "hardship", "pay", id="care that the whole hides"
        ),
        pytest.param(
            "complaint",
            True,
            [clause("complaint"), clause("dispute/amount")],
            "dispute/amount",
            "complaint",
            id="graver care first",
        ),
        pytest.param(
            "dispute/amount",
            True,
            [clause("dispute/amount"), clause("dispute/returned")],
            "dispute/amount",
            None,
            id="one family",
        ),
        pytest.param("pay", True, [clause("pay"), clause("self_harm", 0.89)], "pay", None, id="no life in danger"),
        pytest.param("pay", True, [clause("pay"), clause("self_harm")], "self_harm", None, id="a life in danger"),
        pytest.param("pay", True, [clause("pay"), clause("report_deceased")], "pay", None, id="a death is the watch's"),
        pytest.param(
            "out_of_scope", False, [clause("pay"), clause("ask_fees")], "pay", "ask_fees", id="clear in its parts"
        ),
        pytest.param(
            "out_of_scope",
            False,
            [clause("pay"), clause("ask_fees", 0.5)],
            "out_of_scope",
            None,
            id="clear in one part",
        ),
    ],
)
def test_wishes(said: str, certain: bool, heard: list[Clause], first: str, also: str | None) -> None:
    found, other = wishes(Intent(said, 0.7), certain=certain, heard=heard)
    assert (found.name, other.intent.name if other else None) == (first, also)
    if other is not None:
        assert other.text == f"words of {also}"
