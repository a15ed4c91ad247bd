"""What was agreed on with a customer, in their conversation: seen, arranged by an agent, and ended."""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from aiohttp import web

from billing.invoices import Invoices
from billing.plans import LATEST, MOST, Plans
from billing.promises import Promises
from conversations.creditors import Creditors
from core.clock import Clock
from core.errors import BadInput
from core.ids import ConversationId
from desk.guard import Guard
from desk.sessions import Session
from desk.transcript import Transcript, Transcripts

Show = Callable[..., Awaitable[web.Response]]


class AgreementPages:
    """`refuse` renders a refusal by its key, `wrong` the conversation with what is wrong."""

    def __init__(
        self,
        promises: Promises,
        plans: Plans,
        invoices: Invoices,
        creditors: Creditors,
        transcripts: Transcripts,
        guard: Guard,
        refuse: Show,
        wrong: Show,
        clock: Clock,
    ) -> None:
        self._promises = promises
        self._plans = plans
        self._invoices = invoices
        self._creditors = creditors
        self._transcripts = transcripts
        self._guard = guard
        self._refuse = refuse
        self._wrong = wrong
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        private = self._guard.private
        return [
            web.post("/desk/c/{id}/plan", private(self._arrange)),
            web.post("/desk/c/{id}/plan/end", private(self._end)),
        ]

    async def of(self, talk: Transcript) -> dict[str, Any]:
        """What the conversation's page shows."""
        who = talk.customer.id if talk.customer else None
        return {
            "promise": await self._promises.current(who) if who else None,
            "plan": await self._plans.current(who) if who else None,
            "most": MOST,
            "latest": self._clock.now().date() + LATEST,
        }

    async def _arrange(self, request: web.Request, session: Session) -> web.Response:
        """A plan over all that is open and not disputed, as the agent has agreed on it with the customer."""
        form = await request.post()
        conversation_id, key = ConversationId(request.match_info["id"]), str(form.get("key", ""))
        talk = await self._transcripts.of(conversation_id, session.agent)
        if talk.customer is None or not re.fullmatch(r"[0-9a-f]{32}", key):
            return await self._refuse(request, session, 400, "desk.error.confirm")
        owed = [each for each in await self._invoices.open_of(talk.customer.id) if not each.disputed]
        try:
            months, first = int(str(form.get("months", ""))), date.fromisoformat(str(form.get("first", "")))
            await self._plans.arrange(
                session.agent,
                conversation_id,
                talk.customer.id,
                [each.id for each in owed],
                months,
                first,
                key=f"desk:{key}",
                creditor=await self._creditors.get(session.agent.creditor),
            )
        except (ValueError, BadInput):
            return await self._wrong(request, session, conversation_id, "desk.plan.wrong", count=MOST)
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=plan")

    async def _end(self, request: web.Request, session: Session) -> web.Response:
        conversation_id = ConversationId(request.match_info["id"])
        talk = await self._transcripts.of(conversation_id, session.agent)
        if talk.customer is not None:
            await self._plans.end(session.agent, talk.customer.id)
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=plan_ended")
