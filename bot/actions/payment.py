"""Paying: a link for one invoice or for all."""

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.handover import hand_over
from bot.actions.invoices import ALL, CHOSEN, FORM, choose, total
from bot.actions.services import Services
from bot.actions.turn import Events, entities, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option
from core.money import Money

# The methods that have a name in the catalogues.
_METHODS = frozenset({"ideal", "wero", "bancontact", "creditcard", "banktransfer", "directdebit", "paypal", "sofort"})


class Pay(Wish):
    intent = "pay"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        invoices = await self.services.invoices.open_of(debtor)
        payable = [invoice for invoice in invoices if not invoice.disputed]
        if not payable:
            key = "pay.disputed" if invoices else "pay.none"
            say(dispatcher, key, [Option("option.human", "human")] if invoices else [])
            return [SlotSet(CHOSEN, None)]
        meant = tracker.get_slot(CHOSEN) or choose(tracker.latest_message, payable)
        if len(payable) == 1:
            meant = ALL
        chosen = [invoice for invoice in payable if meant in (ALL, invoice.id)]
        if not chosen:
            return [SlotSet("wanted", self.intent), SlotSet(CHOSEN, None), FollowupAction(FORM)]
        link = await self.services.links.issue(
            context.conversation,
            debtor,
            [invoice.id for invoice in chosen],
            key=f"{context.turn}:link",
            creditor=context.creditor,
        )
        say(
            dispatcher,
            "payment_link.issued",
            amount={"money": link.amount.as_json()},
            link={"link": link.id},
            until={"date": link.expires_at.astimezone(context.creditor.zone).date().isoformat()},
        )
        return [SlotSet(CHOSEN, None)]


class PayPart(Wish):
    """A named part of what is open, at least the creditor's smallest instalment; else a person looks at it."""

    intent = "pay_part"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        payable = [invoice for invoice in await self.services.invoices.open_of(debtor) if not invoice.disputed]
        named = [Money.parse(str(value["value"])) for value in entities(tracker, "amount")]
        part = named[0] if len(named) == 1 else None
        owed = total(payable) if payable else None
        if part is None or owed is None or part < context.creditor.min_instalment or owed < part:
            noted = [str(value["value"]) for value in entities(tracker, "amount")]
            key = "request.pay_part"
            return await hand_over(
                self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent, noted=noted
            )
        link = await self.services.links.issue(
            context.conversation,
            debtor,
            [invoice.id for invoice in payable],
            key=f"{context.turn}:link",
            creditor=context.creditor,
            amount=part,
        )
        say(
            dispatcher,
            "payment_link.issued",
            amount={"money": link.amount.as_json()},
            link={"link": link.id},
            until={"date": link.expires_at.astimezone(context.creditor.zone).date().isoformat()},
        )
        return []


class AskPaymentMethods(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_ask_payment_methods"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: object) -> Events:
        creditor = (await self._services.contexts.of(turn_id(tracker))).creditor
        methods = [method if method in _METHODS else "other" for method in creditor.payments.methods]
        rows = [{"method": {"key": f"method.{method}"}} for method in dict.fromkeys(methods)]
        say(
            dispatcher,
            "payment_methods.list",
            [Option("option.pay", "pay")],
            iban=creditor.iban,
            rows={"rows": rows, "key": "payment_methods.row"},
        )
        return []


class AskPaymentStatus(Wish):
    """Did it arrive? What the ledger and the providers know."""

    intent = "ask_payment_status"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        if not await self.found(dispatcher, context, debtor):
            say(dispatcher, "payments.not_found", [Option("option.yes_human", "human"), Option("option.no", "deny")])
        return []

    async def found(self, dispatcher: CollectingDispatcher, context: TurnContext, debtor: DebtorId) -> bool:
        """Whether there is a payment to tell of; if so, it has been told."""
        pending = await self.services.payments.pending_of(debtor)
        received = await self.services.payments.recent_of(debtor)
        if received:
            rows = [
                {
                    "amount": {"money": payment.amount.as_json()},
                    "paid_at": {"date": payment.paid_at.astimezone(context.creditor.zone).date().isoformat()},
                    "invoices": list(payment.invoices),
                }
                for payment in received
            ]
            say(dispatcher, "payments.received", n=len(rows), rows={"rows": rows, "key": "payments.row"})
        if pending:
            say(dispatcher, "payments.pending", n=len(pending))
        return bool(received or pending)
