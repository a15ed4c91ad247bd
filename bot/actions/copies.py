"""A copy of an invoice: a page of ours, for some days."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.copies import last_day
from bot.actions.handover import hand_over
from bot.actions.invoices import ALL, CHOSEN, FORM, choose
from bot.actions.turn import Events, say
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
        asked = _asked(tracker)
        meant = tracker.get_slot(CHOSEN) or choose(tracker.latest_message, invoices) or choose(asked, invoices)
        chosen = [invoice for invoice in invoices if invoice.id == meant]
        numbers = (str(value["value"]) for value in asked.get("entities", []) if value["entity"] == "invoice_number")
        named = next(numbers, None) if meant in (None, ALL) else meant
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


def _asked(tracker: Tracker) -> Mapping[str, Any]:
    """The message with the wish: since then the person may have been asked who they are."""
    for event in reversed(tracker.events):
        if event["event"] == "user" and event["parse_data"]["intent"]["name"] == RequestInvoiceCopy.intent:
            return dict(event["parse_data"])
    return {}
