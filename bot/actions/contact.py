"""Who we are, how to reach us, and when to leave someone alone."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.services import Services, Suggestions
from bot.actions.shop import say_answer
from bot.actions.turn import Events, leave, say, turn_id
from core.creditor import Hours
from core.hold import Reason
from core.ids import CreditorKey
from core.message import Option


class OptOut(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_opt_out"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        await self._services.opt_outs.out(turn_id(tracker))
        say(dispatcher, "opt_out.done")
        return leave(tracker)


class OptIn(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_opt_in"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        offers = await self._services.opt_outs.back(turn_id(tracker))
        say(dispatcher, "opt_in.done_offers" if offers else "opt_in.done")
        return []


class WrongPerson(Action):
    """Whoever has this address now is not our customer: they hear no more, and a person corrects it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_wrong_person"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        turn = turn_id(tracker)
        await self._services.opt_outs.wrong_person(turn)
        await self._services.handoffs.open(turn, Reason.WRONG_PERSON)
        say(dispatcher, "wrong_person.sorry")
        return leave(tracker)


class VerifyLegitimacy(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_verify_legitimacy"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        creditor = (await self._services.contexts.of(turn_id(tracker))).creditor
        say(dispatcher, "legitimacy.answer", registration=creditor.registration, iban=creditor.iban)
        return []


class AskContactInfo(Action):
    """What is published about it (an address, a counter), else the details that we have ourselves."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_ask_contact_info"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        creditor = context.creditor
        found = await self._services.answers.find(CreditorKey(creditor.key), context.text, context.locale)
        if found is not None and not isinstance(found, Suggestions):
            say_answer(dispatcher, found, context.locale)
            return []
        reach = {name: value for name, value in (("phone", creditor.phone), ("email", creditor.email)) if value}
        say(dispatcher, f"contact.{'_'.join(reach) or 'here'}", [Option("option.human", "human")], **reach)
        for text in hours(creditor.hours):
            say(dispatcher, "contact.hours", rows=text)
        return []


def hours(opening: Hours) -> list[dict[str, Any]]:
    """The rows of a week, as the argument of a message; none without opening hours."""
    rows = []
    for days, times in opening.days.items():
        first, _, last = days.partition("-")
        opens, _, closes = times.partition("-")
        named = {"first": {"key": f"day.{first}"}, "last": {"key": f"day.{last}"}} if last else {}
        rows.append(
            {
                "days": {"key": "contact.days" if last else f"day.{first}", "args": named},
                "opens": opens,
                "closes": closes,
            }
        )
    return [{"rows": rows, "key": "contact.hours_row"}] if rows else []
