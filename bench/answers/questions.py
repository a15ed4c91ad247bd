"""The questions that judge: half of them `dev`, which may be read; of `locked` only figures are shown."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NONE = "-"
HALVES = ("dev", "locked")
LANGUAGES = ("nl", "en", "fr", "de")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Question:
    """answers: names of the right sources, none where the shop has no answer; says: what a product's answer must say,
    a part of it in the source's words, empty where the product's name, price and stock are the answer."""

    text: str
    language: str
    half: str
    answers: frozenset[str]
    says: str


def questions() -> list[Question]:
    return [
        Question(
            row["question"],
            row["language"],
            row["half"],
            frozenset() if row["answers"] == NONE else frozenset(row["answers"].split()),
            row["says"],
        )
        for row in _rows(_HERE / "questions.tsv")
    ]


def names() -> dict[str, str]:
    """The name of each source in the demo's FAQ and product feed, by its question or title."""
    return {row["question"]: row["answer"] for row in _rows(_HERE / "sources.tsv")}


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
