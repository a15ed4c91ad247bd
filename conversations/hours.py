"""When a person is there, by the creditor's hours: never more than these promise."""

from datetime import datetime, timedelta

from core.creditor import Creditor
from core.message import Say


def is_open(creditor: Creditor, now: datetime) -> bool:
    """Whether a person is there now; without hours nobody promises one."""
    local = now.astimezone(creditor.zone)
    hours = creditor.hours.of(local.weekday())
    return hours is not None and hours[0] <= local.time() < hours[1]


def next_opening(creditor: Creditor, now: datetime) -> datetime | None:
    """When a person is there again, in the creditor's own time; None without opening hours."""
    local = now.astimezone(creditor.zone)
    for ahead in range(8):
        day = local + timedelta(days=ahead)
        hours = creditor.hours.of(day.weekday())
        if hours is not None:
            opening = day.replace(hour=hours[0].hour, minute=hours[0].minute, second=0, microsecond=0)
            if opening > local:
                return opening
    return None


def when(creditor: Creditor, now: datetime, *, agent_open: bool) -> Say:
    """What who waits is told about it; `agent_open`: a person is there now."""
    if agent_open:
        return Say("handoff.when_open")
    opening = next_opening(creditor, now)
    if opening is None:
        return Say("handoff.when_unknown")
    return Say("handoff.when_closed", {"day": {"date": opening.date().isoformat()}, "time": opening.strftime("%H:%M")})
