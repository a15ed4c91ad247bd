"""The care watch: does this message need a person's care before anything else, and which?

Care names are `self_harm`, `report_deceased`, `under_administration`, `hardship`, each `dispute/…`, and `complaint`.
Two trained heads of its own (care or not, tuned to miss little; and which) and a reviewed word list behind them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from understanding.head import Head
from understanding.text import plain
from understanding.weights import Floats

CARE = "care"
OTHER = "other"
CRISIS = ("self_harm", "report_deceased")
FAMILIES = (*CRISIS, "under_administration", "hardship", "dispute", "complaint")

_WORDS = Path(__file__).with_name("care.yml")
_WORDS_CONFIDENCE = 0.9  # what a hit in the reviewed list is worth
_SURE = 0.5


def family(name: str) -> str:
    """`dispute/amount` → `dispute`; any other name is its own family."""
    return name.split("/", 1)[0]


def is_care(name: str) -> bool:
    return family(name) in FAMILIES


@dataclass(frozen=True)
class Care:
    """name: a care name, or None; confidence: that the message needs this care, or any care when there is no name."""

    name: str | None
    confidence: float


class CareWords:
    """The word list of `care.yml`, in all languages at once: a text's language is a guess, and people mix them."""

    def __init__(self, path: Path = _WORDS) -> None:
        languages = yaml.safe_load(path.read_text("utf-8")).values()
        self._never = _pattern([phrase for words in languages for phrase in words["never"]])
        self._crisis = {name: _pattern([phrase for words in languages for phrase in words[name]]) for name in CRISIS}

    def find(self, text: str) -> str | None:
        """The crisis that the words name, the first of CRISIS when there are both."""
        words = self._never.sub(" ", plain(text))
        return next((name for name, pattern in self._crisis.items() if pattern.search(words)), None)


@dataclass(frozen=True)
class CareWatch:
    """whether: the head with the names CARE and OTHER; which: the head over care names; threshold: on P(care)."""

    whether: Head
    which: Head
    threshold: float
    words: CareWords

    def look(self, text: str, vector: Floats) -> Care:
        """What care one message needs; vector: (1, width).

        The words overrule the heads where these see no crisis: at self-harm always, at a death unless the heads are
        sure of other care (a death as the cause of money trouble is hardship).
        """
        trained = self._trained(vector)
        found = self.words.find(text)
        if found and trained.name not in CRISIS and (found == CRISIS[0] or trained.confidence < _SURE):
            return Care(found, _WORDS_CONFIDENCE)
        return trained

    def _trained(self, vector: Floats) -> Care:
        probability = float(self.whether.probabilities(vector)[0, self.whether.names.index(CARE)])
        if probability < self.threshold:
            return Care(None, probability)
        shares = self.which.probabilities(vector)[0]
        best = int(np.argmax(shares))
        return Care(self.which.names[best], probability * float(shares[best]))


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    written = "|".join(phrases).replace("(", "(?:").replace(" ... ", r" (?:\w+ ){0,3}")
    return re.compile(rf"\b(?:{written})\b")
