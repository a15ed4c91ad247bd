"""The messages that judge: of our languages, read by nobody who trains, and of six languages more."""

from dataclasses import dataclass
from pathlib import Path

from app.repository import ROOT

HELD_OUT = ROOT / "tests" / "nlu" / "heldout"
OTHER = ROOT / "tests" / "nlu" / "other"
LANGUAGES = ("nl", "en", "fr", "de")
OTHER_LANGUAGES = ("es", "it", "pl", "tr", "ar", "ro")
HALVES = ("dev", "locked")


@dataclass(frozen=True)
class Message:
    """half: `dev` may be read, of `locked` only figures are shown; other languages have no halves."""

    text: str
    intent: str
    language: str
    half: str = ""


def held_out(language: str) -> list[Message]:
    """Lines of half, intent and text."""
    rows = (line.split("\t", 2) for line in _lines(HELD_OUT / f"{language}.tsv"))
    return [Message(text, intent, language, half) for half, intent, text in rows]


def other(language: str) -> list[Message]:
    """Lines of intent and text."""
    rows = (line.split("\t", 1) for line in _lines(OTHER / f"{language}.tsv"))
    return [Message(text, intent, language) for intent, text in rows]


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").split("\n") if line]
