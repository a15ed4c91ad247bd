"""People in trouble, people who disagree, and people who want a person: a fitting word, and someone takes over."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, entity, leave, say, turn_id
from conversations.care import crisis, help_in
from conversations.context import TurnContext
from core.hold import Reason

_DISPUTES = ("not_received", "returned", "defective", "amount", "not_mine", "cancelled")
# intent → (why a person is needed, what is said)
HANDOVERS = {
    "under_administration": (Reason.UNDER_ADMINISTRATION, "care.under_administration"),
    "report_deceased": (Reason.REPORT_DECEASED, "care.report_deceased"),
    "complaint": (Reason.COMPLAINT, "care.complaint"),
    "human": (Reason.HUMAN, "handoff.human"),
}


class HandsOver(Action):
    def __init__(self, services: Services, intent: str, reason: Reason, key: str) -> None:
        self.services = services
        self._intent = intent
        self._reason = reason
        self._key = key

    def name(self) -> str:
        return f"action_{self._intent}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self.services.contexts.of(turn_id(tracker))
        return await hand_over(self.services, dispatcher, tracker, context, self._reason, self._key)


class Hardship(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_hardship"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        args = {"help": help_in(context.country, "care.debt_help")}
        # A proposal in the same breath is the agent's to see.
        proposal = entity(tracker, "amount")
        return await hand_over(
            self._services, dispatcher, tracker, context, Reason.HARDSHIP, "care.hardship", args, proposal=proposal
        )


class SelfHarm(Action):
    """Care first, a crisis line, and the truth about who reads this. Nothing about money, and no buttons."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_self_harm"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        await self._services.handoffs.open(context.turn, Reason.SELF_HARM)
        for words in crisis(context.country, agent_open=context.agent_open):
            dispatcher.utter_message(json_message=words.as_json())
        return leave(tracker)


class Dispute(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_dispute"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        reason = (
            entity(tracker, "dispute_reason")
            or context.intent.partition("/")[2]
            or str(tracker.get_slot("dispute_reason") or "")
        )
        key = f"dispute.{reason if reason in _DISPUTES else 'general'}"
        invoice = entity(tracker, "invoice_number")
        events = await hand_over(
            self._services,
            dispatcher,
            tracker,
            context,
            Reason.DISPUTE,
            key,
            reason_detail=reason or None,
            invoice=invoice,
        )
        await self._say_which(dispatcher, context)
        # The hold stands and a person is called: what else there is to say is never a condition.
        say(dispatcher, "dispute.ask")
        return events

    async def _say_which(self, dispatcher: CollectingDispatcher, context: TurnContext) -> None:
        """Where only some of what is open is held: which."""
        if not context.verified or context.debtor is None:
            return
        found = await self._services.invoices.open_of(context.debtor)
        held = [invoice.number for invoice in found if invoice.disputed]
        if held and len(held) < len(found):
            say(dispatcher, "invoice.held", invoices=held)
