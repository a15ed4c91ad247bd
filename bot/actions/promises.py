"""Paying later, once and in full: a day is asked for, said back, and promised when it was confirmed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from billing.promises import latest
from bot.actions.form import MISSES, PATIENCE, give_up, hearing, missed
from bot.actions.invoices import total
from bot.actions.plans import table_rows
from bot.actions.services import Services
from bot.actions.standing import standing_of
from bot.actions.turn import Events, entity, last_said, offered, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.dates import names_pay_day, read
from core.ids import DebtorId
from core.message import Option

FORM = "promise_form"
DATE = "promise_date"
# A tap on a day proposes it; a tap on a promise confirms it.
_DAY, _PROMISE = "day", "promise"
# Messages that answer the question, or try to.
_ANSWERS = ("inform", "affirm", "out_of_scope", "pay_later")
_OTHERWISE = (Option("option.request_payment_plan", "request_payment_plan"), Option("option.human", "human"))


def confirmed(tracker: Tracker) -> date | None:
    """The day that the person has just confirmed: by the button, or with yes."""
    tapped = entity(tracker, _PROMISE)
    if tapped is None and tracker.latest_message["intent"]["name"] == "affirm":
        tapped = ((offered(tracker) or {}).get("entities") or {}).get(_PROMISE)
    return None if tapped is None else _date(tapped)


def _proposed(tracker: Tracker) -> str | None:
    """The day that was tapped, or that a yes means: the bot's last message may have proposed one beside other ways."""
    tapped = entity(tracker, _DAY)
    if tapped is None and tracker.latest_message["intent"]["name"] == "affirm":
        options = (last_said(tracker) or {"options": []})["options"]
        days = [option["entities"][_DAY] for option in options if _DAY in (option.get("entities") or {})]
        tapped = days[0] if len(days) == 1 else None
    return None if tapped is None else str(tapped)


class PayLater(Wish):
    intent = "pay_later"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        how = await standing_of(self.services, debtor)
        payable = how.payable
        if not payable:
            human = [Option("option.human", "human")] if how.disputed else []
            say(dispatcher, "pay.disputed" if how.disputed else "pay.none", human)
            return [SlotSet(DATE, None)]
        if how.plan:
            say(dispatcher, "plan.current", [Option("option.human", "human")], rows=table_rows(how.plan.instalments))
            return [SlotSet(DATE, None)]
        day = confirmed(tracker)
        if day is None or not _allowed(day, context):
            return [SlotSet("wanted", self.intent), SlotSet(DATE, None), FollowupAction(FORM)]
        await self.services.promises.make(
            context.conversation,
            debtor,
            [invoice.id for invoice in payable],
            day,
            key=f"{context.turn}:promise",
            creditor=context.creditor,
        )
        amount = {"money": total(payable).as_json()}
        key = "promise.made" if context.creditor.promises.stops_costs else "promise.made_costs"
        say(dispatcher, key, [Option("option.pay", "pay")], amount=amount, day={"date": day.isoformat()})
        return [SlotSet(DATE, None)]


class PromiseForm(Action):
    """Which day: asked, read, and said back until it is confirmed."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        asked = tracker.get_slot("requested_slot") == DATE
        first = hearing(tracker, asked)
        day = confirmed(tracker)
        if day is not None and _allowed(day, context) and (first or not asked):
            return [SlotSet(DATE, day.isoformat()), SlotSet("requested_slot", None), FollowupAction("action_wanted")]
        tapped = _proposed(tracker)
        today = context.now.astimezone(context.creditor.zone).date()
        found = day or (_date(tapped) if tapped else read(str(tracker.latest_message.get("text") or ""), today))
        intent = tracker.latest_message["intent"]["name"]
        another = first and intent == "deny" and _PROMISE in (offered(tracker) or {}).get("entities", {})
        if first and found is None and not another and intent not in _ANSWERS:
            return []
        invoices = await self._payable(context)
        misses = missed(tracker, first and not another and (found is None or not _allowed(found, context)))
        if misses >= PATIENCE:
            return await give_up(self._services, dispatcher, tracker, context, DATE)
        if found is None and names_pay_day(str(tracker.latest_message.get("text") or "")):
            say(dispatcher, "promise.ask_pay_day")
        else:
            self._answer(dispatcher, context, invoices, found, unclear=first and not another)
        return [SlotSet(DATE, None), SlotSet(MISSES, misses), SlotSet("requested_slot", DATE)]

    async def _payable(self, context: TurnContext) -> Sequence[OpenInvoice]:
        found = await self._services.invoices.open_of(context.debtor) if context.verified and context.debtor else []
        return [invoice for invoice in found if not invoice.disputed]

    def _answer(
        self,
        dispatcher: CollectingDispatcher,
        context: TurnContext,
        invoices: Sequence[OpenInvoice],
        found: date | None,
        *,
        unclear: bool,
    ) -> None:
        last = latest(context.creditor, context.now.astimezone(context.creditor.zone).date())
        until = {"date": last.isoformat()}
        if found is None or not invoices:
            say(dispatcher, "promise.ask_day_unclear" if unclear else "promise.ask_day", until=until)
        elif _allowed(found, context):
            day = {"date": found.isoformat()}
            yes = Option("option.yes", "pay_later", entities={_PROMISE: found.isoformat()})
            amount = {"money": total(invoices).as_json()}
            say(dispatcher, "promise.confirm", [yes, Option("option.another_day", "deny")], amount=amount, day=day)
        elif found > last:
            choose = Option("option.on_day", "pay_later", {"day": until}, {_DAY: last.isoformat()})
            say(dispatcher, "promise.too_late", [choose, *_OTHERWISE], until=until)
        else:
            say(dispatcher, "promise.past", until=until)


def _allowed(day: date, context: TurnContext) -> bool:
    today = context.now.astimezone(context.creditor.zone).date()
    return today <= day <= latest(context.creditor, today)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
