"""Tables that hold from a day, and interest over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from core.errors import BadInput
from core.money import Money

type Days = tuple[date, date]  # from the first until the day before the second


class TooOld(BadInput):
    """The day is before the first row of its table: what the law was then is not known here."""


@dataclass(frozen=True, slots=True)
class Dated[V]:
    """`value` holds from `since` until the next row's day."""

    since: date
    value: V
    source: str


@dataclass(frozen=True, slots=True)
class Period:
    """Interest from `since` until the day before `until`, at `rate` percent a year."""

    since: date
    until: date
    rate: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Interest:
    total: Money
    periods: Sequence[Period]


def valid[V](table: Sequence[Dated[V]], on: date) -> Dated[V]:
    """The row that holds on this day. Raises TooOld."""
    rows = [row for row in table if row.since <= on]
    if not rows:
        raise TooOld(f"the table begins on {table[0].since}, after {on}")
    return rows[-1]


def at_most(table: Sequence[Dated[Decimal]], agreed: Decimal | None) -> Sequence[Dated[Decimal]]:
    """The table, where less than it was agreed on; None: nothing was."""
    return table if agreed is None else [replace(row, value=min(row.value, agreed)) for row in table]


def accrue(
    principal: Money,
    since: date,
    until: date,
    table: Sequence[Dated[Decimal]],
    *,
    compound: bool = True,
    spared: Sequence[Days] = (),
) -> Interest:
    """Interest over [since, until): by the day, over the days of its calendar year; none over the days `spared`.

    `compound`: after each full year its interest bears interest too. Fractions of a cent are kept until the end and
    left there, in favour of the one who pays; the periods add up to the total. Raises TooOld.
    """
    base = Fraction(principal.minor)
    whole = Fraction(0)
    this_year = Fraction(0)
    found: list[tuple[date, date, Decimal, Fraction]] = []
    birthday = _years_after(since, 1)
    years = 1
    for start, end, rate in _stretches(since, until, table, spared):
        if compound and start >= birthday:
            base, this_year = base + this_year, Fraction(0)
            years += 1
            birthday = _years_after(since, years)
        if any(first <= start < last for first, last in spared):
            continue
        earned = base * Fraction(rate) / 100 * (end - start).days / _days_in(start.year)
        this_year += earned
        whole += earned
        if found and found[-1][1] == start and found[-1][2] == rate:
            found[-1] = (found[-1][0], end, rate, whole)
        else:
            found.append((start, end, rate, whole))
    periods, before = [], 0
    for start, end, rate, reached in found:
        periods.append(Period(start, end, rate, Money(int(reached) - before, principal.currency)))
        before = int(reached)
    return Interest(Money(before, principal.currency), periods)


def _stretches(
    since: date, until: date, table: Sequence[Dated[Decimal]], spared: Sequence[Days]
) -> Iterator[tuple[date, date, Decimal]]:
    """Cut where the rate, the calendar year or the year of the debt changes, and where days are spared."""
    start = since
    while start < until:
        rate = valid(table, start)
        cuts = [row.since for row in table if row.since > start]
        cuts += [day for days in spared for day in days if day > start]
        cuts += [date(start.year + 1, 1, 1), until, *_birthdays(since, start)]
        end = min(cuts)
        yield start, end, rate.value
        start = end


def _birthdays(since: date, after: date) -> list[date]:
    number = max(1, after.year - since.year)
    return [day for day in (_years_after(since, number), _years_after(since, number + 1)) if day > after]


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


def _days_in(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)) // timedelta(days=1)
