"""What we know about somebody, on request."""

from datetime import datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from billing.risk import Behaviour, Standing
from bot.actions.handover import hand_over
from bot.actions.turn import Events, say
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.hold import Reason
from core.ids import DebtorId


class PrivacyRequest(Wish):
    """A person answers it; the class that somebody is in, and why, is told at once. No other message says it."""

    intent = "privacy_request"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        key = "request.privacy"
        events = await hand_over(self.services, dispatcher, tracker, context, Reason.REQUEST, key, wish=self.intent)
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
