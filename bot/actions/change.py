"""A new address, number or e-mail: read back, confirmed, with a code, and noted for a person, who changes it."""

import re
from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.codes import CODE, NOWHERE, ask_code, read_code
from bot.actions.debits import ANOTHER_ACCOUNT, DirectDebitProblem, IbanForm
from bot.actions.form import Form, Heard, start
from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, entity, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option
from core.phones import find, spelled

KIND, VALUE, CONFIRMED = "contact_kind", "contact_value", "contact_confirmed"
# A tap says which kind, or confirms exactly what was read back.
_KIND, _CHANGE = "contact", "contact_change"
_KINDS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(words, re.IGNORECASE)
    for name, words in {
        "email": r"e-?mail|mailadres|courriel",
        "phone": r"telefoon|gsm|mobiel|nummer\b|phone|mobile|t[ée]l[ée]phone|num[ée]ro|handy|telefon",
        "name": r"\bnaam\b|achternaam|getrouwd|\bname\b|surname|married|\bnom\b|mari[ée]e?\b|nachname|geheiratet",
        "address": r"adres|verhuis|woon|straat|address|moved|moving|adresse|d[ée]m[ée]nag|umgezogen|umzug|anschrift",
    }.items()
}
_OFFERED = ("address", "phone", "email")
# The account to collect from has a form of its own.
_ACCOUNT = re.compile(r"rekening|\biban\b|\b(?:bank|giro) ?account|account number|\bcompte\b|konto", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}")
_LONGEST = 200


class ContactForm(Form):
    """What is new, to what, whether it was read rightly, and a code: a bill shows who somebody is, and no more."""

    intent = "update_contact"
    slots = (KIND, VALUE, CONFIRMED, CODE)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        text = " ".join(str(tracker.latest_message.get("text") or "").split())[:_LONGEST]
        intent = tracker.latest_message["intent"]["name"]
        if asked == CODE:
            return await read_code(self.services, tracker, context, asked=True)
        if asked == CONFIRMED:
            if intent == "affirm" or entity(tracker, _CHANGE) == tracker.get_slot(VALUE):
                code = await read_code(self.services, tracker, context, asked=False)
                return Heard({CONFIRMED: "yes", **code.given})
            if intent == "deny":
                return Heard({VALUE: "", **_value(text, tracker, context)})
        found = _value(text, tracker, context)
        if found:
            return Heard(found)
        kind = entity(tracker, _KIND) or next((name for name, words in _KINDS.items() if words.search(text)), None)
        if asked == VALUE:
            if tracker.get_slot(KIND) == "name" and re.fullmatch(r"[^\W\d_][^\d@?]{2,80}", text):
                return Heard({VALUE: text})
            return Heard({KIND: kind} if kind else {})
        return Heard({KIND: kind} if kind and asked != CONFIRMED else {})

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
        kind, value = tracker.get_slot(KIND), tracker.get_slot(VALUE)
        if slot == KIND:
            choices = [Option(f"option.contact_{name}", "inform", entities={_KIND: name}) for name in _OFFERED]
            account = Option("option.contact_account", DirectDebitProblem.intent, entities=ANOTHER_ACCOUNT)
            say(
                dispatcher, "request.contact_which_unclear" if unclear else "request.contact_which", [*choices, account]
            )
        elif slot == VALUE:
            say(dispatcher, wrong or f"request.contact_{kind}")
        elif slot == CODE:
            ask_code(dispatcher, self.intent, unclear=unclear, wrong=wrong)
        else:
            yes = Option("option.yes", self.intent, entities={_CHANGE: value})
            shown = spelled(value) if kind == "phone" else value
            say(dispatcher, "request.contact_confirm", [yes, Option("option.no", "deny")], text=shown)

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        await _to_person(self.services, dispatcher, tracker, context, known)


class UpdateContact(Wish):
    """Nothing is changed by the bot: a person does it, with what was confirmed."""

    intent = "update_contact"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        known = {slot: tracker.get_slot(slot) for slot in ContactForm.slots}
        if not known[CONFIRMED] or not known[CODE]:
            account = _ACCOUNT.search(str(tracker.latest_message.get("text") or ""))
            return start(IbanForm if account else ContactForm)
        handed = await _to_person(self.services, dispatcher, tracker, context, known)
        return [*handed, *(SlotSet(slot, None) for slot in ContactForm.slots)]


async def _to_person(
    services: Services,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    context: TurnContext,
    known: Mapping[str, str | None],
) -> Events:
    """A person changes it; and sees whether the telephone on file has confirmed it."""
    sure = known[CODE] not in (None, NOWHERE)
    return await hand_over(
        services,
        dispatcher,
        tracker,
        context,
        Reason.REQUEST,
        "request.update_contact" if sure or not known[CONFIRMED] else "request.update_contact_unsure",
        wish=UpdateContact.intent,
        noted=[value for value in (known[KIND], known[VALUE]) if value],
        confirmed={"key": f"desk.confirmed.{'yes' if sure else 'no'}"},
    )


def _value(text: str, tracker: Tracker, context: TurnContext) -> dict[str, str]:
    """The new e-mail address, telephone number or address in a text, and which of them it is."""
    mail = _EMAIL.search(text)
    if mail:
        return {KIND: "email", VALUE: mail[0]}
    number = find(text, context.country)
    if number:
        return {KIND: "phone", VALUE: number[0]}
    postcode = entity(tracker, "postcode")
    # A street, a number and a postcode; a lone postcode is no address.
    if postcode and re.search(r"[^\W\d_]{4,}\D*\d", text) and len(re.findall(r"\d+", text)) > 1:
        return {KIND: "address", VALUE: text}
    return {}
