"""What an action reads of the dialogue, and how it says something."""

from collections.abc import Iterator, Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from core.ids import TurnId
from core.message import Option, Say

Events = list[dict[str, Any]]


def turn_id(tracker: Tracker) -> TurnId:
    """The turn that the latest message is: everything done for it has a key made from it."""
    return TurnId(tracker.latest_message["metadata"]["turn"])


def said_in(tracker: Tracker) -> TurnId:
    """The turn that the message came in: an earlier one, where a wish has waited (bot/actions/waiting.py)."""
    facts = tracker.latest_message["metadata"]
    return TurnId(facts.get("said_in", facts["turn"]))


def say(dispatcher: CollectingDispatcher, key: str, options: Sequence[Option] = (), **args: Any) -> None:
    dispatcher.utter_message(json_message=Say(key, args, options).as_json())


def entities(tracker: Tracker, *names: str) -> Iterator[dict[str, Any]]:
    """The latest message's values of these kinds, those named first at the front."""
    for name in names:
        yield from (found for found in tracker.latest_message.get("entities", []) if found["entity"] == name)


def entity(tracker: Tracker, *names: str) -> str | None:
    return next((str(found["value"]) for found in entities(tracker, *names)), None)


def offered(tracker: Tracker) -> dict[str, Any] | None:
    """The only option besides "no" of the bot's last message: what a yes means."""
    choices = [option for option in (last_said(tracker) or {"options": []})["options"] if option["intent"] != "deny"]
    return dict(choices[0]) if len(choices) == 1 else None


def last_said(tracker: Tracker) -> dict[str, Any] | None:
    """What the bot said last, before this message."""
    for event in reversed(tracker.events):
        if event["event"] == "bot":
            return dict(event["data"]["custom"])
    return None


def leave(tracker: Tracker) -> Events:
    """Ends an open form: what has been said leaves nothing to ask."""
    if not tracker.active_loop.get("name"):
        return []
    return [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("wanted", None)]


def since_message(tracker: Tracker) -> Iterator[dict[str, Any]]:
    """The events after the person's latest message, latest first."""
    for event in reversed(tracker.events):
        if event["event"] == "user":
            return
        yield event
