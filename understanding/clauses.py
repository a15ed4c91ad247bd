"""Two wishes in one message: its clauses, each read by itself, and the second wish among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from understanding.care import CRISIS, THRESHOLDS, family, is_care
from understanding.doubt import NOTHING, is_wish
from understanding.parse import Intent
from understanding.text import LIMIT

CLAUSES = 3
"""As many are read: each costs the encoder some milliseconds."""

_WORDS = 2  # fewer say nothing by themselves
# A point in a number, a date or an abbreviation ends no sentence: it has no blank and no capital behind it.
_END = r"(?<=[.!?…;])\s+|\n+"
_ALSO = (
    r"en ook|en verder|en nog iets|daarnaast|bovendien|trouwens|and also|also|besides|by the way|oh and|oh en|"
    r"et aussi|et puis|en plus|au fait|par ailleurs|und auch|und außerdem|und ausserdem|außerdem|ausserdem|übrigens"
)
_BUT = r"maar|but|mais|aber"
_AND = (
    r"(?:en|and|et|und|e)\s+(?=(?:hoe|waar|wat|wanneer|waarom|welke|wie|kan|kun|mag|is|hebben|heeft|ik|stuur|bel|"
    r"how|where|what|when|why|which|who|can|could|may|do|does|have|has|i|i'm|please|send|call|stop|"
    r"comment|où|ou|que|quand|pourquoi|quel|quelle|quelles|quels|qui|combien|je|j'ai|est|vous|envoyez|rappelez|arrêtez|"
    r"wie|wo|was|wann|warum|welche|wer|kann|können|darf|ist|haben|habt|ich|schicken|schickt|rufen|hören)\b)"
)
_SPLIT = re.compile(rf"{_END}|,?\s+(?:(?:{_ALSO})\b,?|(?:{_BUT})\b|{_AND})\s*", re.IGNORECASE)


def clauses(text: str) -> tuple[str, ...]:
    """The parts of a message that may each say something: sentences, and what "and also" or "but" joins.

    Nothing for a message of one clause.
    """
    # Runs of blanks would cost their square
    lines = [" ".join(line.split()) for line in text[:LIMIT].splitlines()]
    parts = [part.strip(" ,;") for part in _SPLIT.split("\n".join(line for line in lines if line))]
    found = [part for part in parts if len(part.split()) >= _WORDS]
    return tuple(found[:CLAUSES]) if len(found) > 1 else ()


@dataclass(frozen=True)
class Clause:
    """intent: the likeliest of the clause by itself, with the weight of its family."""

    text: str
    intent: Intent


SURE = 0.85
"""A clause's wish counts from here: of 1,000 messages of `dev`, each with one wish, 20 then seem to have a second."""
_SURE_OF_CARE = 0.95  # a clause that sounds like care where the message does not is wrong more often
_SAID = 0.30  # where no clause says what the whole says, they were torn apart
_CRISIS = 0.90  # a life that hangs on one clause, whatever stands around it
_POLITE = frozenset({"greet", "goodbye", "thank", NOTHING})  # said beside a wish, it needs no answer of its own
_FIRST = tuple(THRESHOLDS)  # care, in the order in which it comes first


def wishes(said: Intent, *, certain: bool, heard: Sequence[Clause]) -> tuple[Intent, Clause | None]:
    """The intent to act on, and the clause with a second wish, if there is one.

    `said`: what the whole message says; `certain`: whether that may be acted on. Care comes first, graver care before
    other care, then the wish that is named first.
    """
    crisis = [clause for clause in heard if clause.intent.name == CRISIS[0] and clause.intent.confidence >= _CRISIS]
    if crisis and said.name != CRISIS[0]:
        return crisis[0].intent, None
    sure = _sure(heard)
    if not certain:
        if len(sure) < 2:
            return said, None
        said, sure = sure[0].intent, sure[1:]
    else:
        if not any(_same(clause.intent, said) and clause.intent.confidence >= _SAID for clause in heard):
            return said, None
        sure = [clause for clause in sure if not _same(clause.intent, said)]
    if not sure:
        return said, None
    also = sure[0]
    first = next(clause for clause in heard if _same(clause.intent, said))
    if said.name in _POLITE:
        return also.intent, None
    if not is_wish(said.name):  # an answer to us, or a question about us: only care comes before it
        return (also.intent, None) if family(also.intent.name) in _FIRST else (said, also)
    if (_rank(also.intent), heard.index(also)) < (_rank(said), heard.index(first)):
        return also.intent, Clause(first.text, said)
    return said, also


def _sure(heard: Sequence[Clause]) -> list[Clause]:
    """The clauses with a certain wish, surest first, one of each family; a crisis is no wish beside another."""
    found: dict[str, Clause] = {}
    for clause in sorted(heard, key=lambda clause: -clause.intent.confidence):
        intent = clause.intent
        enough = _SURE_OF_CARE if is_care(intent.name) else SURE
        if is_wish(intent.name) and intent.name not in CRISIS and intent.confidence >= enough:
            found.setdefault(family(intent.name), clause)
    return list(found.values())


def _same(one: Intent, other: Intent) -> bool:
    return family(one.name) == family(other.name)


def _rank(intent: Intent) -> int:
    """How early it comes: by the care that it needs."""
    name = family(intent.name)
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
