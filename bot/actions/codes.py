"""What binds somebody, or says where we reach them, wants a code from the telephone on file: the end of such a form."""

import re

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.form import Heard
from bot.actions.services import Services
from bot.actions.turn import entity, say
from conversations.context import TurnContext
from core.message import Option

# The last slot of a form, and its values: what was typed is kept nowhere here.
CODE = "one_time_code"
CONFIRMED, NOWHERE = "confirmed", "nowhere"
_CODE = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}(?!\d)", re.ASCII)
# A tap asks for a new one, or says that the telephone on file is out of reach.
_TAP, _AGAIN, _NONE = "code", "again", "none"


async def read_code(services: Services, tracker: Tracker, context: TurnContext, *, asked: bool) -> Heard:
    """The code in the message; where it was not asked for yet it is sent, if it is needed, and if it can be."""
    codes = services.codes
    if await codes.confirmed(context.turn):
        return Heard({CODE: CONFIRMED})
    if not asked:
        return Heard() if await codes.send(context.turn) else Heard({CODE: NOWHERE})
    tapped = entity(tracker, _TAP)
    if tapped == _NONE:
        return Heard({CODE: NOWHERE})
    if tapped:
        return Heard(wrong="code.sent" if await codes.send(context.turn) else "code.no_more")
    typed = _CODE.search(str(tracker.latest_message.get("text") or ""))
    if typed is None:
        return Heard()
    right = await codes.check(context.turn, re.sub(r"\D", "", typed[0]))
    return Heard({CODE: CONFIRMED}) if right else Heard(wrong="code.wrong")


def ask_code(dispatcher: CollectingDispatcher, intent: str, *, unclear: bool, wrong: str | None) -> None:
    """`intent`: of the form that asks."""
    again = Option("option.code_again", intent, entities={_TAP: _AGAIN})
    none = Option("option.code_none", intent, entities={_TAP: _NONE})
    say(dispatcher, wrong or ("code.unclear" if unclear else "code.sent"), [again, none])
