"""Amounts in words (`twintig euro`): whole numbers below a thousand, in Dutch, English, French and German."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_ONES = {
    "nl": "een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien "
    "achttien negentien",
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dixsept dixhuit "
    "dixneuf",
    "de": "ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn "
    "achtzehn neunzehn",
}
_TENS = {
    "nl": "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "fr": "vingt trente quarante cinquante soixante septante quatrevingt nonante",
    "de": "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig",
}
_HUNDRED = {"nl": "honderd", "en": "hundred", "fr": "cent", "de": "hundert"}
_AND = {"nl": "en", "en": "and", "fr": "et", "de": "und"}
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MOST = 7  # words of one number: quatre cent quatre vingt dix sept


def before(text: str) -> tuple[int, int] | None:
    """The number in words that a text ends with: its value and where it begins; None where there is none."""
    words = list(_WORD.finditer(text))[-_MOST:]
    if not words or text[words[-1].end() :].strip():
        return None
    for word in words:
        if re.fullmatch(r"[\w\s-]*", text[word.start() :]):
            value = _values().get(_plain(text[word.start() :]))
            if value is not None:
                return value, word.start()
    return None


@lru_cache(maxsize=1)
def _values() -> dict[str, int]:
    """All of them, without spaces and hyphens; made when first asked for."""
    found = {name: value for language in _ONES for name, value in _all(language)}
    return {**found, "a" + _HUNDRED["en"]: 100}


def _all(language: str) -> Iterator[tuple[str, int]]:
    small = dict(_below_hundred(language))
    hundred, joins = _HUNDRED[language], ("", _AND[language])
    yield from small.items()
    for ones, times in [("", 1), *((name, value) for name, value in small.items() if value < 10)]:
        for plural in (hundred, hundred + "s") if language == "fr" else (hundred,):
            yield ones + plural, 100 * times
            yield from ((ones + plural + join + rest, 100 * times + n) for rest, n in small.items() for join in joins)


def _below_hundred(language: str) -> Iterator[tuple[str, int]]:
    ones = {name: value for value, name in enumerate(_ONES[language].split(), 1)}
    yield from ones.items()
    for place, ten in enumerate(_TENS[language].split(), 2):
        yield ten, 10 * place
        for name, value in ones.items():
            if language in ("nl", "de") and value < 10:
                yield name + _AND[language] + ten, 10 * place + value
            elif language == "en" and value < 10:
                yield ten + name, 10 * place + value
            elif language == "fr" and (value < 10 or ten in ("soixante", "quatrevingt")):
                yield from ((ten + join + name, 10 * place + value) for join in ("", "et"))
    if language == "fr":
        yield "quatrevingts", 80
    if language == "de":
        yield "eins", 1


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    plain = re.sub(r"[^a-z]", "", apart)
    return re.sub(r"(?<=f)ue(?=nf)|(?<=zw)oe(?=lf)", lambda match: match[0][0], plain)
