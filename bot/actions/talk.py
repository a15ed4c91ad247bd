"""Yes, no, never mind, and what was not understood."""

from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from bot.actions.invoices import CHOSEN, total
from bot.actions.services import Services, Suggestions
from bot.actions.shop import QUESTIONS, Question, say_answer
from bot.actions.turn import Events, entity, leave, offered, say, turn_id
from bot.actions.verification import SLOTS
from conversations.context import TurnContext
from conversations.wishes import option
from core.ids import CreditorKey
from core.message import Option

# Something else is one more miss: then a person is offered.
_ELSE = (Option("option.something_else", "out_of_scope"), Option("option.human", "human"))
_PUBLISHED = frozenset({*QUESTIONS, "ask_contact_info", "ask_payment_methods"})
_HELP = tuple(Option(f"option.{intent}", intent) for intent in ("ask_balance", "pay", "human"))


class Affirm(Action):
    """Yes to what was asked last: where that message had one option besides "no", that is what was meant."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions: Mapping[str, Action] = {action.name(): action for action in actions}

    def name(self) -> str:
        return "action_affirm"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        meant = offered(tracker)
        action = self._actions.get(f"action_{meant['intent']}") if meant else None
        if action is None or meant is None:
            say(dispatcher, "talk.affirm", _HELP)
            return []
        taken = [{"entity": name, "value": value} for name, value in meant["entities"].items()]
        tracker.latest_message["entities"] = [*tracker.latest_message.get("entities", []), *taken]
        events: Events = await action.run(dispatcher, tracker, domain)
        return events


class Leave(Action):
    """Out of a form, no to an offer, or goodbye: a friendly line, and nothing stays half done."""

    def __init__(self, intent: str, key: str) -> None:
        self._intent = intent
        self._key = key

    def name(self) -> str:
        return f"action_{self._intent}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        left = leave(tracker)
        say(dispatcher, "talk.cancelled" if left and self._intent == "deny" else self._key)
        return [*left, *(SlotSet(slot, None) for slot in (*SLOTS, CHOSEN))] if left else []


class WelcomeBack(Action):
    """A hello to somebody verified who was away for days: what is open, unless a person or an agreement sees to it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_welcome_back"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        invoices = await self._open(context)
        if invoices:
            say(dispatcher, "balance.welcome_back", _HELP, n=len(invoices), total={"money": total(invoices).as_json()})
        else:
            say(dispatcher, "talk.greet", _HELP)
        return []

    async def _open(self, context: TurnContext) -> Sequence[OpenInvoice]:
        debtor = context.debtor
        if not context.verified or debtor is None:
            return []
        if await self._services.holds.of(debtor):
            return []
        if await self._services.promises.current(debtor) or await self._services.plans.current(debtor):
            return []
        return [invoice for invoice in await self._services.invoices.open_of(debtor) if not invoice.disputed]


class SwitchLanguage(Action):
    """The language that is asked for, where the creditor speaks it: the app has switched to it by now."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_switch_language"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        languages = (await self._services.contexts.of(turn_id(tracker))).creditor.languages
        asked = entity(tracker, "language")
        if asked is None or asked in languages:
            say(dispatcher, "talk.language_switched")
        else:
            spoken = [
                Option(f"option.language_{language}", "switch_language", entities={"language": language})
                for language in languages
            ]
            say(dispatcher, "talk.language_unknown", spoken)
        return []


class OutOfScope(Action):
    """Not understood: which of the likely readings, or other words; the second time in a row a person is offered.

    What may be a question to the shop is answered where the answer is sure, whatever else it may have meant.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_out_of_scope"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        turn = turn_id(tracker)
        context = await self._services.contexts.of(turn)
        readings = context.parse.get("readings", ())
        if readings and set(readings) <= set(QUESTIONS):
            # One answerer has them all: which of them it is makes no difference.
            return await Question(self._services, readings[0]).run(dispatcher, tracker, domain)
        if not _PUBLISHED.isdisjoint(readings):
            found = await self._services.answers.find(CreditorKey(context.creditor.key), context.text, context.locale)
            if found is not None and not isinstance(found, Suggestions):
                say_answer(dispatcher, found, context.locale)
                return []
        if await self._services.misses.count(turn) >= 2:
            say(
                dispatcher,
                "talk.not_understood_again",
                [Option("option.yes_human", "human"), Option("option.no", "deny")],
            )
            return []
        likely = [option(intent, context.text, context.parse["entities"]) for intent in readings if intent != "human"]
        if likely:
            say(dispatcher, "talk.unsure", [*likely, *_ELSE])
        else:
            say(dispatcher, "talk.not_understood", _HELP)
        return []
