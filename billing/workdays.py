"""Working days, as banks keep them: no weekends, no public holidays."""

from datetime import date, timedelta

import holidays

_SATURDAY = 5


def after(day: date, days: int, country: str) -> date:
    """The `days`th working day after `day`."""
    while days:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY and day not in holidays.country_holidays(country, years=day.year):
            days -= 1
    return day
