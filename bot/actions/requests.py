"""Wishes that a person carries out: noted, handed over, and said so."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, entities
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId

# intent → what is said
REQUESTS = {
    "update_contact": "request.update_contact",
    "privacy_request": "request.privacy",
}
# What the agent sees beside the wish.
_NOTED = ("amount", "invoice_number", "order_number")


class Request(Wish):
    def __init__(self, services: Services, intent: str, key: str) -> None:
        super().__init__(services)
        self.intent = intent
        self._key = key

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        noted = [str(value["value"]) for value in entities(tracker, *_NOTED)]
        return await hand_over(
            self.services, dispatcher, tracker, context, Reason.REQUEST, self._key, wish=self.intent, noted=noted
        )


def requests(services: Services) -> list[Wish]:
    return [Request(services, intent, key) for intent, key in REQUESTS.items()]
