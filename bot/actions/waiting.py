"""What a wish said that waits until it is known who is there: then it is heard again, in place of the proof."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

from bot.actions.turn import Events, turn_id

SLOT = "waiting_message"
FORGOTTEN = SlotSet(SLOT, None)


def keep(tracker: Tracker, intent: str) -> Events:
    """The latest message waits: its words and its values are of the wish `intent`."""
    message = tracker.latest_message
    said = {
        "text": message.get("text") or "",
        "intent": {"name": intent},
        "entities": message.get("entities", []),
        "turn": turn_id(tracker),
    }
    return [SlotSet(SLOT, said)]


def resume(tracker: Tracker) -> Events:
    """It counts as this turn's message from here on."""
    said = tracker.get_slot(SLOT)
    return [SlotSet(SLOT, {**said, "heard_in": turn_id(tracker)})] if said else []


def heard(tracker: Mapping[str, Any]) -> dict[str, Any]:
    """A tracker as the engine sends it, with the message that counts as this turn's."""
    latest = tracker.get("latest_message") or {}
    said = (tracker.get("slots") or {}).get(SLOT)
    facts = latest.get("metadata") or {}
    if not said or not facts or said.get("heard_in") != facts.get("turn"):
        return dict(tracker)
    message = {name: said[name] for name in ("text", "intent", "entities")}
    return {**tracker, "latest_message": {**latest, **message, "metadata": {**facts, "said_in": said["turn"]}}}
