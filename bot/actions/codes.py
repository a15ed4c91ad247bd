"""A plan binds: before it, a code from the telephone on file."""

import re
from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.form import MISSES, Form, Heard
from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, entity, say
from conversations.context import TurnContext
from core.hold import Reason
from core.message import Option

CODE = "one_time_code"
PLAN = "plan_choice"  # the plan that the code is asked for
_INTENT = "request_payment_plan"
_CODE = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}(?!\d)", re.ASCII)
_AGAIN = Option("option.code_again", _INTENT, entities={"code": "again"})


class CodeForm(Form):
    """Three times a wrong code, or none: a person sees to it."""

    intent = _INTENT
    slots = (CODE,)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        codes = self.services.codes
        if await codes.confirmed(context.turn):
            return Heard({CODE: "confirmed"})  # what was typed is kept nowhere here
        if asked is None:
            return Heard()
        if entity(tracker, "code"):
            return Heard(wrong="code.sent" if await codes.send(context.turn) else "code.no_more")
        typed = _CODE.search(str(tracker.latest_message.get("text") or ""))
        if typed is None:
            return Heard()
        right = await codes.check(context.turn, re.sub(r"\D", "", typed[0]))
        return Heard({CODE: "confirmed"}) if right else Heard(wrong="code.wrong")

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
        say(dispatcher, wrong or ("code.unclear" if unclear else "code.sent"), [_AGAIN])

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        await to_person(self.services, dispatcher, tracker, context, "code.given_up")


async def ask_code(
    services: Services, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, plan: str
) -> Events:
    """Send a code and ask for it; where none can be sent, a person sees to the plan."""
    if not await services.codes.send(context.turn):
        return await to_person(services, dispatcher, tracker, context, "code.nowhere")
    emptied = [SlotSet(slot, None) for slot in (CODE, MISSES)]
    return [SlotSet("wanted", _INTENT), SlotSet(PLAN, plan), *emptied, FollowupAction(f"{_INTENT}_form")]


async def to_person(
    services: Services, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, key: str
) -> Events:
    return await hand_over(services, dispatcher, tracker, context, Reason.REQUEST, key, wish=_INTENT)
