"""Which invoice is meant, and what it is for."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from bot.actions.form import MISSES, PATIENCE, give_up, hearing, missed
from bot.actions.services import Services
from bot.actions.turn import Events, entity, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.ids import DebtorId
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


def choose(message: Mapping[str, Any], invoices: Sequence[OpenInvoice]) -> str | None:
    """The invoice that a message means: its id, or ALL; None where that is not certain.

    Understands a tap, the number in any spelling, its digits, an amount, its place ("the first", "2") and "all".
    """
    given = message.get("entities", [])
    for value in given:
        if value["entity"] == "invoice" and str(value["value"]) in {ALL, *(invoice.id for invoice in invoices)}:
            return str(value["value"])
    text = str(message.get("text") or "")
    plain = _plain(text)
    named = [i for i in invoices if len(_plain(i.number)) >= 4 and _plain(i.number) in plain]
    if len(named) == 1:
        return named[0].id
    digits = re.findall(r"\d{3,}", text)
    ending = [i for i in invoices if any(_plain(i.number).endswith(number) for number in digits)]
    if len(ending) == 1:
        return ending[0].id
    amounts = {Money.parse(str(value["value"])).minor for value in given if value["entity"] == "amount"}
    exact = [i for i in invoices if i.open.minor in amounts]
    if len(exact) == 1:
        return exact[0].id
    if _EVERYTHING.search(text):
        return ALL
    return _by_place(text, invoices)


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
        invoices = await self.services.invoices.open_of(debtor)
        if not invoices:
            say(dispatcher, "invoice.none", [Option("option.yes_human", "human"), Option("option.no", "deny")])
            return []
        meant = tracker.get_slot(CHOSEN) or choose(tracker.latest_message, invoices)
        chosen = invoices if len(invoices) == 1 else [invoice for invoice in invoices if invoice.id == meant]
        if not chosen:
            return [SlotSet("wanted", self.intent), FollowupAction(FORM)]
        invoice = chosen[0]
        pay = Option("option.pay", "pay", entities={"invoice": invoice.id})
        say(
            dispatcher,
            "invoice.detail_disputed" if invoice.disputed else "invoice.detail",
            [Option("option.human", "human") if invoice.disputed else pay],
            number=invoice.number,
            issued={"date": invoice.issued.isoformat()},
            due={"date": invoice.due.isoformat()},
            amount={"money": invoice.amount.as_json()},
            open={"money": invoice.open.as_json()},
            description=invoice.description,
        )
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
        if meant == ALL and not paying:
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
