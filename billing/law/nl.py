"""The Netherlands: collection costs after the 14-day letter, and statutory interest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billing.law.letter import Kind, Letter
from billing.law.rates import Dated, Days, Interest, accrue, at_most, valid
from core.money import Money

_BIK = "Besluit vergoeding voor buitengerechtelijke incassokosten, art. 2 (Stb. 2012, 141)"
_RATE = "Besluit vaststelling wettelijke rente"
_TRADE_RATE = "BW 6:120 lid 2: ECB main refinancing rate + 8"


@dataclass(frozen=True, slots=True)
class Scale:
    """`brackets`: (width in cents, percent), the last without an end."""

    brackets: tuple[tuple[int | None, Decimal], ...]
    minimum: int
    maximum: int


COSTS = (
    Dated(
        date(2012, 7, 1),
        Scale(
            brackets=(
                (250_000, Decimal(15)),
                (250_000, Decimal(10)),
                (500_000, Decimal(5)),
                (19_000_000, Decimal(1)),
                (None, Decimal("0.5")),
            ),
            minimum=4_000,
            maximum=677_500,
        ),
        _BIK,
    ),
)
VAT = (Dated(date(2012, 10, 1), Decimal(21), "Wet OB 1968, art. 9 lid 1"),)
# BW 6:119 and 6:120 lid 1, for debts outside trade.
CONSUMER = (
    Dated(date(2015, 1, 1), Decimal(2), _RATE),
    Dated(date(2023, 1, 1), Decimal(4), _RATE),
    Dated(date(2023, 7, 1), Decimal(6), _RATE),
    Dated(date(2024, 1, 1), Decimal(7), _RATE),
    Dated(date(2025, 1, 1), Decimal(6), _RATE),
    Dated(date(2026, 1, 1), Decimal(4), _RATE),
)
# BW 6:119a. The rate of a half-year that is not in the table yet is taken to be that of the one before.
BUSINESS = (
    Dated(date(2023, 1, 1), Decimal("10.5"), _TRADE_RATE),
    Dated(date(2023, 7, 1), Decimal(12), _TRADE_RATE),
    Dated(date(2024, 1, 1), Decimal("12.5"), _TRADE_RATE),
    Dated(date(2024, 7, 1), Decimal("12.25"), _TRADE_RATE),
    Dated(date(2025, 1, 1), Decimal("11.15"), _TRADE_RATE),
    Dated(date(2025, 7, 1), Decimal("10.15"), _TRADE_RATE),
)
# BW 6:96 lid 6: fourteen days, counted from the day after the one of receipt.
TERM = (Dated(date(2012, 7, 1), 14, "BW 6:96 lid 6"),)

Refusal = Literal["no_letter", "not_received", "too_early", "wrong_amount"]


def costs(principal: Money, on: date, vat: bool = False) -> Money:
    """Collection costs over a principal; `vat`: the creditor cannot reclaim it (BW 6:96, Besluit art. 2 lid 3).

    Nothing over nothing. Raises TooOld.
    """
    if principal.minor <= 0:
        return Money(0, principal.currency)
    scale = valid(COSTS, on).value
    left, total = principal.minor, Fraction(0)
    for width, percent in scale.brackets:
        part = left if width is None else min(left, width)
        total += part * Fraction(percent) / 100
        left -= part
    total = min(max(total, Fraction(scale.minimum)), Fraction(scale.maximum))
    if vat:
        total += total * Fraction(valid(VAT, on).value) / 100
    return Money(int(total + Fraction(1, 2)), principal.currency)


def interest(
    principal: Money,
    since: date,
    until: date,
    kind: Literal["consumer", "business"],
    agreed: Decimal | None = None,
    spared: Sequence[Days] = (),
) -> Interest:
    """Statutory interest over [since, until) but the days `spared`, or the lower one agreed on; compound per year.

    BW 6:119 lid 2, 6:119a lid 3.
    """
    rates = BUSINESS if kind == "business" else CONSUMER
    return accrue(principal, since, until, at_most(rates, agreed), spared=spared)


def highest(on: date) -> Decimal:
    """The statutory interest that consumers owe on this day, in percent a year."""
    return valid(CONSUMER, on).value


def first_day(letter: Letter) -> date | None:
    """The first day on which costs are owed: after 14 full days from the day after receipt."""
    if letter.received_on is None:
        return None
    return letter.received_on + timedelta(days=valid(TERM, letter.received_on).value + 1)


def refusal(letter: Letter | None, principal: Money, on: date, *, vat: bool = False) -> Refusal | None:
    """Why no costs may be charged on this day over this letter; None where they may.

    `principal`: what was open when the letter was sent. A letter that names more than the scale gives costs nothing;
    one that names another amount names a wrong one. Who is in trade gets the same letter: the law does not ask for it,
    our rule does.
    """
    if letter is None or letter.kind is not Kind.FOURTEEN_DAYS:
        return "no_letter"
    if letter.costs != costs(principal, letter.sent_on, vat):
        return "wrong_amount"
    first = first_day(letter)
    if first is None:
        return "not_received"
    return None if on >= first else "too_early"
