"""What is open, what was agreed on about it, and what that asks of the person now."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from bot.actions.invoices import total
from bot.actions.standing import Standing, agreed, standing_of
from bot.actions.turn import Events, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.ids import DebtorId
from core.message import Option

# A message that can be read on a telephone: of more than so many, those that are due first.
_MANY, _FIRST = 6, 5


class AskBalance(Wish):
    intent = "ask_balance"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        how = await standing_of(self.services, debtor)
        says = _says(how, context)
        options = _options(how)
        if credit := await self.services.invoices.credit_of(debtor):
            says.append(("balance.credit", {"credit": {"money": credit.as_json()}}))
            options = options or [Option("option.human", "human")]
        for place, (key, args) in enumerate(says, 1):
            say(dispatcher, key, options if place == len(says) else (), **args)
        return []


def _says(how: Standing, context: TurnContext) -> list[tuple[str, dict[str, Any]]]:
    if not how.payable and not how.disputed:
        return [("balance.none", {})]
    says: list[tuple[str, dict[str, Any]]] = []
    if how.payable:
        shown = how.payable[:_FIRST] if len(how.payable) > _MANY else how.payable
        rows = {"rows": [_row(invoice, context) for invoice in shown], "key": "balance.row"}
        args = {"n": len(how.payable), "total": {"money": total(how.payable).as_json()}, "rows": rows}
        says.append(("balance.open" if shown is how.payable else "balance.open_many", args))
    if how.disputed:
        rows = {"rows": [_row(invoice, context) for invoice in how.disputed], "key": "balance.row_disputed"}
        says.append(("balance.disputed", {"n": len(how.disputed), "rows": rows}))
    if beside := agreed(how):
        says.append(beside)
    return says


def _row(invoice: OpenInvoice, context: TurnContext) -> dict[str, Any]:
    overdue = invoice.due < context.now.astimezone(context.creditor.zone).date()
    return {
        "number": invoice.number,
        "amount": {"money": invoice.open.as_json()},
        "due": {"date": invoice.due.isoformat()},
        "state": {"key": "balance.state.overdue" if overdue else "balance.state.due"},
    }


def _options(how: Standing) -> list[Option]:
    """Nobody is asked to pay what is looked into, or while a person looks at it first."""
    if how.held or (how.disputed and not how.payable):
        return [Option("option.human", "human")]
    return [Option("option.pay", "pay")] if how.payable else []
