"""The care watch: does this message need a person's care before anything else, and which?

Care names are `self_harm`, `report_deceased`, `under_administration`, `hardship`, each `dispute/…`, and `complaint`.
The watch reads the intents' probabilities with thresholds of its own, low ones: it sees care well before care is the
most likely intent. (Heads for care alone were tried: at a recall of 0.97 their precision was 0.53, this has 0.66.)
A reviewed word list stands behind it for crisis and death.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from understanding.text import plain
from understanding.weights import Floats

CRISIS = ("self_harm", "report_deceased")
# A missed crisis costs most; a dispute seen where there is none holds the reminders until a person has looked
THRESHOLDS = {
    "self_harm": 0.1,
    "report_deceased": 0.1,
    "under_administration": 0.08,
    "hardship": 0.08,
    "dispute": 0.2,
    "complaint": 0.15,
}

_WORDS = Path(__file__).with_name("care.yml")
_WORDS_CONFIDENCE = 0.9  # what a hit in the reviewed list is worth
_SURE = 0.5


def family(name: str) -> str:
    """`dispute/amount` → `dispute`; any other name is its own family."""
    return name.split("/", 1)[0]


def is_care(name: str) -> bool:
    return family(name) in THRESHOLDS


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

    def literal(self, text: str) -> str:
        """The plain words without figures of speech such as "to laugh oneself to death"."""
        return " ".join(self._never.sub(" ", plain(text)).split())

    def find(self, text: str) -> str | None:
        """The crisis that the words name, the first of CRISIS when there are both."""
        words = self.literal(text)
        return next((name for name, pattern in self._crisis.items() if pattern.search(words)), None)


class CareWatch:
    """Watches over messages whose intents have `names`."""

    def __init__(self, names: Sequence[str], words: CareWords) -> None:
        self._names = [(place, name) for place, name in enumerate(names) if is_care(name)]
        self._words = words

    def look(self, text: str, shares: Floats) -> Care:
        """What care a message needs; shares: the probability of each intent.

        The words overrule the shares where these see no crisis: at self-harm always, at a death unless other care is
        sure (a death as the cause of money trouble is hardship).
        """
        trained = self._trained(shares)
        found = self._words.find(text)
        if found and trained.name not in CRISIS and (found == CRISIS[0] or trained.confidence < _SURE):
            return Care(found, _WORDS_CONFIDENCE)
        return trained

    def only_sounds(self, text: str, shares: Floats, read: Callable[[str], Floats]) -> bool:
        """Whether a crisis in the shares is a figure of speech alone: without it, `read` again, there is none."""
        literal = self._words.literal(text)
        if literal == plain(text) or self._trained(shares).name not in CRISIS or self._words.find(text):
            return False
        return not literal or self._trained(read(literal)).name not in CRISIS

    def _trained(self, shares: Floats) -> Care:
        """Crisis before all, then the care that is most likely."""
        weights = dict.fromkeys(THRESHOLDS, 0.0)
        for place, name in self._names:
            weights[family(name)] += float(shares[place])
        seen = [name for name, weight in weights.items() if weight >= THRESHOLDS[name]]
        if not seen:
            return Care(None, sum(weights.values()))
        chosen = next((name for name in seen if name in CRISIS), None) or max(seen, key=lambda name: weights[name])
        best = max((place for place in self._names if family(place[1]) == chosen), key=lambda place: shares[place[0]])
        return Care(best[1], weights[chosen])


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    written = "|".join(phrases).replace("(", "(?:").replace(" ... ", r" (?:\w+ ){0,3}")
    return re.compile(rf"\b(?:{written})\b")
