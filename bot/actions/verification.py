"""The form that finds out who is there: a number from the invoice, and what belongs to it."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import waiting
from bot.actions.form import DO_NOT_KNOW, MISSES, PATIENCE, hearing, missed
from bot.actions.handover import say_when
from bot.actions.services import Services
from bot.actions.turn import Events, say, turn_id
from core.hold import Reason

FORM = "verify_form"
REFERENCE = "customer_reference"
SLOTS = (REFERENCE, "postcode", "house_number", "date_of_birth")

# Which values of a message are which answer, whether or not it was asked for.
_CERTAIN = {
    REFERENCE: ("invoice_number", "customer_number"),
    "postcode": ("postcode",),
    "house_number": ("house_number",),
}
# A lone answer that is spelled in an unusual way, and how it is written down.
_LONE = {
    REFERENCE: re.compile(r"[a-z]{0,5}[\s./-]*\d[\d\s./-]{2,20}[a-z]?", re.IGNORECASE),
    "house_number": re.compile(r"\d{1,4}\s*-?[a-z]?", re.IGNORECASE),
}
_BIRTH = re.compile(r"(?<!\d)(?:(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})|(\d{4})-(\d\d)-(\d\d))(?!\d)")
# Messages that answer the form's question, or try to; any other is heard as what it is first.
_ANSWERS = ("inform", "affirm", "out_of_scope")


def read(message: Mapping[str, Any], asked: str | None, wanted: Sequence[str]) -> dict[str, str]:
    """The answers in a message: `asked` comes first, and no number is two answers at once.

    `wanted`: the slots that count. Where nothing is asked yet, only what is certain by its form counts.
    """
    text = str(message.get("text") or "").strip(" .!")
    found: dict[str, str] = {}
    taken: list[Mapping[str, Any]] = []
    for slot in sorted(wanted, key=lambda slot: slot != asked):
        values = _values(message, _CERTAIN.get(slot, ()), taken)
        if slot == "postcode" and asked != slot and REFERENCE not in found:
            # Four digits alone are a postcode when it is asked for, or beside a number.
            values = [value for value in values if not str(value["value"]).isdigit()]
        if slot == asked and not values:
            values = _asked(message, text, slot)
        if values:
            found[slot] = str(values[0]["value"])
            taken.append(values[0])
    return found


def _asked(message: Mapping[str, Any], text: str, slot: str) -> list[Mapping[str, Any]]:
    """What can only be an answer because it was asked for."""
    whole = {"start": 0, "end": len(str(message.get("text") or ""))}
    if slot == "date_of_birth":
        born = birth(text)
        return [{**whole, "value": born}] if born else []
    if slot in _LONE and _LONE[slot].fullmatch(text):
        return [{**whole, "value": re.sub(r"\s", "", text).upper()}]
    return _values(message, ("reference", "order_number"), []) if slot == REFERENCE else []


def _values(
    message: Mapping[str, Any], kinds: Sequence[str], taken: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The values of these kinds that stand apart from those taken; the longest first, as it says most."""
    apart = [
        value
        for value in message.get("entities", [])
        if value["entity"] in kinds
        and not any(value["start"] < other["end"] and other["start"] < value["end"] for other in taken)
    ]
    return sorted(apart, key=lambda value: -len(str(value["value"])))


def birth(text: str) -> str | None:
    """A date of birth as ISO 8601; days come before months."""
    match = _BIRTH.search(text)
    if match is None:
        return None
    day, month, year, iso_year, iso_month, iso_day = match.groups()
    try:
        return date(int(year or iso_year), int(month or iso_month), int(day or iso_day)).isoformat()
    except ValueError:
        return None


class VerifyForm(Action):
    """Asks, reads, checks, and says itself what comes next, so that each turn of the form is one message."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        turn = turn_id(tracker)
        asked = tracker.get_slot("requested_slot")
        asked = asked if asked in SLOTS else None
        wanted = [REFERENCE, *await self._services.identity.needs(turn)]
        given = read(tracker.latest_message, asked, wanted)
        first = hearing(tracker, asked)
        if first and not _answers(tracker.latest_message, asked, given):
            return []
        if (await self._services.contexts.of(turn)).verified:  # meanwhile, by the shop's token
            return _done(tracker)
        known = {slot: given.get(slot) or tracker.get_slot(slot) for slot in wanted}
        missing = [slot for slot in wanted if not known[slot]]
        if not missing:
            return await self._check(dispatcher, tracker, {slot: str(value) for slot, value in known.items()})
        misses = missed(tracker, first and not given)
        if misses >= PATIENCE:
            return [SlotSet(MISSES, None), *await self._lock(dispatcher, tracker), *_forgotten()]
        if misses:
            say(dispatcher, f"verify.unclear_{_word(missing[0])}")
        else:
            say(dispatcher, f"verify.ask_{_word(missing[0])}")
        kept = [SlotSet(slot, known[slot]) for slot in wanted]
        return [*kept, SlotSet(MISSES, misses), SlotSet("requested_slot", missing[0])]

    async def _check(self, dispatcher: CollectingDispatcher, tracker: Tracker, known: dict[str, str]) -> Events:
        turn = turn_id(tracker)
        number = known.pop(REFERENCE)
        result = await self._services.identity.verify(turn, number, known)
        # What was given stays no longer than it is needed.
        events = _forgotten()
        if result.ok:
            return events + _done(tracker)
        if not result.locked:
            say(dispatcher, "verify.wrong", n=result.left)
            return [*events, SlotSet("requested_slot", REFERENCE)]
        return events + await self._lock(dispatcher, tracker)

    async def _lock(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        turn = turn_id(tracker)
        await self._services.handoffs.open(turn, Reason.VERIFICATION, wish=tracker.get_slot("wanted"))
        say(dispatcher, "verify.locked")
        say_when(dispatcher, await self._services.contexts.of(turn))
        ended = [SlotSet(slot, None) for slot in ("wanted", "requested_slot", waiting.SLOT)]
        return [*ended, FollowupAction("action_listen")]


def _forgotten() -> Events:
    return [SlotSet(slot, None) for slot in SLOTS]


def _done(tracker: Tracker) -> Events:
    resumed = waiting.resume(tracker)
    return [*resumed, SlotSet("verified", True), SlotSet("requested_slot", None), FollowupAction("action_wanted")]


def _answers(message: Mapping[str, Any], asked: str | None, given: Mapping[str, str]) -> bool:
    text = str(message.get("text") or "")
    curt = asked in given and "?" not in text and len(text.split()) <= 6
    return curt or message["intent"]["name"] in _ANSWERS or bool(DO_NOT_KNOW.search(text))


def _word(slot: str) -> str:
    return "reference" if slot == REFERENCE else slot
