"""Wishes that a person carries out: noted, handed over, and said so."""

from datetime import datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from billing.risk import Behaviour, Standing
from bot.actions.handover import hand_over
from bot.actions.services import Services
from bot.actions.turn import Events, entities, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId

# intent → what is said
REQUESTS = {
    "update_contact": "request.update_contact",
}
# What the agent sees beside the wish.
_NOTED = ("amount", "invoice_number", "order_number")


class Request(Wish):
    def __init__(self, services: Services, intent: str, key: str) -> None:
        super().__init__(services)
        self.intent = intent
        self._key = key

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        noted = [str(value["value"]) for value in entities(tracker, *_NOTED)]
        return await hand_over(
            self.services, dispatcher, tracker, context, Reason.REQUEST, self._key, wish=self.intent, noted=noted
        )


class PrivacyRequest(Request):
    """Besides: the class that the person is in, and why, in plain words. No other message says it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "privacy_request", "request.privacy")

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        events = await super().fulfil(dispatcher, tracker, context, debtor)
        standing = await self.services.risks.of(context.creditor, debtor)
        if standing.name is None:
            say(dispatcher, "privacy.risk_none")
        else:
            excludes = standing.name in context.creditor.payments.methods_by_risk
            say(
                dispatcher,
                "privacy.risk_methods" if excludes else "privacy.risk",
                risk={"key": f"privacy.class.{standing.name}"},
                why=_why(standing, context),
            )
        return events


def _why(standing: Standing, context: TurnContext) -> dict[str, Any]:
    """The rule and what it counted, or who has said so and until when."""

    def day(at: datetime | None) -> dict[str, str]:
        return {"date": (at or context.now).astimezone(context.creditor.zone).date().isoformat()}

    if standing.by == "agent":
        return {"key": "privacy.why.agent", "args": {"day": day(standing.at)}}
    if standing.by == "external":
        source = standing.source or ""
        return {
            "key": "privacy.why.external",
            "args": {"source": source, "day": day(standing.at), "until": day(standing.until)},
        }
    reached = standing.rule.reached if standing.rule else {}
    facts = [
        {
            "key": f"privacy.fact.{name}",
            "args": {"n": standing.counted[Behaviour(name)], "days": context.creditor.risk.late_days},
        }
        for name in reached
    ]
    return {"key": "privacy.why.rule", "args": {"months": context.creditor.risk.months, "facts": facts}}


def requests(services: Services) -> list[Wish]:
    return [PrivacyRequest(services), *(Request(services, intent, key) for intent, key in REQUESTS.items())]
