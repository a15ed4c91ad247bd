"""Quiet hours: when nobody may be approached.

Source: Bki art. 4.2 (NL, since 2024-04-01): not between 20:00 and 07:00, not on Sundays, not on public holidays. The
Belgian law names no hours that we know of; the Dutch ones are kept there too, with Belgium's own holidays.
"""

from datetime import datetime, time

import holidays

from core.creditor import Creditor

_FROM, _UNTIL = time(7, 0), time(20, 0)
_SUNDAY = 6


def may_approach(creditor: Creditor, now: datetime) -> bool:
    """Whether we may write first at this moment, on the creditor's own clock."""
    local = now.astimezone(creditor.zone)
    if not _FROM <= local.time() < _UNTIL or local.weekday() == _SUNDAY:
        return False
    return local.date() not in holidays.country_holidays(creditor.country, years=local.year)
