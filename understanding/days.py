"""Where a message names a day, in Dutch, English, French or German. Which day that is, the form that asks finds out."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MONTHS = (
    r"jan(?:uar[iy]?|vier)?",
    r"f(?:eb|[ée]v)(?:r(?:uar[iy]?|ier)?)?",
    r"maart|mrt|mar(?:ch|s)?|m[äa]rz",
    r"a[pv]r(?:il)?",
    r"mei|ma[iy]",
    r"juni?|june|juin",
    r"jul[iy]?|juil(?:let)?",
    r"aug(?:ust(?:us)?)?|ao[ûu]t",
    r"sept?(?:emb(?:er|re))?",
    r"o[kc]t(?:ob(?:er|re))?",
    r"nov(?:emb(?:er|re))?",
    r"d[eé][cz](?:emb(?:er|re))?",
)
_ANY_MONTH = "|".join(_MONTHS)
_NUMBERS = re.compile(
    r"(?<![\d-])(?P<iso>\d{4}-\d\d-\d\d)(?![\d-])"
    r"|(?<![\d./-])(?P<day>\d{1,2})(?P<apart>[-/.])(?P<month>\d{1,2})(?P=apart)(?P<year>\d{4})(?![\d/-])"
    r"|(?<![\d./-])\d{1,2}[-/]\d{1,2}(?![\d/-])"
)
_NAMED = re.compile(
    r"\b(?P<day>\d{1,2})(?:e|er|ste|de|st|nd|rd|th|\.)?\s(?:of\s|van\s)?"
    rf"(?P<month>{_ANY_MONTH})\b(?:\.?,?\s(?P<year>\d{{4}}))?",
    re.IGNORECASE,
)
_WEEKDAY = (
    r"(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
)
_STRETCH = r"week|weekend|woche|wochenende|maand|month|monats?|mois|semaine"
_NEXT = r"volgende|aanstaande|komende|deze|next|this|n[äa]chste[ns]?|kommenden?|diese[ns]?"
_WORDS = re.compile(
    rf"\b(?:(?:{_NEXT})\s)?(?:{_WEEKDAY})(?:\sprochain)?\b"
    rf"|\b(?:{_NEXT})\s(?:{_STRETCH})\b|\b(?:semaine prochaine|mois prochain)\b"
    r"|\b(?:einde?|begin|end|fin|anfang|ende|d[ée]but)\s(?:(?:van|of|de|du|der|des)\s)?"
    rf"(?:(?:de|the|la|{_NEXT})\s)?(?:{_STRETCH}|{_ANY_MONTH})\b"
    r"|\b(?:overmorgen|tomorrow|demain|[üu]bermorgen|vandaag|today|aujourd.hui|heute|gisteren|yesterday|gestern)\b"
    r"|\b(?:le|am|zum|de|the)\s(?:\d{1,2}(?:e|er|de|ste|st|nd|rd|th|\.(?!\d))?|ersten|premier)(?=\s*(?:$|[,.!?;)]))",
    re.IGNORECASE,
)


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end, and the day: ISO 8601 where its year is said, else the words in small letters."""
    for match in _NUMBERS.finditer(text):
        yield *match.span(), match["iso"] or _iso(match["year"], match["month"], match["day"]) or match[0]
    for match in _NAMED.finditer(text):
        names = (n for n, name in enumerate(_MONTHS, 1) if re.fullmatch(name, match["month"], re.IGNORECASE))
        yield *match.span(), _iso(match["year"], str(next(names)), match["day"]) or match[0].lower()
    for match in _WORDS.finditer(text):
        yield *match.span(), match[0].lower()


def _iso(year: str | None, month: str | None, day: str | None) -> str | None:
    return f"{year}-{int(month):02}-{int(day):02}" if year and month and day else None
