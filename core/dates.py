"""The day that somebody names in a message, in Dutch, English, French or German, as it is typed on a phone.

What it gives is a guess: it is said back and confirmed before it counts. A stretch of time means its end: "next week"
is its Friday, "this month" its last day.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta

_MONTHS = (
    r"januari|january|janvier|januar|janv|jan",
    r"februari|february|fevrier|februar|febr|fevr|feb",
    r"maart|march|mars|marz|maerz|mrt|mar",
    r"april|avril|apr|avr",
    r"mei|may|mai",
    r"juni|june|juin|jun",
    r"juli|july|juillet|juil|jul",
    r"augustus|august|aout|aug",
    r"september|septembre|sept|sep",
    r"oktober|october|octobre|okt|oct",
    r"november|novembre|nov",
    r"december|decembre|dezember|dec|dez",
)
_WEEKDAYS = (
    r"maandag|monday|lundi|montag",
    r"dinsdag|tuesday|mardi|dienstag",
    r"woensdag|wednesday|mercredi|mittwoch",
    r"donderdag|thursday|jeudi|donnerstag",
    r"vrijdag|friday|vendredi|freitag",
    r"zaterdag|saturday|samedi|samstag",
    r"zondag|sunday|dimanche|sonntag",
)
_COUNTS = (
    r"een|1|a|an|one|une?|einem?|einer",
    r"twee|2|two|deux|zwei",
    r"drie|3|three|trois|drei",
    r"vier|4|four|quatre",
    r"vijf|5|five|cinq|funf|fuenf",
    r"zes|6|six|sechs",
    r"zeven|7|seven|sept|sieben",
    r"acht|8|eight|huit",
    r"negen|9|nine|neuf|neun",
    r"tien|10|ten|dix|zehn",
)
_ANY_MONTH = "|".join(_MONTHS)
_ANY_WEEKDAY = "|".join(_WEEKDAYS)
_NEXT = r"volgende|next|nachste[nrs]?|naechste[nrs]?|kommende[nrs]?|komende"
_FRIDAY = 4
# The days of the month that people write out. Before another word it is a first, or a fifteenth, of something else.
_WRITTEN_DAYS = {
    1: r"eerste|first|premier|ersten",
    15: r"vijftiende|fifteenth|quinze|funfzehnten|fuenfzehnten",
    20: r"twintigste|twentieth|vingt|zwanzigsten",
    25: r"vijfentwintigste|twenty-?fifth|vingt-?cinq|funfundzwanzigsten|fuenfundzwanzigsten",
    30: r"dertigste|thirtieth|trente|dreissigsten",
}
_OF_MONTH = (
    rf"(?= ?(?:$|[.,!?;]|(?:{_NEXT}|{_ANY_MONTH})\b"
    rf"|(?:van|of|du|des) (?:de |the )?(?:maand|month|mois|{_NEXT}|monats)))"
)
_PAY_DAY = re.compile(
    r"\b(?:loon|loontje|salaris|wedde|uitkering|pensioen|toeslag|kinderbijslag|vakantiegeld|betaaldag|salary|wages?"
    r"|pay ?day|pay ?check|pension|benefits?|get paid|salaire|paie|paye|allocations?|retraite|gehalt|lohn|rente"
    r"|burgergeld|kindergeld)\b"
)

Reader = Callable[[str, date], date | None]


def read(text: str, today: date) -> date | None:
    """The day meant; a day without a year or a month is the next one. None where no day is named, or several are."""
    plain = _plain(text)
    for reader in _READERS:
        found = reader(plain, today)
        if found is not None:
            return found
    return None


def read_past(text: str, today: date) -> date | None:
    """The day meant among those that have been, today included; a day without a year or a month is the last one."""
    plain = _plain(text)
    found = _iso(plain, today) or _back(plain, today) or _last_week(plain, today)
    # Read from far enough back, the next such day is the last one.
    for reader, start in (
        (_numbers, today - timedelta(days=364)),
        (_named_month, today - timedelta(days=364)),
        (_day_of_month, _months_on(today, -1) + timedelta(days=1)),
        (_weekday, today - timedelta(days=7)),
    ):
        found = found or reader(plain, start)
    # Only where nothing else is: in Dutch and German it is "here".
    return found or (today - timedelta(days=1) if re.search(r"\bhier\b", plain) else None)


def names_pay_day(text: str) -> bool:
    """Whether somebody waits for money of their own ("when my salary comes in"): which day that is, only they know."""
    return bool(_PAY_DAY.search(_plain(text)))


def _plain(text: str) -> str:
    """Small letters without accents; a day of the month that is written out, as its number."""
    apart = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("’", "'"))
    plain = re.sub(r"\s+", " ", "".join(c for c in apart if not unicodedata.combining(c))).strip()
    for day, words in _WRITTEN_DAYS.items():
        plain = re.sub(rf"\b(de|den|the|le|am|zum|vom) (?:{words}){_OF_MONTH}", rf"\g<1> {day}", plain)
    return plain


def _iso(text: str, today: date) -> date | None:
    match = re.search(r"(?<![\d-])(\d{4})-(\d\d)-(\d\d)(?![\d-])", text)
    return _day(int(match[1]), int(match[2]), int(match[3])) if match else None


def _numbers(text: str, today: date) -> date | None:
    match = re.search(
        r"(?<![\d./-])(\d{1,2})(?:[-/](\d{1,2})(?:[-/](\d{4}|\d\d))?|\. ?(\d{1,2})\. ?(\d{4}|\d\d)?)(?![\d/-])", text
    )
    if match is None:
        return None
    month, year = match[2] or match[4], match[3] or match[5]
    return _on(int(match[1]), int(month), _year(year), today)


def _named_month(text: str, today: date) -> date | None:
    day = r"(?P<day>\d{1,2})(?:e|er|de|ste|st|nd|rd|th|\.)?"
    month, year = rf"(?P<month>{_ANY_MONTH})\b\.?", r"(?:,? (?P<year>\d{4}))?"
    match = re.search(rf"\b{day} ?(?:of |van )?{month}{year}", text) or re.search(rf"\b{month} {day}\b{year}", text)
    if match is None:
        return None
    return _on(int(match["day"]), _place(match["month"], _MONTHS) + 1, _year(match["year"]), today)


def _ahead(text: str, today: date) -> date | None:
    """In so many days, weeks or months."""
    counts = "|".join(_COUNTS)
    match = re.search(
        rf"\b(?:over|binnen(?: de)?|in|within|dans|d'ici|nog|innerhalb von) (?P<count>\d{{1,2}}|{counts}) "
        r"(?:(?P<days>dag|day|jour|tag)|(?P<weeks>weke?n?|weeks?|semaine|woche)|(?P<months>maand|month|mois|monat))",
        text,
    )
    if match is None:
        return None
    count = int(match["count"]) if match["count"].isdigit() else _place(match["count"], _COUNTS) + 1
    if match["months"]:
        return _months_on(today, count)
    return today + timedelta(days=count if match["days"] else 7 * count)


def _day_of_month(text: str, today: date) -> date | None:
    """The 25th, of this month or the next."""
    match = re.search(
        rf"\b(?:(?:de|den|op|the|on|le|du|am|zum|{_ANY_WEEKDAY}) (?:de |the |le |den )?(?P<bare>\d{{1,2}})(?!\d)"
        r"|(?P<ordinal>\d{1,2})(?=e\b|er\b|de\b|ste\b|st\b|nd\b|rd\b|th\b))"
        r"(?! ?(?:euro?s?\b|€|%|[.,:]\d|u\b|uur|h\b|uhr|dag|day|jour|tag|we[ek]|semaine|woche|maand|month|mois|monat))",
        text,
    ) or re.fullmatch(r"\W*(?P<bare>\d{1,2})(?P<ordinal>)\W*", text)
    if match is None:
        return None
    day = int(match["bare"] or match["ordinal"])
    if not 1 <= day <= 31:
        return None
    start = today
    if re.search(rf"(?:(?:{_NEXT}) (?:maand|month|monats?)|mois prochain)", text):
        start = _month_start(today, 1)
    for ahead in range(3):
        first = _month_start(start, ahead)
        found = _day(first.year, first.month, day)
        if found is not None and found >= start:
            return found
    return None


def _month_end(text: str, today: date) -> date | None:
    start = r"\b(?:eind(?:e)?|end|fin|ende|laatste dag|last day|dernier jour|letzte[nr]? tag)\b"
    named = re.search(rf"{start}(?: van| of| de| d'| des?)? ?(?P<month>{_ANY_MONTH})\b", text)
    if named:
        month = _place(named["month"], _MONTHS) + 1
        return _end_of(today.year if month >= today.month else today.year + 1, month)
    after = re.search(rf"(?:(?:{_NEXT}) (?:maand|month|monats?\b)|mois prochain)", text)
    if after:
        first = _month_start(today, 1)
        if re.search(r"\b(?:begin|beginning|start|early|debut|anfang)\b", text):
            return first
        return _end_of(first.year, first.month)
    this = rf"{start}(?: van| of| de| du| des?| dieses)?(?: de| the| deze| this| ce)? ?(?:maand|month|mois|monats?)\b"
    if re.search(rf"{this}|\bmonatsende\b|\bmaandeinde\b|\b(?:deze maand|this month|ce mois|diesen monat)\b", text):
        return _end_of(today.year, today.month)
    return None


def _weekday(text: str, today: date) -> date | None:
    if re.search(r"\b(?:na (?:het|dit) weekend|after the weekend|apres le week-?end|nach dem wochenende)\b", text):
        return today + timedelta(days=7 - today.weekday())
    named = {match[0] for match in re.finditer(rf"\b(?:{_ANY_WEEKDAY})", text)}
    next_week = re.search(rf"\b(?:(?:{_NEXT}) (?:week|woche)|semaine prochaine|week erna)\b", text)
    monday = today - timedelta(days=today.weekday())
    if not named:
        if next_week:
            return monday + timedelta(days=7 + _FRIDAY)
        if re.search(r"\b(?:week-?end|wochenende)\b", text):
            return monday + timedelta(days=5)
        ends = r"\b(?:eind(?:e)?|end|fin|ende)\b(?: van| of| de| der| diese[rn]?)?(?: de| the| deze| this| la)? ?"
        if re.search(rf"{ends}(?:week|semaine|woche)\b|\b(?:deze week|this week|cette semaine|diese woche)\b", text):
            return monday + timedelta(days=_FRIDAY if today.weekday() <= _FRIDAY else 6)
        return None
    places = {_place(name, _WEEKDAYS) for name in named}
    if len(places) > 1:
        return None
    place = places.pop()
    if next_week:
        return monday + timedelta(days=7 + place)
    coming = today + timedelta(days=(place - today.weekday() - 1) % 7 + 1)
    skips = re.search(rf"\b(?:volgende|next|nachsten?|naechsten?) (?:{_ANY_WEEKDAY})", text)
    return coming + timedelta(days=7) if skips and coming < monday + timedelta(days=7) else coming


def _near(text: str, today: date) -> date | None:
    days: Sequence[tuple[str, int]] = (
        (r"overmorgen|day after tomorrow|apres-demain|apres demain|ubermorgen|uebermorgen", 2),
        (r"(?<!guten )(?<!goede )(?<!goeden )(?<!am )morgen(?:vroeg|ochtend|middag|avond)?|tomorrow|demain", 1),
        (r"vandaag|vanavond|vanmiddag|straks|today|tonight|aujourd'hui|ce soir|heute", 0),
    )
    return next((today + timedelta(days=ahead) for words, ahead in days if re.search(rf"\b(?:{words})\b", text)), None)


def _back(text: str, today: date) -> date | None:
    """Today, yesterday, so many days or weeks ago."""
    days: Sequence[tuple[str, int]] = (
        (r"eergisteren|day before yesterday|avant-hier|avant hier|vorgestern", 2),
        (r"gisteren|gisteravond|yesterday|last night|gestern", 1),
        (r"vandaag|vanochtend|vanmorgen|today|this morning|aujourd'hui|ce matin|heute", 0),
    )
    counts = "|".join(_COUNTS)
    units = r"(?:(?P<days>dag|day|jour|tag)|(?P<weeks>we[ek]|semaine|woche))\w*"
    match = re.search(rf"\b(?:il y a|vor) (?P<count>\d{{1,2}}|{counts}) {units}", text) or re.search(
        rf"\b(?P<count>\d{{1,2}}|{counts}) {units} (?:geleden|ago)\b", text
    )
    if match:
        count = int(match["count"]) if match["count"].isdigit() else _place(match["count"], _COUNTS) + 1
        return today - timedelta(days=count if match["days"] else 7 * count)
    return next((today - timedelta(days=back) for words, back in days if re.search(rf"\b(?:{words})\b", text)), None)


def _last_week(text: str, today: date) -> date | None:
    """A named weekday of the week before this one."""
    named = re.search(rf"\b(?:{_ANY_WEEKDAY})", text)
    before = r"\b(?:(?:vorige|afgelopen|last|letzter?|vorige[rn]) (?:week|woche)|semaine (?:derniere|passee))\b"
    if named is None or not re.search(before, text):
        return None
    return today - timedelta(days=today.weekday() + 7 - _place(named[0], _WEEKDAYS))


# The most certain first.
_READERS: Sequence[Reader] = (_iso, _numbers, _named_month, _ahead, _day_of_month, _month_end, _weekday, _near)


def _place(name: str, words: Sequence[str]) -> int:
    return next(place for place, each in enumerate(words) if re.fullmatch(each, name))


def _year(given: str | None) -> int | None:
    if given is None:
        return None
    return int(given) + (2000 if len(given) == 2 else 0)


def _on(day: int, month: int, year: int | None, today: date) -> date | None:
    if year is not None:
        return _day(year, month, day)
    found = _day(today.year, month, day)
    return _day(today.year + 1, month, day) if found is None or found < today else found


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month_start(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _months_on(day: date, months: int) -> date:
    first = _month_start(day, months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


def _end_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
