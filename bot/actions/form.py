"""The shape that forms share: hear an answer, let others speak first, ask again with an example, give up in time."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, since_message, turn_id
from conversations.context import TurnContext
from core.hold import Reason

MISSES = "form_misses"
# At so many answers in a row that are none, a person takes over.
PATIENCE = 3
# "No idea" is no "no": who cannot answer is helped.
DO_NOT_KNOW = re.compile(
    r"\b(weet ik niet|weet het niet|geen idee|overslaan|sla over|don'?t know|no idea|no clue|skip|sais pas|aucune idée"
    r"|passer|weiß (ich|es) nicht|weiss (ich|es) nicht|keine ahnung|überspringen)\b",
    re.IGNORECASE,
)
# Messages that answer a form's question, or try to; any other is heard as what it is first.
_ANSWERS = ("inform", "affirm", "deny", "out_of_scope")


def hearing(tracker: Tracker, asked: object) -> bool:
    """Whether the message is heard as an answer first: somebody else who has spoken meanwhile has answered it."""
    return bool(asked) and not any(e["event"] == "action_execution_rejected" for e in since_message(tracker))


def missed(tracker: Tracker, again: bool) -> int:
    """How often in a row the question was not answered; `again`: it was not this time either."""
    return int(tracker.get_slot(MISSES) or 0) + 1 if again else 0


async def give_up(
    services: Services,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    context: TurnContext,
    *slots: str,
    noted: Sequence[str] = (),
) -> Events:
    """Three times no answer to what a wish needs: a person takes over, and nothing stays half done."""
    wish = tracker.get_slot("wanted")
    key = "form.given_up"
    await hand_over(services, dispatcher, tracker, context, Reason.REQUEST, key, wish=wish, noted=noted)
    cleared = [SlotSet(slot, None) for slot in (*slots, MISSES, "wanted", "requested_slot")]
    return [*cleared, FollowupAction("action_listen")]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message answers, and what is wrong with it (the key of a message with an example).

    An empty answer takes back an earlier one.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    wrong: str | None = None


class Form(Action):
    """`intent`: the wish that it serves, whose action goes on when `slots` are filled, in this order."""

    intent: str
    slots: Sequence[str]

    def __init__(self, services: Services) -> None:
        self.services = services

    def name(self) -> str:
        return f"validate_{self.intent}_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self.services.contexts.of(turn_id(tracker))
        asked = tracker.get_slot("requested_slot")
        asked = asked if asked in self.slots else None
        first = hearing(tracker, asked)
        heard = await self.read(tracker, context, asked)
        if first and self.is_another_matter(tracker, heard):
            return []
        known = {slot: heard.given.get(slot, tracker.get_slot(slot)) or None for slot in self.slots}
        tracker.slots.update(known)  # what has just been said may be read back
        events: Events = [SlotSet(slot, value) for slot, value in known.items()]
        missing = next((slot for slot in self.slots if not known[slot]), None)
        if missing is None:
            return [*events, SlotSet(MISSES, None), SlotSet("requested_slot", None), FollowupAction("action_wanted")]
        misses = missed(tracker, first and not heard.given)
        if misses >= PATIENCE:
            await self.give_up(dispatcher, tracker, context, known)
            cleared = [SlotSet(slot, None) for slot in (*self.slots, MISSES, "wanted", "requested_slot")]
            return [*cleared, FollowupAction("action_listen")]
        await self.ask(dispatcher, tracker, context, missing, unclear=misses > 0, wrong=heard.wrong)
        return [*events, SlotSet(MISSES, misses), SlotSet("requested_slot", missing)]

    def is_another_matter(self, tracker: Tracker, heard: Heard) -> bool:
        intent = tracker.latest_message["intent"]["name"]
        if intent in (*_ANSWERS, self.intent):
            return False
        return not (heard.given or heard.wrong) or "?" in str(tracker.latest_message.get("text") or "")

    @abstractmethod
    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        """The answers in the message; `asked`: the slot that was asked for, None where the form begins."""
        ...

    @abstractmethod
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
        """Ask for a slot; `unclear`: the message answered nothing, `wrong`: why it cannot be taken."""
        ...

    @abstractmethod
    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        """Three times no answer: a person takes over."""
        ...


def start(form: type[Form]) -> Events:
    """Begin the form afresh: nothing of an earlier, unfinished one counts."""
    emptied = [SlotSet(slot, None) for slot in (*form.slots, MISSES)]
    return [SlotSet("wanted", form.intent), *emptied, FollowupAction(f"{form.intent}_form")]
