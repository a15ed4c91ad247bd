"""Paying: a link for one invoice, for all, or for a part."""

from collections.abc import Mapping, Sequence

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from billing.methods import TRANSFER
from billing.plans import Instalment
from bot.actions import receipts
from bot.actions.form import Form, Heard, start
from bot.actions.handover import hand_over
from bot.actions.invoices import ALL, CHOSEN, FORM, choose, meant_by, named, options, total
from bot.actions.methods import NAMED
from bot.actions.services import Services
from bot.actions.standing import Standing, standing_of
from bot.actions.turn import Events, entities, entity, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option
from core.money import Money

AMOUNT = "part_amount"
# A tap on it pays what a running plan asks next.
_PART = "part"


class Pay(Wish):
    """A link for what is meant; where a plan runs, for its next part or for everything."""

    intent = "pay"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        how = await standing_of(self.services, debtor)
        if not tracker.get_slot(CHOSEN) and await self._is_another(dispatcher, tracker, debtor, how):
            return []
        if not how.payable:
            _nothing_to_pay(dispatcher, how)
            return [SlotSet(CHOSEN, None)]
        if how.part and entity(tracker, _PART):
            await _issue(self.services, dispatcher, context, debtor, how, how.planned, how.part.amount)
            return [SlotSet(CHOSEN, None)]
        meant = tracker.get_slot(CHOSEN) or choose(tracker.latest_message, how.payable)
        if how.part and meant is None:
            _ask_which_part(dispatcher, how.part)
            return []
        chosen = how.payable if len(how.payable) == 1 else meant_by(meant, how.payable)
        if not chosen:
            return [SlotSet("wanted", self.intent), SlotSet(CHOSEN, None), FollowupAction(FORM)]
        await _issue(self.services, dispatcher, context, debtor, how, chosen)
        return [SlotSet(CHOSEN, None)]

    async def _is_another(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, debtor: DebtorId, how: Standing
    ) -> bool:
        """Whether what the message points at is none of what can be paid: then it has been told, and what can."""
        pointed = named(tracker.latest_message, await self.services.invoices.of(debtor))
        payable = {invoice.id for invoice in how.payable}
        if any(invoice.id in payable for invoice in pointed.found) or not (pointed.found or pointed.unknown):
            return False
        if not pointed.found:
            say(dispatcher, "invoice.unknown", number=pointed.unknown[0])
        for invoice in pointed.found:
            say(dispatcher, "pay.one_disputed" if invoice.disputed else "pay.one_settled", number=invoice.number)
        if how.payable:
            everything = [Option("option.pay_all", "pay", entities={"invoice": ALL})] if len(payable) > 1 else []
            say(dispatcher, "pay.another", [*everything, *options(how.payable, self.intent)], n=len(payable))
        return True


class PayPart(Wish):
    """A named part of what is open; of a plan that runs, its next part where none is named."""

    intent = "pay_part"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        how = await standing_of(self.services, debtor)
        if not how.payable:
            _nothing_to_pay(dispatcher, how)
            return [SlotSet(AMOUNT, None)]
        known = tracker.get_slot(AMOUNT)
        said = [known] if known else [str(value["value"]) for value in entities(tracker, "amount")]
        part = part_of(said, context, total(how.payable))
        if isinstance(part, Money):
            await _issue(self.services, dispatcher, context, debtor, how, how.payable, part)
            return [SlotSet(AMOUNT, None)]
        if how.part and not said:
            await _issue(self.services, dispatcher, context, debtor, how, how.planned, how.part.amount)
            return [SlotSet(AMOUNT, None)]
        return start(PartForm)


