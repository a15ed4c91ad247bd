"""People in trouble, people who disagree, and people who want a person: a fitting word, and someone takes over."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import waiting
from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, entity, leave, say, turn_id
from bot.actions.wish import Wish
from conversations.care import crisis, help_in
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId
from core.pictures import PICTURE_CHANNELS

_DISPUTES = ("not_received", "returned", "defective", "amount", "not_mine", "cancelled")
_SHOWN = ("returned", "defective")  # a picture of it is asked for, where one can be sent
# intent → (why a person is needed, what is said)
HANDOVERS = {
    "under_administration": (Reason.UNDER_ADMINISTRATION, "care.under_administration"),
    "report_deceased": (Reason.REPORT_DECEASED, "care.report_deceased"),
    "complaint": (Reason.COMPLAINT, "care.complaint"),
    "human": (Reason.HUMAN, "handoff.human"),
}
# What stops for the person who writes: somebody unknown is asked who they are.
WHO = ("hardship", "dispute", "complaint")
# Said for somebody else, as a rule: whose it is this person cannot prove, and a colleague looks the number up.
ABOUT_ANOTHER = ("under_administration", "report_deceased")


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
        asked = _asked_who(context, self._intent)
        unknown = context.debtor is None and self._intent in (*WHO, *ABOUT_ANOTHER)
        key = f"{self._key}_unknown" if unknown else self._key
        return [*await hand_over(self.services, dispatcher, tracker, context, self._reason, key), *asked]


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
        asked = _asked_who(context, "hardship")
        key = "care.hardship_unknown" if asked else "care.hardship"
        events = await hand_over(
            self._services, dispatcher, tracker, context, Reason.HARDSHIP, key, args, proposal=proposal
        )
        return [*events, *asked]


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
        asked: Events = []
        if context.debtor is None and reason == "not_mine":
            # Whose it is this person cannot prove: a colleague looks the number up.
            key = "dispute.not_mine_unknown"
        elif asked := _asked_who(context, "dispute"):
            key = "dispute.unknown"
        elif reason in _SHOWN and context.channel not in PICTURE_CHANNELS:
            key = f"{key}_no_picture"
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
        return [*events, *asked]

    async def _say_which(self, dispatcher: CollectingDispatcher, context: TurnContext) -> None:
        """Where only some of what is open is held: which."""
        if not context.verified or context.debtor is None:
            return
        found = await self._services.invoices.open_of(context.debtor)
        held = [invoice.number for invoice in found if invoice.disputed]
        if held and len(held) < len(found):
            say(dispatcher, "invoice.held", n=len(held), invoices=held)


class Recognised(Wish):
    """After care from somebody unknown who has shown since who they are: the hold is theirs from then on."""

    def __init__(self, services: Services, intent: str) -> None:
        super().__init__(services)
        self.intent = intent

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        # A colleague may have lifted it meanwhile.
        say(dispatcher, "care.held" if await self.services.holds.of(debtor) else "talk.inform")
        return []


def _asked_who(context: TurnContext, intent: str) -> Events:
    """Nothing that we send stops for somebody whom nobody knows: their number is asked, and waited for."""
    if context.debtor is not None or intent not in WHO:
        return []
    return [SlotSet("wanted", intent), waiting.FORGOTTEN]
