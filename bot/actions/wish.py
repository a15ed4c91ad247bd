"""Wishes that only a verified person gets: the form asks first, and afterwards the wish is carried out."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import waiting
from bot.actions.services import Services
from bot.actions.turn import Events, turn_id
from conversations.context import TurnContext
from core.ids import DebtorId


class Wish(Action):
    """`intent`: what the person wants; the action is called `action_<intent>`."""

    intent: str

    def __init__(self, services: Services) -> None:
        self.services = services

    def name(self) -> str:
        return f"action_{self.intent}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self.services.contexts.of(turn_id(tracker))
        # The slot `verified` may be older than the fact.
        if not context.verified or context.debtor is None:
            return [SlotSet("wanted", self.intent), *waiting.keep(tracker, self.intent), FollowupAction("verify_form")]
        return await self.fulfil(dispatcher, tracker, context, context.debtor)

    @abstractmethod
    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        """Carry the wish out for a verified person."""
        ...


class Wanted(Action):
    """After a form: what the person came for. It ends the turn itself, as no rule begins with a wish that waited."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        self._wishes: Mapping[str, Wish] = {wish.intent: wish for wish in wishes}

    def name(self) -> str:
        return "action_wanted"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        events = await self._wishes[tracker.get_slot("wanted")].run(dispatcher, tracker, domain)
        if any(event["event"] == "followup" for event in events):  # it has a question of its own
            return events
        return [*events, SlotSet("wanted", None), waiting.FORGOTTEN, FollowupAction("action_listen")]
