"""What people write in the benchmark: each text once, so that no sentence vector is remembered from before."""

import itertools
import random
from collections.abc import Iterator

_OPENINGS = (
    *("hallo", "hoi", "goedemorgen", "goedemiddag", "hey", "hé hallo", "hallo hallo"),
    *("hello", "hi", "good morning", "good afternoon", "good evening", "hello hello"),
)
_WHOM = (
    *("", "daar", "allemaal", "mensen", "iedereen", "beste mensen", "lieve mensen", "dames en heren", "meneer"),
    *("mevrouw", "weer", "assistent", "there", "everyone", "everybody", "folks", "all", "again"),
)
_ENDS = ("", "!", ".", ",", " :)")

_QUESTIONS = (
    *("wat moet ik nog betalen", "hoeveel moet ik nog betalen", "wat staat er nog open", "hoeveel staat er nog open"),
    *("wat is mijn openstaande saldo", "hoeveel ben ik jullie nog schuldig", "welk bedrag moet ik nog betalen"),
    *("how much do I still owe you", "what do I owe you", "what is my balance", "how much is still open"),
    *("what is the total that I still have to pay", "hoe hoog is mijn schuld", "welk bedrag staat er nog open"),
)
_BEFORE = ("", "hallo, ", "hoi, ", "zeg eens, ", "goedemorgen, ", "hello, ", "hi, ")
_AFTER = ("?", "", "??", " bij jullie?", " op dit moment?", " vandaag?", " precies?", " in totaal?", " nu nog?")

_WISHES = (
    *("ik wil betalen", "ik wil graag betalen", "ik wil nu betalen", "ik zou graag betalen", "ik wil nu graag betalen"),
    *("I want to pay", "I would like to pay", "I'd like to pay", "I want to pay now", "ik wil alles betalen graag"),
)
_ADDED = ("", ".", "!", " nu", " graag", " vandaag", " please", " today", " meteen", " now please", "!!", " nu meteen")


def greetings() -> Iterator[str]:
    """Over two thousand, as of each kind: more than a run asks for, in an order that is the same in every run."""
    return _mixed([f"{o} {w}".strip() + e for o, w, e in itertools.product(_OPENINGS, _WHOM, _ENDS)])


def balance_questions() -> Iterator[str]:
    return _mixed([f"{b}{q}{a}" for b, a, q in itertools.product(_BEFORE, _AFTER, _QUESTIONS)])


def payment_wishes() -> Iterator[str]:
    return _mixed([f"{b}{w}{a}" for b, a, w in itertools.product(_BEFORE, _ADDED, _WISHES)])


def _mixed(plain: list[str]) -> Iterator[str]:
    texts = list(dict.fromkeys([*plain, *(text[:1].upper() + text[1:] for text in plain)]))
    random.Random(0).shuffle(texts)
    return iter(texts)
