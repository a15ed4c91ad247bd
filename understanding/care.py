"""The care watch: does this message need a person's care before anything else, and which?

Care names are `self_harm`, `report_deceased`, `under_administration`, `hardship`, each `dispute/…`, and `complaint`.
The watch reads the intents' probabilities with thresholds of its own, low ones: it sees care well before care is the
most likely intent. (Heads for care alone were tried: at a recall of 0.97 their precision was 0.53, this has 0.66.)
Where it sees care beside another intent, it asks for a second opinion (`understanding.opinion`). A reviewed word list
stands behind it for crisis and death.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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
# What must be left of suspected care once both opinions are averaged: set on `dev` and on sentences that tuning never
# saw, so that little care is withdrawn there, and of self-harm almost none
STANDS = {
    "self_harm": 0.08,
    "report_deceased": 0.1,
    "under_administration": 0.09,
    "hardship": 0.09,
    "dispute": 0.22,
    "complaint": 0.16,
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
    """Watches over messages whose intents have `names`.

    second: the probabilities of intents, by name, as another encoder sees a text. It is asked where care is suspected
    beside the likeliest intent, of five messages in a hundred, and can withdraw that care, never add any.
    """

    def __init__(
        self, names: Sequence[str], words: CareWords, second: Callable[[str], Mapping[str, float]] | None = None
    ) -> None:
        self._names = names
        self._words = words
        self._second = second

    def look(self, text: str, shares: Floats) -> Care:
        """What care a message needs; shares: the probability of each intent.

        The words overrule the shares where these see no crisis: at self-harm always, at a death unless other care is
        sure (a death as the cause of money trouble is hardship).
        """
        found = self._words.find(text)
        trained = self._trained(text, shares)
        if found and trained.name not in CRISIS and (found == CRISIS[0] or trained.confidence < _SURE):
            return Care(found, _WORDS_CONFIDENCE)
        return trained

    def only_sounds(self, text: str, shares: Floats, read: Callable[[str], Floats]) -> bool:
        """Whether a crisis in the shares is a figure of speech alone: without it, `read` again, there is none."""
        literal = self._words.literal(text)
        if literal == plain(text) or not self._crisis(shares) or self._words.find(text):
            return False
        return not literal or not self._crisis(read(literal))

    def _crisis(self, shares: Floats) -> bool:
        weights = self._weights(shares)
        return any(weights[name] >= THRESHOLDS[name] for name in CRISIS)

    def _trained(self, text: str, shares: Floats) -> Care:
        """The care that the shares show, and a second opinion does not withdraw."""
        weights = self._weights(shares)
        seen = [name for name, weight in weights.items() if weight >= THRESHOLDS[name]]
        likeliest = family(self._names[int(shares.argmax())])
        suspected = [name for name in seen if name != likeliest]
        if self._second is not None and _in_question(suspected, seen):
            other = _families(self._second(text))
            weights |= {name: (weights[name] + other[name]) / 2 for name in suspected}
            seen = [name for name in seen if name not in suspected or weights[name] >= STANDS[name]]
        chosen = _gravest(seen, weights)
        if chosen is None:
            return Care(None, sum(weights.values()))
        members = (place for place, name in enumerate(self._names) if family(name) == chosen)
        best = max(members, key=lambda place: float(shares[place]))
        return Care(self._names[best], weights[chosen])

    def _weights(self, shares: Floats) -> dict[str, float]:
        return _families(dict(zip(self._names, shares.tolist(), strict=True)))


def _families(shares: Mapping[str, float]) -> dict[str, float]:
    """How probable each family of care is."""
    weights = dict.fromkeys(THRESHOLDS, 0.0)
    for name, share in shares.items():
        if is_care(name):
            weights[family(name)] += share
    return weights


def _in_question(suspected: Sequence[str], seen: Sequence[str]) -> bool:
    """Whether a second opinion could change what is reported: care beside no care, or a crisis beside other care."""
    return bool(suspected) and (len(suspected) == len(seen) or any(name in CRISIS for name in suspected))


def _gravest(seen: Sequence[str], weights: Mapping[str, float]) -> str | None:
    """The family to report of those seen: a life before a death, and a crisis before all other care.

    (Of two crises the likelier was tried: ten deaths more are read rightly then, and three threats to life no more.)
    """
    crisis = next((name for name in CRISIS if name in seen), None)
    return crisis or max(seen, key=lambda name: weights[name], default=None)


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    written = "|".join(phrases).replace("(", "(?:").replace(" ... ", r" (?:\w+ ){0,3}")
    return re.compile(rf"\b(?:{written})\b")
