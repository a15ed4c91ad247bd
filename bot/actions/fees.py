"""Why costs and interest: what may be charged on each invoice, line by line, or why nothing is."""

from collections.abc import Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from billing.fees import Fees
from bot.actions.standing import standing_of
from bot.actions.turn import Events, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.creditor import Creditor
from core.ids import DebtorId
from core.message import Option


class AskFees(Wish):
    """Principal, interest with rate and period, costs and their letter (NL: Bki 3.1)."""

    intent = "ask_fees"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        found = await self.services.fees.explain(debtor, context.creditor)
        if not found:
            say(dispatcher, "balance.none")
            return []
        how = await standing_of(self.services, debtor)
        human = Option("option.human", "human")
        offer = [human] if how.held or not how.payable else [Option("option.pay", "pay"), human]
        says: list[tuple[str, dict[str, Any]]] = []
        for fees in found:
            if fees.costs or fees.interest:
                says.append((f"fees.{'charged' if fees.charged else 'chargeable'}", _lines(fees, context.creditor)))
        for key in dict.fromkeys(_why(fees, context.creditor) for fees in found if not (fees.costs or fees.interest)):
            same = [f for f in found if not (f.costs or f.interest) and _why(f, context.creditor) == key]
            says.append((key, _named(same)))
        for number, (key, args) in enumerate(says, 1):
            say(dispatcher, key, offer if number == len(says) else (), **args)
        return []


def _why(fees: Fees, creditor: Creditor) -> str:
    reason = fees.refusal or "nothing"
    return f"fees.none.{reason}.{creditor.country}" if reason == "no_letter" else f"fees.none.{reason}"


def _named(found: Sequence[Fees]) -> dict[str, Any]:
    first = min((fees.first_day for fees in found if fees.first_day), default=None)
    args: dict[str, Any] = {"invoices": [fees.invoice.number for fees in found], "n": len(found)}
    return {**args, "day": {"date": first.isoformat()}} if first else args


def _lines(fees: Fees, creditor: Creditor) -> dict[str, Any]:
    def line(key: str, **args: Any) -> dict[str, Any]:
        return {"line": {"key": f"fees.line.{key}", "args": args}}

    rows = [line("principal", amount={"money": fees.principal.as_json()})]
    rows += [
        line(
            "interest_agreed" if period.rate == creditor.fees.interest_rate else "interest",
            amount={"money": period.amount.as_json()},
            rate={"percent": str(period.rate)},
            since={"date": period.since.isoformat()},
            until={"date": period.until.isoformat()},
        )
        for period in fees.interest
    ]
    if fees.costs:
        rows.append(line(f"costs.{creditor.country}", amount={"money": fees.costs.as_json()}))
    if fees.letter is not None and fees.letter.received_on is not None:
        sent, received = fees.letter.sent_on.isoformat(), fees.letter.received_on.isoformat()
        rows.append(line("letter", since={"date": sent}, day={"date": received}))
    return {
        "number": fees.invoice.number,
        "total": {"money": fees.total.as_json()},
        "rows": {"rows": rows, "key": "fees.row"},
    }
