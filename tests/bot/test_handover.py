"""When a person is there again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.actions.contact import hours
from conversations.hours import next_opening
from tests.bot.world import creditor

WEEK = {"mon-fri": "08:30-17:30"}


@pytest.mark.parametrize(
    ("opening", "now", "again"),
    [
        pytest.param(WEEK, "2026-11-23T07:00", "2026-11-23 08:30", id="early on a Monday (08:00 here)"),
        pytest.param(WEEK, "2026-11-23T17:00", "2026-11-24 08:30", id="in the evening"),
        pytest.param(WEEK, "2026-11-27T17:00", "2026-11-30 08:30", id="over the weekend"),
        pytest.param({"sun": "10:00-12:00"}, "2026-11-22T11:30", "2026-11-29 10:00", id="a week later"),
        pytest.param({}, "2026-11-23T07:00", None, id="no hours"),
    ],
)
def test_next_opening(opening: dict[str, str], now: str, again: str | None) -> None:
    found = next_opening(creditor(hours=opening), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert (found.strftime("%Y-%m-%d %H:%M") if found else None) == again


@pytest.mark.parametrize(
    ("opening", "rows"),
    [
        ({}, []),
        (
            {"mon-fri": "08:30-17:30", "sat": "09:00-12:00"},
            [
                {
                    "days": {"key": "contact.days", "args": {"first": {"key": "day.mon"}, "last": {"key": "day.fri"}}},
                    "opens": "08:30",
                    "closes": "17:30",
                },
                {"days": {"key": "day.sat", "args": {}}, "opens": "09:00", "closes": "12:00"},
            ],
        ),
    ],
)
def test_the_hours_of_a_week(opening: dict[str, str], rows: list[dict[str, Any]]) -> None:
    assert [row for text in hours(creditor(hours=opening).hours) for row in text["rows"]] == rows
