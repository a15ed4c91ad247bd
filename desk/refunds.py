"""Paying back what a customer has paid too much, from their conversation: a lead's decision."""

import re

from aiohttp import web

from billing.refunds import ByHand, Refunds, TooMuch
from core.errors import BadInput
from core.ids import ConversationId
from core.lifecycle import RefundState
from core.money import Money
from desk.agreements import Show
from desk.guard import Guard
from desk.sessions import Session
from desk.transcript import Transcripts


class RefundPages:
    """`refuse` renders a refusal by its key, `wrong` the conversation with what is wrong."""

    def __init__(self, refunds: Refunds, transcripts: Transcripts, guard: Guard, refuse: Show, wrong: Show) -> None:
        self._refunds = refunds
        self._transcripts = transcripts
        self._guard = guard
        self._refuse = refuse
        self._wrong = wrong

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/desk/c/{id}/payments/{payment}/refund", self._guard.private(self._pay_back))]

    async def _pay_back(self, request: web.Request, session: Session) -> web.Response:
        """A part of a payment that is the customer's credit, once for each form."""
        form = await request.post()
        conversation_id, key = ConversationId(request.match_info["id"]), str(form.get("key", ""))
        talk = await self._transcripts.of(conversation_id, session.agent)
        if talk.customer is None or form.get("confirm") != "yes" or not re.fullmatch(r"[0-9a-f]{32}", key):
            return await self._refuse(request, session, 400, "desk.error.confirm")
        paid = request.match_info["payment"]
        try:
            amount = Money.parse(str(form.get("amount", "")).replace(",", "."))
            # A form has one key and several payments: what is pressed twice is the same payment's.
            cause = f"desk:{key}:{paid}"
            state = await self._refunds.ask(session.agent, talk.customer.id, paid, amount, cause=cause)
        except TooMuch as refusal:
            return await self._wrong(request, session, conversation_id, "desk.refund.too_much", amount=refusal.most)
        except ByHand:
            return await self._wrong(request, session, conversation_id, "desk.refund.by_hand")
        except BadInput:
            return await self._wrong(request, session, conversation_id, "desk.refund.no_amount")
        notice = "refund_refused" if state is RefundState.REFUSED else "refund"
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice={notice}")
