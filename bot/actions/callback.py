"""Call me: on which number, and when. Noted for a person, who calls."""

import re
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.form import Form, Heard, start
from bot.actions.handover import hand_over, say_when
from bot.actions.turn import Events, entity, leave, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.dates import read as read_day
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option
from core.phones import find, spelled

PHONE, WHEN = "callback_phone", "callback_when"
# What a tap says: the number that this is written from, and as soon as there is somebody.
_THIS, _SOONEST = "this_number", "soonest"
_PHONES = frozenset({"sms", "whatsapp"})
_CLOCK = r"\d{1,2}(?:\s?(?:[:.h]\s?\d\d(?!\d)|(?:u|h|heures?|uur|uhr|[ap]m|o.?clock)\b))+"
_FROM = r"na|vanaf|tussen|after|from|at|between|apr[eè]s|entre|vers|[aà]|d[eè]s|nach|zwischen|gegen|um|om"
_TO = r"(?:en|and|et|und|tot|to|[-–])"
_PART = (
    r"\w*(?:ochtend|voormiddag|namiddag|middag|avond|morning|afternoon|evening|noon|lunch|matin|apr[eè]s-midi|soir"
    r"|vormittag|nachmittag|abend|mittag)\w*"
)
_TIME = re.compile(
    rf"(?:\b(?:{_FROM}|voor|rond|before|around|avant|vor|ab|in the|in de|le|am)\s+)?"
    rf"(?:(?:\d{{1,2}}\s?{_TO}\s?)?{_CLOCK}|{_PART})"
    rf"|\b(?:{_FROM})\s\d{{1,2}}(?:\s?{_TO}\s?\d{{1,2}})?(?![\d.:/-]|\s?\w{{3}}|e\b)",
    re.IGNORECASE,
)
_ANY_TIME = re.compile(
    r"maakt niet uit|altijd|zo snel mogelijk|meteen|wanneer je|any ?time|whenever|asap|as soon as|right away|n.importe"
    r"|d[eè]s que|tout de suite|egal|jederzeit|so (?:bald|schnell)|sofort",
    re.IGNORECASE,
)


class CallbackForm(Form):
    """The number, checked; and a day, a time in the person's own words, or whenever: `2026-11-24 na 14 uur`."""

    intent = "request_callback"
    slots = (PHONE, WHEN)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        text = str(tracker.latest_message.get("text") or "")
        given: dict[str, str] = {}
        number = find(text, context.country)
        if number is not None:
            given[PHONE], text = number
        elif entity(tracker, _THIS):
            given[PHONE] = _THIS
        elif asked == PHONE and len(re.findall(r"\d", text)) > 5:
            return Heard(wrong="handoff.callback_phone_wrong")
        if entity(tracker, _SOONEST) or (asked == WHEN and _ANY_TIME.search(text)):
            given[WHEN] = _SOONEST
        elif asked != PHONE or number is not None:
            today = context.now.astimezone(context.creditor.zone).date()
            day, time = read_day(text, today), _TIME.search(text)
            if day or time:
                given[WHEN] = " ".join([day.isoformat() if day else "", time[0] if time else ""]).strip()
        return Heard(given)

    async def ask(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        context: TurnContext,
        slot: str,
        *,
        unclear: bool,
        wrong: str | None,
    ) -> None:
        if slot == PHONE:
            here = Option("option.this_number", "inform", entities={_THIS: "yes"})
            key = "handoff.callback_phone_unclear" if unclear else "handoff.callback_phone"
            say(dispatcher, wrong or key, [here] if context.channel in _PHONES else [])
        else:
            soonest = Option("option.soonest", "inform", entities={_SOONEST: "yes"})
            say(dispatcher, "handoff.callback_when_unclear" if unclear else "handoff.callback_when", [soonest])

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        phone = known[PHONE] if known[PHONE] != _THIS else None
        key = "handoff.callback" if known[PHONE] or context.channel in _PHONES else "handoff.callback_here"
        await hand_over(self.services, dispatcher, tracker, context, Reason.CALLBACK, key, phone=phone)


class RequestCallback(Wish):
    """For everybody: who is called is told nothing before they have said who they are."""

    intent = "request_callback"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        phone, when = tracker.get_slot(PHONE), tracker.get_slot(WHEN)
        if not phone or not when:
            return start(CallbackForm)
        context = await self.services.contexts.of(turn_id(tracker))
        told = {"phone": None if phone == _THIS else phone, "when": None if when == _SOONEST else when}
        facts = {name: value for name, value in told.items() if value}
        await self.services.handoffs.open(context.turn, Reason.CALLBACK, **facts)
        say(
            dispatcher,
            "handoff.callback_noted",
            phone=spelled(phone) if told["phone"] else {"key": "handoff.this_number"},
            when=_when(when) if told["when"] else {"key": "handoff.soonest"},
        )
        if not context.agent_open:
            say_when(dispatcher, context)
        return [*leave(tracker), SlotSet(PHONE, None), SlotSet(WHEN, None)]

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        return await self.run(dispatcher, tracker, {})


def _when(told: str) -> Any:
    """As the argument of a message."""
    day, _, time = told.partition(" ")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return told
    return {"key": "handoff.day_and_time", "args": {"day": {"date": day}, "time": time}} if time else {"date": day}
