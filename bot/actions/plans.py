"""Paying in parts: two or three plans within the policy, the chosen one as a table, and agreed on when confirmed."""

from collections.abc import Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.plans import Instalment, needs_agent, offers, spread
from bot.actions.codes import CODE, PLAN, ask_code
from bot.actions.handover import hand_over
from bot.actions.invoices import total
from bot.actions.turn import Events, entities, entity, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.errors import BadInput, Conflict
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option

# A tap on a number of instalments shows the table; a tap on a plan agrees to exactly that table.
_MONTHS, _PLAN = "months", "plan"
_OTHERWISE = (Option("option.pay", "pay"), Option("option.pay_later", "pay_later"), Option("option.human", "human"))


class RequestPaymentPlan(Wish):
    intent = "request_payment_plan"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        # A choice that waited for a code counts once, right after it.
        waited = tracker.get_slot(PLAN) if tracker.get_slot(CODE) else None
        used: Events = [SlotSet(CODE, None), SlotSet(PLAN, None)] if waited else []
        return [
            *used,
            *await self._answer(dispatcher, tracker, context, debtor, entity(tracker, _PLAN) or waited or ""),
        ]

    async def _answer(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        context: TurnContext,
        debtor: DebtorId,
        agreed: str,
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
            noted = [str(value["value"]) for value in entities(tracker, "amount")]
            key = "request.payment_plan"
            return await hand_over(
                self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent, noted=noted
            )
        today = context.now.astimezone(context.creditor.zone).date()
        tables = {str(len(table)): table for table in offers(owed, context.creditor, today)}
        if not tables:
            least = {"money": context.creditor.min_instalment.as_json()}
            say(dispatcher, "plan.too_small", _OTHERWISE, total={"money": owed.as_json()}, least=least)
            return []
        months = agreed.partition(":")[0] or entity(tracker, _MONTHS) or ""
        if months in tables and agreed == _name(tables[months]):
            if not await self.services.codes.confirmed(context.turn):
                return await ask_code(self.services, dispatcher, tracker, context, agreed)
            try:
                plan = await self.services.plans.agree(
                    context.conversation,
                    debtor,
                    [invoice.id for invoice in payable],
                    spread(owed, int(months), today),
                    key=f"{context.turn}:plan",
                    creditor=context.creditor,
                )
            except Conflict:  # agreed on this very moment
                await self._current(dispatcher, debtor)
                return []
            except BadInput:  # something was paid this very moment
                agreed = ""
            else:
                say(dispatcher, "plan.agreed", rows=table_rows(plan.instalments), total={"money": owed.as_json()})
                return []
        if months in tables:
            yes = Option("option.yes", self.intent, entities={_PLAN: _name(tables[months])})
            money = {"money": owed.as_json()}
            say(
                dispatcher,
                "plan.confirm",
                [yes, Option("option.no", "deny")],
                rows=table_rows(tables[months]),
                total=money,
            )
            return []
        choices = [
            Option("option.plan", self.intent, {"count": number, "amount": _largest(table)}, {_MONTHS: number})
            for number, table in tables.items()
        ]
        say(dispatcher, "plan.offer", choices, total={"money": owed.as_json()})
        return []

    async def _current(self, dispatcher: CollectingDispatcher, debtor: DebtorId) -> bool:
        """Whether a plan runs; if so, it has been told."""
        running = await self.services.plans.current(debtor)
        if running is not None:
            say(dispatcher, "plan.current", [Option("option.human", "human")], rows=table_rows(running.instalments))
        return running is not None


def _name(table: Sequence[Instalment]) -> str:
    """What is agreed on: another amount, or another day, is another plan."""
    owed = sum(each.amount.minor for each in table)
    return f"{len(table)}:{table[0].due.isoformat()}:{owed}"


def _largest(table: Sequence[Instalment]) -> dict[str, Any]:
    return {"money": table[0].amount.as_json()}


def table_rows(table: Sequence[Instalment]) -> dict[str, Any]:
    rows = [{"due": {"date": each.due.isoformat()}, "amount": {"money": each.amount.as_json()}} for each in table]
    return {"rows": rows, "key": "plan.row"}
