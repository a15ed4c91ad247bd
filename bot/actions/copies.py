"""A copy of an invoice: a page of ours, for some days."""

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.copies import last_day
from bot.actions.handover import hand_over
from bot.actions.invoices import ALL, CHOSEN, FORM, choose
from bot.actions.turn import Events, entity, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId


class RequestInvoiceCopy(Wish):
    """Of any invoice, paid or not. One that is not found is looked for by a person."""

    intent = "request_invoice_copy"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        invoices = await self.services.invoices.of(debtor)
        meant = tracker.get_slot(CHOSEN) or choose(tracker.latest_message, invoices)
        chosen = [invoice for invoice in invoices if invoice.id == meant]
        named = entity(tracker, "invoice_number") if meant in (None, ALL) else meant
        if not chosen and (named or not invoices):
            key, noted = "invoice_copy.not_found", [named] if named else []
            events = await hand_over(
                self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent, noted=noted
            )
            return [*events, SlotSet(CHOSEN, None)]
        if not chosen and len(invoices) > 1:
            return [SlotSet("wanted", self.intent), SlotSet(CHOSEN, None), FollowupAction(FORM)]
        invoice = (chosen or invoices)[0]
        copy = await self.services.copies.issue(
            debtor, invoice.id, cause=f"{context.turn}:copy", creditor=context.creditor, locale=context.locale
        )
        say(
            dispatcher,
            "invoice_copy.ready",
            number=invoice.number,
            until={"date": last_day(copy.expires_at, context.creditor).isoformat()},
            page={"page": copy.id},
        )
        return [SlotSet(CHOSEN, None)]