class PartForm(Form):
    """How much: at least the creditor's smallest instalment, at most what is open."""

    intent = "pay_part"
    slots = (AMOUNT,)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        said = [str(value["value"]) for value in entities(tracker, "amount")]
        part = part_of(said, context, await self._owed(context))
        return Heard({AMOUNT: str(part.decimal)}) if isinstance(part, Money) else Heard(wrong=part)

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
        least, half = context.creditor.min_instalment, Money(owed.minor // 200 * 100, owed.currency)
        proposed = [each for each in dict.fromkeys((least, half, owed)) if not each < least and not owed < each]
        choices = [
            Option("option.amount", "inform", {"amount": {"money": each.as_json()}}, {"amount": str(each.decimal)})
            for each in proposed
        ]
        money = {"least": {"money": least.as_json()}, "total": {"money": owed.as_json()}}
        say(dispatcher, wrong or ("part.ask_unclear" if unclear else "part.ask"), choices, **money)

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        noted = [str(value["value"]) for value in entities(tracker, "amount")]
        key = "request.pay_part"
        await hand_over(self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent, noted=noted)

    async def _owed(self, context: TurnContext) -> Money:
        found = await self.services.invoices.open_of(context.debtor) if context.verified and context.debtor else []
        payable = [invoice for invoice in found if not invoice.disputed]
        return total(payable) if payable else Money(0)


def part_of(said: Sequence[str], context: TurnContext, owed: Money) -> Money | str | None:
    """The one amount that was named, or what is wrong with it (a key); None where there is none, or several."""
    named = {Money.parse(each) for each in said}
    if len(named) != 1:
        return None
    (part,) = named
    if owed < part:
        return "part.too_much"
    # All of it may always be paid, however little it is.
    return "part.too_little" if part < context.creditor.min_instalment and part != owed else part


def _nothing_to_pay(dispatcher: CollectingDispatcher, how: Standing) -> None:
    if how.disputed:
        say(dispatcher, "pay.disputed", [Option("option.human", "human")])
    else:
        say(dispatcher, "pay.none")


def _ask_which_part(dispatcher: CollectingDispatcher, part: Instalment) -> None:
    say(
        dispatcher,
        "pay.plan",
        [
            Option("option.pay_next_part", "pay", entities={_PART: "next"}),
            Option("option.pay_all", "pay", entities={"invoice": ALL}),
        ],
        amount={"money": part.amount.as_json()},
        day={"date": part.due.isoformat()},
    )


async def _issue(
    services: Services,
    dispatcher: CollectingDispatcher,
    context: TurnContext,
    debtor: DebtorId,
    how: Standing,
    invoices: Sequence[OpenInvoice],
    amount: Money | None = None,
) -> None:
    link = await services.links.issue(
        context.conversation,
        debtor,
        [invoice.id for invoice in invoices],
        key=f"{context.turn}:link",
        creditor=context.creditor,
        amount=amount,
    )
    say(
        dispatcher,
        # Whoever is in trouble may pay, and is told that nobody asks it.
        "payment_link.issued_held" if how.held else "payment_link.issued",
        amount={"money": link.amount.as_json()},
        link={"link": link.id},
        until={"date": link.expires_at.astimezone(context.creditor.zone).date().isoformat()},
    )


class AskPaymentMethods(Action):
    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_ask_payment_methods"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: object) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        creditor, offered = context.creditor, context.creditor.payments.methods
        if context.verified and context.debtor is not None:
            offered = list(await self._services.payments.methods_of(creditor, context.debtor))
        methods = [method if method in NAMED else "other" for method in offered]
        rows = [{"method": {"key": f"method.{method}"}} for method in dict.fromkeys(methods)]
        table = {"rows": rows, "key": "payment_methods.row"}
        pay = [Option("option.pay", "pay")]
        if TRANSFER in creditor.payments.methods and TRANSFER not in offered:
            say(dispatcher, "payment_methods.online", pay, rows=table)
        else:
            say(dispatcher, "payment_methods.list", pay, iban=creditor.iban, rows=table)
        return []


class AskPaymentStatus(Wish):
    """Did it arrive? What the ledger and the providers know."""

    intent = "ask_payment_status"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        which = receipts.wanted(tracker)
        if which and receipts.tell(dispatcher, context, await self.services.receipts.of(debtor), which):
            return []
        if await self.found(dispatcher, context, debtor, [receipts.BUTTON]):
            return []
        if not await self.services.invoices.open_of(debtor):
            say(dispatcher, "balance.none")
        else:
            say(dispatcher, "payments.not_found", [Option("option.yes_human", "human"), Option("option.no", "deny")])
        return []

    async def found(
        self,
        dispatcher: CollectingDispatcher,
        context: TurnContext,
        debtor: DebtorId,
        options: Sequence[Option] = (),
    ) -> bool:
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
            say(dispatcher, "payments.received", options, n=len(rows), rows={"rows": rows, "key": "payments.row"})
        if pending:
            say(dispatcher, "payments.pending", n=len(pending))
        return bool(received or pending)
