"""Second thoughts: "no, the other one", "make it 40", "rather Friday", said right after it was done."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.invoices import choose
from bot.actions.services import Services
from bot.actions.turn import Events, entities, last_said, turn_id
from bot.actions.wish import Wish
from core.dates import read as read_day
from core.money import Money

_OTHER = re.compile(
    r"\b(de |het |die )?andere\b|\bthe other\b|\bother one\b|l.autre\b|\b(die|den|das) andere[nr]?\b", re.IGNORECASE
)


class Corrects(Action):
    """Before `otherwise` answers: whether the message corrects what was just done, and then it is done anew."""

    def __init__(self, services: Services, otherwise: Action, wishes: Sequence[Wish]) -> None:
        self._services = services
        self._otherwise = otherwise
        self._wishes: Mapping[str, Wish] = {wish.intent: wish for wish in wishes}

    def name(self) -> str:
        return str(self._otherwise.name())

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        meant = None if tracker.active_loop.get("name") else await self._meant(tracker)
        action = self._wishes[meant] if meant else self._otherwise
        events: Events = await action.run(dispatcher, tracker, domain)
        return events

    async def _meant(self, tracker: Tracker) -> str | None:
        """The wish that is corrected; what it then needs is put among the message's values."""
        last = last_said(tracker)
        text = str(tracker.latest_message.get("text") or "")
        key = str(last["key"]) if last else ""
        if not key.startswith(("payment_link.issued", "promise.made")):
            return None
        context = await self._services.contexts.of(turn_id(tracker))
        if not context.verified or context.debtor is None or last is None:
            return None
        if key.startswith("promise.made"):
            today = context.now.astimezone(context.creditor.zone).date()
            return "pay_later" if read_day(text, today) else None
        payable = [each for each in await self._services.invoices.open_of(context.debtor) if not each.disputed]
        chosen = choose(tracker.latest_message, payable)
        if chosen is None and _OTHER.search(text):
            said = Money(*last["args"]["amount"]["money"])
            others = [each.id for each in payable if each.open != said]
            chosen = others[0] if len(others) == 1 else None
            if chosen is None:
                return "pay" if len(payable) > 1 else None
        if chosen is not None and len(payable) > 1:
            value = {"entity": "invoice", "value": chosen}
            tracker.latest_message["entities"] = [*tracker.latest_message.get("entities", []), value]
            return "pay"
        return "pay_part" if len({value["value"] for value in entities(tracker, "amount")}) == 1 else None
