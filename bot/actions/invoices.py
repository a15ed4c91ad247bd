"""Which invoice is meant, and what it is for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from bot.actions.form import MISSES, PATIENCE, give_up, hearing, missed
from bot.actions.services import Services
from bot.actions.standing import agreed, standing_of
from bot.actions.turn import Events, entity, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.ids import DebtorId, InvoiceId
from core.message import Option
from core.money import Money

FORM = "invoice_form"
CHOSEN = "chosen_invoice"
ALL = "all"
# As many as the longest list of a channel shows (WhatsApp: ten rows), one of them for "all".
_ROOM = 9

_EVERYTHING = re.compile(
    r"\b(alles|allemaal|alle|beide|allebei|all|everything|both|tout|toutes|tous|les deux|alles zusammen|alle beide)\b",
    re.IGNORECASE,
)
_ORDINALS = (
    r"eerste|first|premi[eè]re?|erste[nr]?",
    r"tweede|second|deuxi[eè]me|seconde?|zweite[nr]?",
    r"derde|third|troisi[eè]me|dritte[nr]?",
    r"vierde|fourth|quatri[eè]me|vierte[nr]?",
    r"vijfde|fifth|cinqui[eè]me|f[uü]nfte[nr]?",
)
_LAST = re.compile(r"\b(laatste|last|derni[eè]re?|letzte[nr]?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """found: the invoices that a message points at; unknown: numbers in it that are none of theirs."""

    found: Sequence[OpenInvoice]
    unknown: Sequence[str]


def named(message: Mapping[str, Any], invoices: Sequence[OpenInvoice]) -> Named:
    """What a message points at beyond doubt: by a tap, the number in any spelling, or its last three digits or more.

    Of two invoices with the same last digits, the one that is open.
    """
    given = message.get("entities", [])
    tapped = {str(value["value"]) for value in given if value["entity"] == "invoice"}
    if tapped:
        return Named([invoice for invoice in invoices if invoice.id in tapped], [])
    text = str(message.get("text") or "")
    said = {str(value["value"]): value for value in given if value["entity"] == "invoice_number"}
    text = " ".join([text, *(number for number, value in said.items() if "start" not in value)])
    found: set[InvoiceId] = set()
    for invoice in sorted(invoices, key=lambda invoice: -len(invoice.number)):
        spelled = "[^0-9A-Za-z]*".join(_plain(invoice.number))
        if len(_plain(invoice.number)) >= 4:
            text, times = re.subn(rf"(?<!\d){spelled}(?!\d)", _blank, text, flags=re.IGNORECASE)
            found |= {invoice.id} if times else set()
    unknown = []
    for number, value in said.items():
        start, end = value.get("start", 0), value.get("end", 0)
        if text[start:end].strip():
            fits = [invoice.id for invoice in invoices if _plain(invoice.number).endswith(_plain(number))]
            found |= set(fits[:1])
            unknown += [] if fits else [number]
            text = text[:start] + " " * (end - start) + text[end:]
    for digits in re.findall(r"\d{3,}", _without_values(text, given)):
        ending = [invoice for invoice in invoices if _plain(invoice.number).endswith(digits)]
        ending = [invoice for invoice in ending if invoice.open] or ending
        found |= {ending[0].id} if len(ending) == 1 else set()
    return Named([invoice for invoice in invoices if invoice.id in found], unknown)


def choose(message: Mapping[str, Any], invoices: Sequence[OpenInvoice]) -> str | None:
    """The invoice that a message means: its id, several with a comma between, or ALL; None where it is not certain.

    Understands what `named` does, an amount, its place ("the first", "2") and "all".
    """
    given = message.get("entities", [])
    if any(value["entity"] == "invoice" and value["value"] == ALL for value in given):
        return ALL
    pointed = named(message, invoices).found
    if pointed:
        return ",".join(invoice.id for invoice in pointed)
    amounts = {Money.parse(str(value["value"])).minor for value in given if value["entity"] == "amount"}
    exact = [i for i in invoices if i.open.minor in amounts]
    if len(exact) == 1:
        return exact[0].id
    text = str(message.get("text") or "")
    if _EVERYTHING.search(text):
        return ALL
    return _by_place(text, invoices)


def meant_by(choice: str | None, invoices: Sequence[OpenInvoice]) -> list[OpenInvoice]:
    """What `choose` has chosen of these."""
    return [invoice for invoice in invoices if choice == ALL or invoice.id in (choice or "").split(",")]


def _without_values(text: str, given: Sequence[Mapping[str, Any]]) -> str:
    """The text without amounts and postcodes: their digits are no invoice's, unless they stand alone."""
    for value in given:
        start, end = value.get("start", 0), value.get("end", 0)
        alone = not (text[:start] + text[end:]).strip(" .!?")
        postcode = value["entity"] == "postcode" and not str(value["value"]).isdigit()
        if postcode or (value["entity"] == "amount" and not alone):
            text = text[:start] + " " * (end - start) + text[end:]
    return text


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _by_place(text: str, invoices: Sequence[OpenInvoice]) -> str | None:
    if not invoices:
        return None
    if _LAST.search(text):
        return invoices[-1].id
    for place, words in enumerate(_ORDINALS):
        if place < len(invoices) and re.search(rf"\b({words})\b", text, re.IGNORECASE):
            return invoices[place].id
    alone = re.fullmatch(r"\W*(\d{1,2})\W*", text)
    if alone and 1 <= int(alone[1]) <= len(invoices):
        return invoices[int(alone[1]) - 1].id
    return None


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def options(invoices: Sequence[OpenInvoice], intent: str) -> list[Option]:
    return [
        Option(
            "option.invoice",
            intent,
            {"number": invoice.number, "amount": {"money": (invoice.open or invoice.amount).as_json()}},
            {"invoice": invoice.id},
        )
        for invoice in invoices[:_ROOM]
    ]


