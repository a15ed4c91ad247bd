"""Handing over: one message that fits, and when a person will be there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.services import Services
from bot.actions.turn import Events, leave, say
from conversations.context import TurnContext
from core.creditor import Creditor
from core.hold import Reason


async def hand_over(
    services: Services,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    context: TurnContext,
    reason: Reason,
    key: str,
    args: Mapping[str, Any] | None = None,
    **summary: Any,
) -> Events:
    """A person takes over, so an open form ends."""
    await services.handoffs.open(context.turn, reason, **{name: value for name, value in summary.items() if value})
    say(dispatcher, key, **(args or {}))
    say_when(dispatcher, context)
    return leave(tracker)


def say_when(dispatcher: CollectingDispatcher, context: TurnContext) -> None:
    """Never more than the creditor's hours promise."""
    if context.agent_open:
        say(dispatcher, "handoff.when_open")
        return
    opening = next_opening(context.creditor, context.now)
    if opening is None:
        say(dispatcher, "handoff.when_unknown")
    else:
        day = {"date": opening.date().isoformat()}
        say(dispatcher, "handoff.when_closed", day=day, time=opening.strftime("%H:%M"))


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
