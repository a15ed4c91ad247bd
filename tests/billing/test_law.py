"""Hand-worked examples at every bracket's edge; the working stands in the ids."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.law import Kind, Letter, be, nl
from core.errors import BadInput
from core.money import Money

TODAY = date(2026, 11, 24)


def letter(
    kind: Kind = Kind.FOURTEEN_DAYS,
    costs: int = 4000,
    *,
    sent: date = date(2026, 11, 2),
    received: date | None = date(2026, 11, 3),
    channel: str = "email",
) -> Letter:
    at = datetime(sent.year, sent.month, sent.day, 9, tzinfo=UTC)
    return Letter("letter", kind, channel, at, sent, received, Money(costs), "sha256:0")


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        pytest.param(0, 0, id="nothing over nothing"),
        pytest.param(1, 4000, id="0.01: at least 40"),
        pytest.param(26666, 4000, id="266.66 x 15% = 39.999: at least 40"),
        pytest.param(26667, 4000, id="266.67 x 15% = 40.0005 = 40.00"),
        pytest.param(26670, 4001, id="266.70 x 15% = 40.005 = 40.01"),
        pytest.param(250000, 37500, id="2500 x 15% = 375"),
        pytest.param(250010, 37501, id="375 + 0.10 x 10% = 375.01"),
        pytest.param(500000, 62500, id="375 + 2500 x 10% = 625"),
        pytest.param(500020, 62501, id="625 + 0.20 x 5% = 625.01"),
        pytest.param(1000000, 87500, id="625 + 5000 x 5% = 875"),
        pytest.param(1000100, 87501, id="875 + 1 x 1% = 875.01"),
        pytest.param(20000000, 277500, id="875 + 190000 x 1% = 2775"),
        pytest.param(20000200, 277501, id="2775 + 2 x 0.5% = 2775.01"),
        pytest.param(100000000, 677500, id="2775 + 800000 x 0.5% = 6775"),
        pytest.param(100000200, 677500, id="2775 + 800002 x 0.5% = 6775.01: at most 6775"),
    ],
)
def test_dutch_costs(principal: int, expected: int) -> None:
    assert nl.costs(Money(principal), TODAY) == Money(expected)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        pytest.param(10000, 4840, id="40 + 21% = 48.40"),
        pytest.param(250000, 45375, id="375 + 21% = 453.75"),
        pytest.param(10**9, 819775, id="6775 + 21% = 8197.75"),
    ],
)
def test_dutch_costs_with_vat(principal: int, expected: int) -> None:
    assert nl.costs(Money(principal), TODAY, vat=True) == Money(expected)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        pytest.param(0, 0, id="nothing over nothing"),
        pytest.param(15000, 2000, id="up to 150: 20"),
        pytest.param(15001, 3000, id="150.01: 30 + 0.01 x 10% = 30.00"),
        pytest.param(15010, 3001, id="150.10: 30 + 0.10 x 10% = 30.01"),
        pytest.param(50000, 6500, id="500: 30 + 350 x 10% = 65"),
        pytest.param(50020, 6501, id="500.20: 65 + 0.20 x 5% = 65.01"),
        pytest.param(3920000, 200000, id="39200: 65 + 38700 x 5% = 2000"),
        pytest.param(3920020, 200000, id="39200.20: at most 2000"),
    ],
)
def test_belgian_penalty(principal: int, expected: int) -> None:
    assert be.costs(Money(principal), TODAY) == Money(expected)


@pytest.mark.parametrize(
    ("since", "until", "kind", "expected"),
    [
        pytest.param("2026-11-24", "2026-11-24", "consumer", 0, id="no day"),
        pytest.param("2026-01-01", "2027-01-01", "consumer", 4000, id="1000 x 4% = 40"),
        pytest.param("2025-01-01", "2026-01-01", "consumer", 6000, id="1000 x 6% = 60"),
        pytest.param("2024-01-01", "2025-01-01", "consumer", 7000, id="leap year: 1000 x 7% x 366/366 = 70"),
        pytest.param("2025-01-01", "2027-01-01", "consumer", 10240, id="60 + 1060 x 4% = 60 + 42.40"),
        pytest.param("2025-12-22", "2026-01-11", "consumer", 273, id="1000 x (6% x 10 + 4% x 10)/365 = 2.739"),
        # first year: 1000 x (184/365 x 6% + 181/365 x 4%) = 30.247 + 19.836 = 50.082
        pytest.param("2025-07-01", "2027-01-01", "consumer", 7125, id="50.082 + 1050.082 x 4% x 184/365 = 71.256"),
        pytest.param("2025-01-01", "2026-01-01", "business", 10645, id="1000 x (11.15% x 181 + 10.15% x 184)/365"),
        pytest.param("2024-02-29", "2025-03-01", "consumer", 6841, id="7% x 307/366 + 6% x 59/365 = 58.716 + 9.699"),
    ],
)
def test_dutch_interest(since: str, until: str, kind: Literal["consumer", "business"], expected: int) -> None:
    found = nl.interest(Money(100000), date.fromisoformat(since), date.fromisoformat(until), kind)
    assert found.total == Money(expected)


@pytest.mark.parametrize(
    ("spared", "expected"),
    [
        pytest.param([], [("2026-11-02", "2026-11-24", 241)], id="none"),
        pytest.param(
            [("2026-11-05", "2026-11-10")],
            [("2026-11-02", "2026-11-05", 32), ("2026-11-10", "2026-11-24", 154)],
            id="in the middle: 17 days x 4% x 1000 / 365 = 1.86",
        ),
        pytest.param(
            [("2026-11-05", "2026-11-10"), ("2026-11-07", "2026-11-12")],
            [("2026-11-02", "2026-11-05", 32), ("2026-11-12", "2026-11-24", 132)],
            id="two at once: 15 days = 1.64",
        ),
        pytest.param([("2026-10-01", "2026-11-10")], [("2026-11-10", "2026-11-24", 153)], id="from before"),
        pytest.param([("2026-11-20", "2026-12-31")], [("2026-11-02", "2026-11-20", 197)], id="and after"),
        pytest.param([("2026-10-01", "2026-12-31")], [], id="all"),
    ],
)
def test_no_interest_over_days_that_are_spared(
    spared: list[tuple[str, str]], expected: list[tuple[str, str, int]]
) -> None:
    days = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in spared]
    found = nl.interest(Money(100000), date(2026, 11, 2), date(2026, 11, 24), "consumer", None, days)
    assert [(str(each.since), str(each.until), each.amount.minor) for each in found.periods] == expected
    assert found.total == Money(sum(amount for _, _, amount in expected))


def test_a_year_that_is_spared_bears_no_interest_on_interest() -> None:
    # The first year is spared; the second gives 60, and only the third bears interest on that.
    spared = [(date(2019, 1, 1), date(2020, 1, 1))]
    found = nl.interest(Money(100000), date(2019, 1, 1), date(2022, 1, 1), "consumer", None, spared)
    assert found.total == Money(2000 + 2040)


def test_interest_names_its_rates_and_periods() -> None:
    found = nl.interest(Money(100000), date(2025, 12, 22), date(2026, 1, 11), "consumer")
    assert [(p.since.isoformat(), p.until.isoformat(), p.rate, p.amount.minor) for p in found.periods] == [
        ("2025-12-22", "2026-01-01", Decimal(6), 164),  # 1.6438
        ("2026-01-01", "2026-01-11", Decimal(4), 109),  # 2.7397 in all, less 1.64
    ]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param("2026-01-01", "2027-01-01", 10500, id="1000 x 10.5%"),
        pytest.param("2025-07-01", "2027-07-01", 21000, id="no interest on interest: 2 x 105"),
        pytest.param("2025-01-01", "2026-01-01", 10995, id="11.5% x 181/365 + 10.5% x 184/365 = 57.027 + 52.931"),
    ],
)
def test_belgian_interest(since: str, until: str, expected: int) -> None:
    found = be.interest(Money(100000), date.fromisoformat(since), date.fromisoformat(until), "consumer")
    assert found.total.minor == expected


@given(
    st.integers(1, 10**9),
    st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    st.integers(0, 900),
    st.sampled_from(["consumer", "business"]),
)
def test_periods_add_up_and_meet(minor: int, since: date, days: int, kind: Literal["consumer", "business"]) -> None:
    until = date.fromordinal(since.toordinal() + days)
    found = nl.interest(Money(minor), since, until, kind)
    assert sum(period.amount.minor for period in found.periods) == found.total.minor >= 0
    ends = [since, *(period.until for period in found.periods)]
    assert ends[:-1] == [period.since for period in found.periods]
    assert days == 0 or ends[-1] == until


@given(st.integers(1, 10**9), st.integers(0, 10**6))
def test_more_principal_never_costs_less(minor: int, more: int) -> None:
    for law in (nl, be):
        assert law.costs(Money(minor), TODAY).minor <= law.costs(Money(minor + more), TODAY).minor


def test_before_a_table_nothing_is_known() -> None:
    with pytest.raises(BadInput):
        be.costs(Money(100), date(2023, 8, 31))


# Received on 3 November: the 14 full days are 4 to 17 November, so costs from the 18th.
@pytest.mark.parametrize(
    ("given", "on", "expected"),
    [
        pytest.param(None, "2026-11-24", "no_letter", id="no letter"),
        pytest.param(letter(Kind.FIRST_REMINDER), "2026-11-24", "no_letter", id="another letter"),
        pytest.param(letter(received=None), "2026-11-24", "not_received", id="receipt unknown"),
        pytest.param(letter(costs=4001), "2026-11-24", "wrong_amount", id="a cent too much"),
        pytest.param(letter(costs=3999), "2026-11-24", "wrong_amount", id="a cent too little"),
        pytest.param(letter(), "2026-11-17", "too_early", id="the 14th day"),
        pytest.param(letter(), "2026-11-18", None, id="the day after the 14th"),
    ],
)
def test_the_dutch_letter(given: Letter | None, on: str, expected: str | None) -> None:
    assert nl.refusal(given, Money(10000), date.fromisoformat(on)) == expected


# Sent by e-mail on 2 November: the 14 days are 3 to 16 November, so the 17th is the first, day 15 after the sending.
# Posted on Friday 6 November: working days 9, 10, 12 (11 is a holiday), so 12 to 25, and costs from the 26th.
@pytest.mark.parametrize(
    ("given", "on", "clause", "expected"),
    [
        pytest.param(letter(Kind.FIRST_REMINDER, 2000), "2026-11-24", False, "no_clause", id="no clause"),
        pytest.param(None, "2026-11-24", True, "no_letter", id="no letter"),
        pytest.param(letter(Kind.FIRST_REMINDER, 2001), "2026-11-24", True, "wrong_amount", id="above the cap"),
        pytest.param(letter(Kind.FIRST_REMINDER, 0), "2026-11-24", True, "wrong_amount", id="names no amount"),
        pytest.param(letter(Kind.FIRST_REMINDER, 1500), "2026-11-24", True, None, id="a milder clause"),
        pytest.param(letter(Kind.FIRST_REMINDER, 2000), "2026-11-16", True, "too_early", id="day 14"),
        pytest.param(letter(Kind.FIRST_REMINDER, 2000), "2026-11-17", True, None, id="day 15"),
        pytest.param(
            letter(Kind.FIRST_REMINDER, 2000, sent=date(2026, 11, 6), channel="post"),
            "2026-11-25",
            True,
            "too_early",
            id="posted: the 14th day",
        ),
        pytest.param(
            letter(Kind.FIRST_REMINDER, 2000, sent=date(2026, 11, 6), channel="post"),
            "2026-11-26",
            True,
            None,
            id="posted: the day after",
        ),
    ],
)
def test_the_belgian_reminder(given: Letter | None, on: str, clause: bool, expected: str | None) -> None:
    assert be.refusal(given, Money(10000), date.fromisoformat(on), clause=clause) == expected
