"""Amounts, dates, counts and lists as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent

from core.money import Money

# Our English is that of Europe, not of the United States.
_REGION = {"en": "en_GB"}
_THIS_YEAR = {"nl": "EEEE d MMMM", "en": "EEEE d MMMM", "fr": "EEEE d MMMM", "de": "EEEE, d. MMMM"}
_OTHER_YEAR = {"nl": "d MMMM y", "en": "d MMMM y", "fr": "d MMMM y", "de": "d. MMMM y"}


def money(amount: Money, language: str) -> str:
    return format_currency(amount.decimal, amount.currency, locale=_region(language))


def day(value: date, language: str, today: date | None = None) -> str:
    """`vrijdag 27 november` in the year of `today`, else `27 november 2026`."""
    pattern = _THIS_YEAR if today is not None and value.year == today.year else _OTHER_YEAR
    text = format_date(value, pattern[language], locale=_region(language))
    if language == "fr" and value.day == 1:  # the first is an ordinal in French, the other days are not
        return text.replace("1 ", "1er ", 1)
    return text


def count(value: int, language: str) -> str:
    return format_decimal(value, locale=_region(language))


def percent(rate: Decimal, language: str) -> str:
    """`10,5%`: the rate is a percentage already."""
    return format_percent(rate / 100, format=None, locale=_region(language), decimal_quantization=False)


def listed(values: Sequence[str], language: str) -> str:
    """`a, b en c`."""
    return format_list(values, locale=_region(language))


def _region(language: str) -> str:
    return _REGION.get(language, language)