def total(invoices: Sequence[OpenInvoice]) -> Money:
    return sum((invoice.open for invoice in invoices[1:]), invoices[0].open)


class AskInvoice(Wish):
    intent = "ask_invoice"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        known = await self.services.invoices.of(debtor)
        invoices = [invoice for invoice in known if invoice.open]
        pointed = named(tracker.latest_message, known)
        if not invoices and not pointed.found:
            say(dispatcher, "invoice.none", [Option("option.yes_human", "human"), Option("option.no", "deny")])
            return []
        if pointed.unknown and not pointed.found:
            say(dispatcher, "invoice.unknown", options(invoices, self.intent), number=pointed.unknown[0])
            return [SlotSet(CHOSEN, None)]
        meant = tracker.get_slot(CHOSEN) or choose(tracker.latest_message, invoices)
        chosen = pointed.found or (invoices if len(invoices) == 1 else meant_by(meant, invoices))
        if len(chosen) != 1:
            return [SlotSet("wanted", self.intent), SlotSet(CHOSEN, None), FollowupAction(FORM)]
        invoice = chosen[0]
        how = await standing_of(self.services, debtor)
        closed = invoice.disputed or not invoice.open
        today = context.now.astimezone(context.creditor.zone).date()
        late = "_overdue" if invoice.due < today else ""
        state = "_disputed" if invoice.disputed else late if invoice.open else "_paid"
        beside = None if closed else agreed(how, invoice)
        buttons = [] if closed else [Option("option.pay", "pay", entities={"invoice": invoice.id})]
        if invoice.disputed or (how.held and invoice.open):
            buttons = [Option("option.human", "human")]
        say(
            dispatcher,
            f"invoice.detail{state}" if invoice.description else f"invoice.detail{state}_plain",
            [] if beside else buttons,
            number=invoice.number,
            issued={"date": invoice.issued.isoformat()},
            due={"date": invoice.due.isoformat()},
            amount={"money": invoice.amount.as_json()},
            open={"money": invoice.open.as_json()},
            description=invoice.description,
        )
        if beside:
            say(dispatcher, beside[0], buttons, **beside[1])
        return [SlotSet(CHOSEN, None)]


class InvoiceForm(Action):
    """Which invoice is meant, for the wish that waits."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        paying, copying = (tracker.get_slot("wanted") == wish for wish in ("pay", "request_invoice_copy"))
        theirs = self._services.invoices.of if copying else self._services.invoices.open_of
        known = await theirs(context.debtor) if context.verified and context.debtor else []
        invoices = [invoice for invoice in known if not (paying and invoice.disputed)]
        asked = tracker.get_slot("requested_slot") == CHOSEN
        first = hearing(tracker, asked)
        # What started the form was read by the wish itself.
        meant = choose(tracker.latest_message, invoices) if asked else None
        if len(meant_by(meant, invoices)) != 1 and not paying:
            meant = None
        if copying and asked and meant is None:
            meant = entity(tracker, "invoice_number")  # not one of theirs: the wish says so
        if meant is not None or len(invoices) < 2:
            return [SlotSet(CHOSEN, meant), SlotSet("requested_slot", None), FollowupAction("action_wanted")]
        if first and tracker.latest_message["intent"]["name"] not in ("inform", "affirm", "out_of_scope"):
            return []
        misses = missed(tracker, first)
        if misses >= PATIENCE:
            return await give_up(self._services, dispatcher, tracker, context, CHOSEN)
        choices = options(invoices, str(tracker.get_slot("wanted") or "ask_invoice"))
        if paying:
            choices.insert(0, Option("option.pay_all", "pay", entities={"invoice": ALL}))
        question = "pay.choose" if paying else "invoice.which"
        say(dispatcher, f"{question}_unclear" if first else question, choices)
        return [SlotSet(CHOSEN, None), SlotSet(MISSES, misses), SlotSet("requested_slot", CHOSEN)]
