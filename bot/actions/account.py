"""A blocked account: what is still due, or that the shop is asked to let it be used again."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.handover import hand_over
from bot.actions.invoices import total
from bot.actions.turn import Events, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId
from core.message import Option


class ReactivateAccount(Wish):
    """Only where the creditor's shop hears from us; else a person sees to it."""

    intent = "reactivate_account"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        accounts = self.services.accounts
        today = context.now.astimezone(context.creditor.zone).date()
        overdue = [invoice for invoice in await self.services.invoices.open_of(debtor) if invoice.due < today]
        payable = [invoice for invoice in overdue if not invoice.disputed]
        if context.creditor.webhook is None or (overdue and not payable):
            return await hand_over(
                self.services, dispatcher, tracker, context, Reason.REQUEST, "request.reactivate", wish=self.intent
            )
        if not await accounts.blocked(debtor):
            say(dispatcher, "reactivate.not_blocked", [Option("option.human", "human")])
        elif await accounts.release(debtor):
            say(dispatcher, "reactivate.asked")
        elif payable:
            say(dispatcher, "reactivate.due", amount={"money": total(payable).as_json()})
            link = await self.services.links.issue(
                context.conversation,
                debtor,
                [invoice.id for invoice in payable],
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
        return []
