"""The days that people name; today is Tuesday 24 November 2026."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dates import names_pay_day, read, read_past

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Dutch
        ("vrijdag", "2026-11-27"),
        ("Ik betaal vrijdag!", "2026-11-27"),
        ("dinsdag", "2026-12-01"),
        ("aanstaande vrijdag", "2026-11-27"),
        ("volgende week", "2026-12-04"),
        ("volgende week maandag", "2026-11-30"),
        ("maandag volgende week", "2026-11-30"),
        ("volgende vrijdag", "2026-12-04"),
        ("de 25e", "2026-11-25"),
        ("rond de 25ste krijg ik loon", "2026-11-25"),
        ("op de 1e", "2026-12-01"),
        ("de 15e van volgende maand", "2026-12-15"),
        ("eind van de maand", "2026-11-30"),
        ("einde maand", "2026-11-30"),
        ("eind december", "2026-12-31"),
        ("begin volgende maand", "2026-12-01"),
        ("over twee weken", "2026-12-08"),
        ("over 3 dagen", "2026-11-27"),
        ("over een week", "2026-12-01"),
        ("morgen", "2026-11-25"),
        ("overmorgen lukt", "2026-11-26"),
        ("vanavond nog", "2026-11-24"),
        ("5 december", "2026-12-05"),
        ("3 jan", "2027-01-03"),
        ("5-12", "2026-12-05"),
        ("05/12/2026", "2026-12-05"),
        ("2026-12-05", "2026-12-05"),
        ("na het weekend", "2026-11-30"),
        ("in het weekend", "2026-11-28"),
        ("30", "2026-11-30"),
        ("vrijdag de 27e", "2026-11-27"),
        ("de eerste", "2026-12-01"),
        ("de vijftiende van de maand", "2026-12-15"),
        ("op de twintigste", "2026-12-20"),
        ("am Ersten", "2026-12-01"),
        ("zum Fünfzehnten", "2026-12-15"),
        ("le premier du mois", "2026-12-01"),
        ("le quinze décembre", "2026-12-15"),
        ("le 15", "2026-12-15"),
        ("on the first of the month", "2026-12-01"),
        # English
        ("next Friday", "2026-12-04"),
        ("on Friday", "2026-11-27"),
        ("this friday", "2026-11-27"),
        ("tomorrow", "2026-11-25"),
        ("the day after tomorrow", "2026-11-26"),
        ("by the 1st", "2026-12-01"),
        ("december 3rd", "2026-12-03"),
        ("3rd of December", "2026-12-03"),
        ("in a week", "2026-12-01"),
        ("in 10 days", "2026-12-04"),
        ("end of the month", "2026-11-30"),
        ("next week", "2026-12-04"),
        ("end of next month", "2026-12-31"),
        ("after the weekend", "2026-11-30"),
        # French
        ("le 15", "2026-12-15"),
        ("je paie le 1er décembre", "2026-12-01"),
        ("vendredi", "2026-11-27"),
        ("vendredi prochain", "2026-11-27"),
        ("vendredi de la semaine prochaine", "2026-12-04"),
        ("la semaine prochaine", "2026-12-04"),
        ("à la fin du mois", "2026-11-30"),
        ("dans deux semaines", "2026-12-08"),
        ("après-demain", "2026-11-26"),
        ("demain", "2026-11-25"),
        ("fin décembre", "2026-12-31"),
        ("le 5 du mois prochain", "2026-12-05"),
        ("aujourd’hui", "2026-11-24"),
        # German
        ("am Freitag", "2026-11-27"),
        ("nächsten Freitag", "2026-12-04"),
        ("nächste Woche Montag", "2026-11-30"),
        ("Ende des Monats", "2026-11-30"),
        ("zum Monatsende", "2026-11-30"),
        ("am 25.", "2026-11-25"),
        ("am 5.12.", "2026-12-05"),
        ("5. Dezember", "2026-12-05"),
        ("in zwei Wochen", "2026-12-08"),
        ("in einer Woche", "2026-12-01"),
        ("übermorgen", "2026-11-26"),
        ("heute noch", "2026-11-24"),
        ("Anfang nächsten Monats", "2026-12-01"),
    ],
)
def test_a_day_is_read(text: str, expected: str) -> None:
    assert read(text, TODAY) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "later",
        "kan ik later betalen?",
        "als mijn loon binnen is",
        "maandag of dinsdag",
        "guten Morgen",
        "goede morgen",
        "ik betaal de 25 euro wel",
        "factuur 2026-0042",
        "€ 12.50",
        "12,50 euro",
        "geef me even tijd",
        "99",
        "31-31",
        "I may pay",
        "Ich zahle bald",
        "quand je peux",
    ],
)
def test_no_day_is_made_up(text: str) -> None:
    assert read(text, TODAY) is None


@given(st.text(max_size=60), st.dates(date(2024, 1, 1), date(2040, 12, 31)))
def test_anything_may_be_typed(text: str, today: date) -> None:
    found = read(text, today)
    assert found is None or isinstance(found, date)


@given(st.dates(date(2024, 1, 1), date(2040, 12, 31)), st.integers(0, 300))
def test_a_full_date_is_that_date(today: date, days: int) -> None:
    day = date.fromordinal(today.toordinal() + days)
    assert read(day.isoformat(), today) == day
    assert read(f"{day.day}/{day.month}/{day.year}", today) == day
    assert read(f"{day.day}-{day.month}", today) == day or (day.month == 2 and day.day == 29)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gisteren", "2026-11-23"),
        ("ik heb gisteravond betaald", "2026-11-23"),
        ("eergisteren", "2026-11-22"),
        ("vandaag", "2026-11-24"),
        ("vrijdag", "2026-11-20"),
        ("afgelopen vrijdag", "2026-11-20"),
        ("vorige week dinsdag", "2026-11-17"),
        ("12 november", "2026-11-12"),
        ("1 december", "2025-12-01"),
        ("12-11", "2026-11-12"),
        ("de 25e", "2026-10-25"),
        ("drie dagen geleden", "2026-11-21"),
        ("yesterday", "2026-11-23"),
        ("last Monday", "2026-11-23"),
        ("two weeks ago", "2026-11-10"),
        ("on the 20th", "2026-11-20"),
        ("hier", "2026-11-23"),
        ("avant-hier", "2026-11-22"),
        ("il y a 3 jours", "2026-11-21"),
        ("mardi de la semaine dernière", "2026-11-17"),
        ("gestern", "2026-11-23"),
        ("vor einer Woche", "2026-11-17"),
        ("am 12.11.", "2026-11-12"),
        ("letzte Woche Freitag", "2026-11-20"),
        ("ik heb het hier staan: 12 november", "2026-11-12"),
        ("12 december 2026", "2026-12-12"),  # as it stands there
    ],
)
def test_a_day_that_has_been_is_read(text: str, expected: str) -> None:
    assert read_past(text, TODAY) == date.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "laatst", "vorige week", "49,95", "factuur 2026-0042", "long ago"])
def test_no_day_that_has_been_is_made_up(text: str) -> None:
    assert read_past(text, TODAY) is None


@given(st.text(max_size=60), st.dates(date(2024, 1, 1), date(2040, 12, 31)))
def test_anything_may_be_typed_of_the_past(text: str, today: date) -> None:
    found = read_past(text, today)
    assert found is None or isinstance(found, date)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("als mijn loon binnen is", True),
        ("zodra ik mijn uitkering krijg", True),
        ("when my salary comes in", True),
        ("on payday", True),
        ("quand j’aurai mon salaire", True),
        ("wenn mein Gehalt da ist", True),
        ("volgende week", False),
        ("ik betaal later", False),
    ],
)
def test_a_pay_day_is_theirs_to_name(text: str, expected: bool) -> None:
    assert names_pay_day(text) is expected
