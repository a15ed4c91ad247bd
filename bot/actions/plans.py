"""Paying in parts: two or three plans within the policy, the chosen one as a table, and agreed on when confirmed."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.plans import Instalment, longest, needs_agent, offers, spread
from bot.actions.codes import CODE, NOWHERE, ask_code, read_code
from bot.actions.form import Form, Heard, start
from bot.actions.handover import hand_over
from bot.actions.invoices import total
from bot.actions.services import Services
from bot.actions.turn import Events, entities, entity, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.errors import BadInput, Conflict
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option
from core.money import Money

MONTHS, PLAN = "plan_months", "plan_choice"
# A tap on a number of instalments shows the table; a tap on a plan agrees to exactly that table.
_MONTHS, _PLAN = "months", "plan"
_OTHERWISE = (Option("option.pay", "pay"), Option("option.pay_later", "pay_later"), Option("option.human", "human"))
_COUNTS = (
    r"twee|two|deux|zwei",
    r"drie|three|trois|drei",
    r"vier|four|quatre",
    r"vijf|five|cinq|f[uü]nf",
    r"zes|six|sechs",
    r"zeven|seven|sept|sieben",
    r"acht|eight|huit",
    r"negen|nine|neuf|neun",
    r"tien|ten|dix|zehn",
)
_NUMBER = rf"(\d{{1,2}}|{'|'.join(_COUNTS)})"
_TIMES = re.compile(
    rf"(?<![\d.,])\b{_NUMBER}\s?(?:x\b|keer|maal|termijn|maand|delen|betalingen|times|instal|months|payments|parts|fois"
    r"|mois|versements|paiements|[ée]ch[ée]ances|mensualit|mal\b|rate|monat|teil)",
    re.IGNORECASE,
)
# "3", "doe maar drie", "make it four": a number among a few other words.
_ALONE = re.compile(rf"(?:[^\W\d]+\W+){{0,4}}?{_NUMBER}(?:\W+[^\W\d]+){{0,2}}\W*", re.IGNORECASE)
_MONEY = re.compile(r"€|\beur", re.IGNORECASE)
_A_MONTH = re.compile(
    r"(?<![\d.,])(\d{1,4}(?:[.,]\d\d)?)\s?(?:€|eur\w*)?\s?(?:per maand|p/?m\b|maandelijks|a month|per month|monthly"
    r"|par mois|(?:pro|im) monat|monatlich)",
    re.IGNORECASE,
)


class PlanForm(Form):
    """In how many parts, by a tap or in words; whether to that table; and a code from the telephone on file."""

    intent = "request_payment_plan"
    slots = (MONTHS, PLAN, CODE)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        tapped, intent = entity(tracker, _PLAN) or "", tracker.latest_message["intent"]["name"]
        if asked == CODE and not tapped and not entity(tracker, _MONTHS):
            return await read_code(self.services, tracker, context, asked=True)
        owed = await self._owed(context)
        count = tapped.partition(":")[0] or entity(tracker, _MONTHS) or _count(tracker, owed, context, asked)
        known = tracker.get_slot(MONTHS) if asked else None
        table = _table(count or known, owed, context)
        if count and table is None:
            return Heard({MONTHS: ""} if asked == PLAN else {}, "plan.not_possible")
        if table is None:
            return Heard()
        if asked == PLAN and intent == "deny" and not count:
            return Heard({MONTHS: ""})
        if tapped != _name(table) and not (asked == PLAN and intent == "affirm" and not count):
            return Heard({MONTHS: str(len(table)), PLAN: ""} if count else {})
        code = await read_code(self.services, tracker, context, asked=False)
        return Heard({MONTHS: str(len(table)), PLAN: _name(table), **code.given})

    def is_another_matter(self, tracker: Tracker, heard: Heard) -> bool:
        no = tracker.latest_message["intent"]["name"] == "deny" and not heard.given
        return no or super().is_another_matter(tracker, heard)

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
        owed = await self._owed(context)
        money = {"money": owed.as_json()}
        table = _table(tracker.get_slot(MONTHS), owed, context)
        if slot == CODE:
            ask_code(dispatcher, self.intent, unclear=unclear, wrong=wrong)
        elif slot == PLAN and table is not None:
            yes = Option("option.yes", self.intent, entities={_PLAN: _name(table)})
            say(dispatcher, "plan.confirm", [yes, Option("option.no", "deny")], rows=table_rows(table), total=money)
        else:
            choices = [
                Option(
                    "option.plan",
                    self.intent,
                    {"count": len(each), "amount": _largest(each)},
                    {_MONTHS: str(len(each))},
                )
                for each in offers(owed, context.creditor, _today(context))
            ]
            offer = "plan.offer" if context.creditor.plans.stops_costs else "plan.offer_costs"
            say(dispatcher, wrong or ("plan.offer_unclear" if unclear else offer), choices, total=money)

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        key = "code.given_up" if known[PLAN] else "request.payment_plan"
        await to_person(self.services, dispatcher, tracker, context, key)

    async def _owed(self, context: TurnContext) -> Money:
        found = await self.services.invoices.open_of(context.debtor) if context.verified and context.debtor else []
        payable = [invoice for invoice in found if not invoice.disputed]
        return total(payable) if payable else Money(0)


class RequestPaymentPlan(Wish):
    intent = "request_payment_plan"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        # A choice counts once, right after the form.
        agreed, code = tracker.get_slot(PLAN), tracker.get_slot(CODE)
        used: Events = [SlotSet(slot, None) for slot in PlanForm.slots] if agreed else []
        return [*used, *await self._answer(dispatcher, tracker, context, debtor, agreed if code else None, code)]

    async def _answer(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        context: TurnContext,
        debtor: DebtorId,
        agreed: str | None,
        code: str | None,
    ) -> Events:
        """`agreed`: the name of the plan that the person has confirmed."""
        if await self._current(dispatcher, debtor):
            return []
        invoices = await self.services.invoices.open_of(debtor)
        payable = [invoice for invoice in invoices if not invoice.disputed]
        if not payable:
            human = [Option("option.human", "human")] if invoices else []
            say(dispatcher, "pay.disputed" if invoices else "pay.none", human)
            return []
        owed = total(payable)
        if needs_agent(owed, context.creditor):
            return await to_person(self.services, dispatcher, tracker, context, "request.payment_plan")
        if not offers(owed, context.creditor, _today(context)):
            least = {"money": context.creditor.min_instalment.as_json()}
            say(dispatcher, "plan.too_small", _OTHERWISE, total={"money": owed.as_json()}, least=least)
            return []
        table = _table(agreed.partition(":")[0], owed, context) if agreed else None
        if table is None or agreed != _name(table):
            return start(PlanForm)
        if code == NOWHERE:
            return await to_person(self.services, dispatcher, tracker, context, "code.nowhere")
        try:
            plan = await self.services.plans.agree(
                context.conversation,
                debtor,
                [invoice.id for invoice in payable],
                table,
                key=f"{context.turn}:plan",
                creditor=context.creditor,
            )
        except Conflict:  # agreed on this very moment
            await self._current(dispatcher, debtor)
        except BadInput:  # something was paid this very moment
            return start(PlanForm)
        else:
            key = "plan.agreed" if context.creditor.plans.stops_costs else "plan.agreed_costs"
            if await self.services.contexts.out_of_reach(context):
                key = f"{key}_web"
            say(dispatcher, key, rows=table_rows(plan.instalments), total={"money": owed.as_json()})
        return []

    async def _current(self, dispatcher: CollectingDispatcher, debtor: DebtorId) -> bool:
        """Whether a plan runs; if so, it has been told."""
        running = await self.services.plans.current(debtor)
        if running is not None:
            say(dispatcher, "plan.current", [Option("option.human", "human")], rows=table_rows(running.instalments))
        return running is not None


async def to_person(
    services: Services, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, key: str
) -> Events:
    """A person sees to the plan, with the amounts that were named."""
    noted = [str(value["value"]) for value in entities(tracker, "amount")]
    wish = PlanForm.intent
    return await hand_over(services, dispatcher, tracker, context, Reason.REQUEST, key, wish=wish, noted=noted)


def _count(tracker: Tracker, owed: Money, context: TurnContext, asked: str | None) -> str | None:
    """In how many parts, as it was typed: so many times, or so much a month."""
    text = str(tracker.latest_message.get("text") or "")
    otherwise = entity(tracker, "date") or _MONEY.search(text)
    times = _TIMES.search(text) or (_ALONE.fullmatch(text) if asked and not otherwise else None)
    if times:
        said = times[1]
        count = int(said) if said.isdigit() else _place(said) + 2
        if times.re is _TIMES or count <= context.creditor.plans.max_months:
            return str(count)
    a_month = _A_MONTH.search(text)
    said_amounts = {str(value["value"]) for value in entities(tracker, "amount")} if asked == MONTHS else set()
    if a_month:
        said_amounts = {a_month[1].replace(",", ".")}
    if len(said_amounts) != 1:
        return None
    most = Money.parse(said_amounts.pop())
    counts = range(2, longest(owed, context.creditor) + 1)
    # The shortest that asks no more a month than was said.
    fits = (count for count in counts if not most < spread(owed, count, _today(context))[0].amount)
    return str(next(fits, 0))


def _place(word: str) -> int:
    return next(place for place, words in enumerate(_COUNTS) if re.fullmatch(words, word, re.IGNORECASE))


def _table(count: str | None, owed: Money, context: TurnContext) -> list[Instalment] | None:
    """The plan in so many parts, where the policy allows it."""
    if not count or not count.isdecimal() or not 2 <= int(count) <= longest(owed, context.creditor):
        return None
    return spread(owed, int(count), _today(context))


def _today(context: TurnContext) -> date:
    return context.now.astimezone(context.creditor.zone).date()


def _name(table: Sequence[Instalment]) -> str:
    """What is agreed on: another amount, or another day, is another plan."""
    owed = sum(each.amount.minor for each in table)
    return f"{len(table)}:{table[0].due.isoformat()}:{owed}"


def _largest(table: Sequence[Instalment]) -> dict[str, Any]:
    return {"money": table[0].amount.as_json()}


def table_rows(table: Sequence[Instalment]) -> dict[str, Any]:
    rows = [{"due": {"date": each.due.isoformat()}, "amount": {"money": each.amount.as_json()}} for each in table]
    return {"rows": rows, "key": "plan.row"}
