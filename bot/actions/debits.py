"""A direct debit that failed: what happened, a link, and another account to collect from."""

from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.debits import OTHER_ACCOUNT
from bot.actions.codes import CODE, NOWHERE, ask_code, read_code
from bot.actions.form import Form, Heard, start
from bot.actions.handover import hand_over
from bot.actions.turn import Events, entities, entity, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.errors import BadInput
from core.hold import Reason
from core.ids import CreditorKey, DebtorId
from core.message import Option

IBAN, CONFIRMED = "new_iban", "iban_confirmed"
# A tap asks for another account, or confirms exactly the one that was read back.
_DEBIT, _CHANGE = "debit", "iban_change"
ANOTHER_ACCOUNT = {_DEBIT: "iban"}
_NOTED = ("amount", "invoice_number", "order_number")
_HUMAN = Option("option.human", "human")


class IbanForm(Form):
    """The account: checked by its digits, read back by its end, confirmed, and a code.

    The slot has its id, never the number.
    """

    intent = "direct_debit_problem"
    slots = (IBAN, CONFIRMED, CODE)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        if not context.verified or context.debtor is None:
            return Heard()
        text = str(tracker.latest_message.get("text") or "")
        proposed = tracker.get_slot(IBAN)
        if asked == CODE:
            return await read_code(self.services, tracker, context, asked=True)
        if asked == CONFIRMED:
            tapped = entity(tracker, _CHANGE)
            intent = tracker.latest_message["intent"]["name"]
            if tapped == proposed or (tapped is None and intent == "affirm"):
                code = await read_code(self.services, tracker, context, asked=False)
                return Heard({CONFIRMED: "yes", **code.given})
            if intent == "deny":
                return Heard({IBAN: ""})
        if asked is None or not any(character.isdigit() for character in text):
            return Heard()
        try:
            change = await self.services.ibans.propose(
                CreditorKey(context.creditor.key),
                context.conversation,
                context.debtor,
                text,
                key=f"{context.turn}:iban",
            )
        except BadInput:
            return Heard(wrong="debit.wrong_iban")
        return Heard({IBAN: change.id})

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
        if slot == CODE:
            ask_code(dispatcher, self.intent, unclear=unclear, wrong=wrong)
            return
        found = await self.services.ibans.proposed(context.debtor) if context.verified and context.debtor else None
        if slot == IBAN or found is None:
            say(dispatcher, wrong or ("debit.ask_iban_unclear" if unclear else "debit.ask_iban"))
            return
        yes = Option("option.yes", self.intent, entities={_CHANGE: found.id})
        say(dispatcher, wrong or "debit.confirm_iban", [yes, Option("option.no", "deny")], end=found.end)

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        key = "debit.handed_over"
        await hand_over(self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent)


class DirectDebitProblem(Wish):
    intent = "direct_debit_problem"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        change = tracker.get_slot(IBAN)
        if change and tracker.get_slot(CONFIRMED) and (code := tracker.get_slot(CODE)):
            return await self._request(dispatcher, tracker, context, debtor, change, sure=code != NOWHERE)
        if entity(tracker, _DEBIT):
            return start(IbanForm)
        latest = await self.services.debits.latest(debtor)
        if latest is None:
            noted = [str(value["value"]) for value in entities(tracker, *_NOTED)]
            key = "request.direct_debit"
            return await hand_over(
                self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent, noted=noted
            )
        link = await self.services.links.issue(
            context.conversation, debtor, [latest.invoice], key=f"{context.turn}:link", creditor=context.creditor
        )
        another = Option("option.other_account", self.intent, entities=ANOTHER_ACCOUNT)
        say(
            dispatcher,
            "debit.latest",
            [another, _HUMAN] if latest.why in OTHER_ACCOUNT else [_HUMAN],
            amount={"money": latest.amount.as_json()},
            invoice=latest.number,
            day={"date": latest.at.astimezone(context.creditor.zone).date().isoformat()},
            why={"key": f"debit.why.{latest.why}"},
            link={"link": link.id},
        )
        return []

    async def _request(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        context: TurnContext,
        debtor: DebtorId,
        change: str,
        *,
        sure: bool,
    ) -> Events:
        """`sure`: a code from the telephone on file has confirmed it; else a person asks first."""
        emptied = [SlotSet(slot, None) for slot in IbanForm.slots]
        found = await self.services.ibans.find(change, debtor)
        if found is None:  # another person's by now
            return [*start(IbanForm)]
        if sure:
            await self.services.ibans.confirm(change, debtor)
        handed = await hand_over(
            self.services,
            dispatcher,
            tracker,
            context,
            Reason.REQUEST,
            "debit.iban_noted" if sure else "debit.iban_unsure",
            {"end": found.end},
            wish=self.intent,
            noted=[f"…{found.end}"],
        )
        return [*handed, *emptied]
