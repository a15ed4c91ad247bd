"""I have paid already: believed where the books agree; else it is noted what was paid, when and from where."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from billing.invoices import OpenInvoice
from bot.actions.form import DO_NOT_KNOW, Form, Heard, start
from bot.actions.handover import hand_over
from bot.actions.invoices import total
from bot.actions.payment import AskPaymentStatus
from bot.actions.services import Services
from bot.actions.turn import Events, entities, entity, said_in, say, turn_id
from conversations.context import TurnContext
from conversations.reading import NUMBERS, PICTURE
from core.dates import read_past
from core.hold import Reason, care_of
from core.ids import DebtorId
from core.lifecycle import ClaimState
from core.message import Option
from core.money import Money
from core.pictures import PICTURE_CHANNELS

DAY, AMOUNT, ACCOUNT = "paid_on", "paid_amount", "paid_from"
_NEW, _SKIP = "claim", "skip"
_SKIPPED = "-"
_PRICE = re.compile(r"€|\d,\d\d(?!\d)|\beuro?s?\b|\deur", re.IGNORECASE)
_HELP = tuple(Option(f"option.{intent}", intent) for intent in ("ask_balance", "pay", "human"))


class ClaimForm(Form):
    """When, how much, and the end of the account; a picture of the proof takes the place of all three."""

    intent = "already_paid"
    slots = (DAY, AMOUNT, ACCOUNT)

    async def read(self, tracker: Tracker, context: TurnContext, asked: str | None) -> Heard:
        if entity(tracker, PICTURE):
            # The wish goes on with the picture; what is not known stays so.
            return Heard({slot: tracker.get_slot(slot) or _SKIPPED for slot in self.slots})
        text = str(tracker.latest_message.get("text") or "")
        today = context.now.astimezone(context.creditor.zone).date()
        found: dict[str, str] = {}
        wrong = None
        day = None if asked == ACCOUNT else read_past(text, today)
        if day is not None and day <= today and (asked == DAY or not tracker.get_slot(DAY)):
            found[DAY] = day.isoformat()
        elif day is not None and asked == DAY:
            wrong = "claim.day_ahead"
        amounts = {str(value["value"]) for value in entities(tracker, "amount")}
        # `12.11` is a day where a day was asked for.
        if len(amounts) == 1 and (asked == AMOUNT or (asked != ACCOUNT and _PRICE.search(text))):
            (amount,) = amounts
            if Money.parse(amount).minor > 0:
                found[AMOUNT] = amount
        if asked == ACCOUNT:
            end = account_end(text)
            if end is not None:
                found[ACCOUNT] = end
            elif entity(tracker, _SKIP) or DO_NOT_KNOW.search(text) or _intent(tracker) == "deny":
                found[ACCOUNT] = _SKIPPED
        return Heard(found, wrong)

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
        if slot == DAY:
            plain = "claim.ask_day_unclear" if unclear else "claim.ask_day"
            say(dispatcher, wrong or (f"{plain}_or_picture" if context.channel in PICTURE_CHANNELS else plain))
        elif slot == AMOUNT:
            say(
                dispatcher,
                "claim.ask_amount_unclear" if unclear else "claim.ask_amount",
                await self._amounts(context),
            )
        else:
            skip = Option("option.skip", "inform", entities={_SKIP: "yes"})
            say(dispatcher, "claim.ask_account_unclear" if unclear else "claim.ask_account", [skip])

    async def give_up(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, known: Mapping[str, str | None]
    ) -> None:
        noted = [value for value in known.values() if value and value != _SKIPPED]
        key = "claim.handed_over"
        await hand_over(self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent, noted=noted)

    async def _amounts(self, context: TurnContext) -> list[Option]:
        """What is open: all of it, and each invoice where there are few."""
        if not context.verified or context.debtor is None:
            return []
        found = await self.services.invoices.open_of(context.debtor)
        sums = dict.fromkeys(([total(found)] if found else []) + [invoice.open for invoice in found])
        return [
            Option("option.amount", "inform", {"amount": {"money": each.as_json()}}, {"amount": str(each.decimal)})
            for each in list(sums)[:3]
        ]


class AlreadyPaid(AskPaymentStatus):
    """A statement: believed where the books agree; else noted, and the money is looked for."""

    intent = "already_paid"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        invoices = await self.services.invoices.open_of(debtor)
        known = {slot: tracker.get_slot(slot) for slot in ClaimForm.slots}
        if invoices and all(known.values()):
            return await self._note(dispatcher, tracker, context, debtor, invoices, known)
        if not invoices:
            if not await self.found(dispatcher, context, debtor):
                say(dispatcher, "already_paid.settled")
            return _empty()
        if entity(tracker, PICTURE):
            return await self._note(dispatcher, tracker, context, debtor, invoices, {})
        before = await self.services.claims.latest(debtor)
        if before is not None and set(before.invoices) & {invoice.id for invoice in invoices}:
            pictures = context.channel in PICTURE_CHANNELS
            if before.state is ClaimState.OPEN:
                key = "claim.open" if pictures else "claim.open_no_picture"
                say(dispatcher, key, [Option("option.human", "human")], until=_day(before.until))
                return _empty()
            # Looked for in vain once: another pause would bring no one further.
            key = "claim.again" if pictures else "claim.again_no_picture"
            return await hand_over(self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent)
        if not entity(tracker, _NEW) and await self.found(dispatcher, context, debtor):
            if not await self.services.payments.pending_of(debtor):
                another = Option("option.another_payment", self.intent, entities={_NEW: "new"})
                say(dispatcher, "claim.another", [another, Option("option.no", "deny")])
            return _empty()
        return start(ClaimForm)

    async def _note(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        context: TurnContext,
        debtor: DebtorId,
        invoices: Sequence[OpenInvoice],
        known: Mapping[str, Any],
    ) -> Events:
        said = {slot: value for slot, value in known.items() if value and value != _SKIPPED}
        amount = Money.parse(said[AMOUNT]) if AMOUNT in said else None
        noted = await self.services.claims.make(
            context.conversation,
            debtor,
            [invoice.id for invoice in meant(invoices, amount)],
            paid_on=date.fromisoformat(said[DAY]) if DAY in said else None,
            amount=amount,
            account_end=said.get(ACCOUNT),
            key=f"{context.turn}:claim",
            creditor=context.creditor,
        )
        until = _day(noted.until)
        if entity(tracker, PICTURE):
            await self.services.claims.prove(noted.id, said_in(tracker))
            handed = await hand_over(
                self.services,
                dispatcher,
                tracker,
                context,
                Reason.REQUEST,
                "claim.noted_picture",
                {"until": until},
                wish=self.intent,
            )
            return [*handed, *_empty()]
        if amount is None or noted.paid_on is None:
            raise ValueError("a claim without a picture has a day and an amount")
        key = "claim.noted_web" if await self.services.contexts.out_of_reach(context) else "claim.noted"
        say(dispatcher, key, amount={"money": amount.as_json()}, day=_day(noted.paid_on), until=until)
        return _empty()


class Inform(Action):
    """A bare value that nobody asked for; a picture belongs to the payment that is looked for, if there is one."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def name(self) -> str:
        return "action_inform"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        if not entity(tracker, PICTURE):
            if care_of(tracker.get_slot("wanted") or "") and entity(tracker, *NUMBERS):
                # What somebody unknown was asked for (bot/actions/care.py).
                return [FollowupAction("verify_form")]
            say(dispatcher, "talk.inform", _HELP)
            return []
        context = await self._services.contexts.of(turn_id(tracker))
        known = context.verified and context.debtor
        before = await self._services.claims.latest(context.debtor) if known and context.debtor else None
        if before is None:
            say(dispatcher, "notice.media")
            return []
        await self._services.claims.prove(before.id, context.turn)
        return await hand_over(
            self._services, dispatcher, tracker, context, Reason.REQUEST, "claim.picture", wish=ClaimForm.intent
        )


def meant(invoices: Sequence[OpenInvoice], amount: Money | None) -> Sequence[OpenInvoice]:
    """The one invoice of exactly this amount; else all of them."""
    exact = [invoice for invoice in invoices if invoice.open == amount]
    return exact if len(exact) == 1 else invoices


def account_end(text: str) -> str | None:
    """The last four characters of an account: alone, or of an IBAN of which nothing else is kept."""
    compact = re.sub(r"[\s.*…-]", "", text).upper()
    if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact) or re.fullmatch(r"\d{4}|[A-Z0-9]{3}\d", compact):
        return compact[-4:]
    alone = re.findall(r"(?<!\w)\d{4}(?!\w)", text)
    return alone[0] if len(alone) == 1 else None


def _intent(tracker: Tracker) -> str:
    return str(tracker.latest_message["intent"]["name"])


def _day(day: date) -> dict[str, str]:
    return {"date": day.isoformat()}


def _empty() -> Events:
    return [SlotSet(slot, None) for slot in ClaimForm.slots]
