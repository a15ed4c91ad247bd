"""Belgium: the free first reminder, and the caps on a penalty clause and on interest (consumers).

Art. XIX.2 lets further reminders cost something as well. We charge nothing for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import holidays

from billing.law.letter import Kind, Letter
from billing.law.rates import Dated, Days, Interest, accrue, at_most, valid
from core.money import Money

_BOOK = "Code of Economic Law, book XIX (law of 4 May 2023), art. "
_LATE = "Law of 2 August 2002, art. 5: ECB rate + 8, rounded up to half a percent"


@dataclass(frozen=True, slots=True)
class Step:
    """Of a principal above `above`: `fixed`, and `percent` of the part above."""

    above: int
    fixed: int
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Cap:
    steps: tuple[Step, ...]
    maximum: int


PENALTY = (
    Dated(
        date(2023, 9, 1),
        Cap(
            steps=(
                Step(0, 2_000, Decimal(0)),
                Step(15_000, 3_000, Decimal(10)),
                Step(50_000, 6_500, Decimal(5)),
            ),
            maximum=200_000,
        ),
        _BOOK + "XIX.4",
    ),
)
# The highest interest that a clause may give.
RATE = (
    Dated(date(2023, 7, 1), Decimal(12), _LATE),
    Dated(date(2024, 1, 1), Decimal("12.5"), _LATE),
    Dated(date(2025, 1, 1), Decimal("11.5"), _LATE),
    Dated(date(2025, 7, 1), Decimal("10.5"), _LATE),
)
TERM = (Dated(date(2023, 9, 1), 14, _BOOK + "XIX.2"),)
_THIRD_WORKING_DAY = 3

Refusal = Literal["no_letter", "not_received", "too_early", "wrong_amount", "no_clause"]


def costs(principal: Money, on: date, vat: bool = False) -> Money:
    """The most that a penalty clause may give over a principal. `vat` changes nothing: a penalty bears none.

    Raises TooOld.
    """
    if principal.minor <= 0:
        return Money(0, principal.currency)
    cap = valid(PENALTY, on).value
    step = [each for each in cap.steps if principal.minor > each.above][-1]
    total = step.fixed + Fraction(step.percent) / 100 * (principal.minor - step.above)
    return Money(min(int(total), cap.maximum), principal.currency)


def interest(
    principal: Money,
    since: date,
    until: date,
    kind: Literal["consumer", "business"],
    agreed: Decimal | None = None,
    spared: Sequence[Days] = (),
) -> Interest:
    """The most that a clause may give over [since, until) but the days `spared`, or the lower one that it gives.

    No interest on interest.
    """
    return accrue(principal, since, until, at_most(RATE, agreed), compound=False, spared=spared)


def highest(on: date) -> Decimal:
    """The highest interest that a clause may give on this day, in percent a year."""
    return valid(RATE, on).value


def first_day(letter: Letter) -> date | None:
    """The first day on which a penalty and interest may be charged.

    The 14 days begin on the day after an electronic sending, so that costs begin on the 15th; after a posting they
    begin on the third working day. Saturdays are not counted as working days: never earlier than the law's count.
    """
    if letter.received_on is None:
        return None
    begins = letter.sent_on + timedelta(days=1) if letter.channel != "post" else _third_working_day(letter.sent_on)
    return begins + timedelta(days=valid(TERM, letter.sent_on).value)


def _third_working_day(after: date) -> date:
    closed = holidays.country_holidays("BE", years=(after.year, after.year + 1))
    day = after
    for _ in range(_THIRD_WORKING_DAY):
        day += timedelta(days=1)
        while day.weekday() >= 5 or day in closed:
            day += timedelta(days=1)
    return day


def refusal(letter: Letter | None, principal: Money, on: date, *, clause: bool) -> Refusal | None:
    """Why no penalty or interest may be charged on this day over this letter; None where they may.

    `clause`: the creditor's terms have a penalty clause. The reminder itself is free, and names what may come.
    """
    if not clause:
        return "no_clause"
    if letter is None or letter.kind is not Kind.FIRST_REMINDER:
        return "no_letter"
    if not letter.costs or costs(principal, letter.sent_on) < letter.costs:
        return "wrong_amount"
    first = first_day(letter)
    if first is None:
        return "not_received"
    return None if on >= first else "too_early"
