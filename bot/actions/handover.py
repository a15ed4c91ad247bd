"""Handing over: one message that fits, and when a person will be there."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.services import Services
from bot.actions.turn import Events, leave, say
from conversations.context import TurnContext
from conversations.hours import when
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
    words = when(context.creditor, context.now, agent_open=context.agent_open)
    dispatcher.utter_message(json_message=words.as_json())
