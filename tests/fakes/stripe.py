"""Stripe's API, as far as we use it, shaped after the objects of its OpenAPI fixtures."""

import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from stripe import WebhookSignature

from tests.clock import FakeClock
from tests.fakes.bank import ACCOUNTS, FakeBank, Held
from tests.fakes.server import Call

_EVENTS = {
    "paid": "checkout.session.completed",
    "pending": "checkout.session.completed",
    "failed": "checkout.session.async_payment_failed",
    "canceled": "checkout.session.expired",
}
# What the payer did → status and payment_status of the session, status of the payment intent.
_STATES = {
    "open": ("open", "unpaid", None),
    "pending": ("complete", "unpaid", "processing"),
    "paid": ("complete", "paid", "succeeded"),
    "failed": ("complete", "unpaid", "requires_payment_method"),
    "canceled": ("expired", "unpaid", None),
}


class FakeStripe(FakeBank):
    """`disputes`: the status of a payment's dispute; `refund_status`: of the next refund."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.keys = {
            account: {"secret_key": secret, "webhook_secret": f"whsec_{account}"}
            for account, secret in ACCOUNTS.items()
        }
        self.disputes: dict[str, str] = {}
        self.refund_status = "succeeded"

    async def api(self, request: web.Request, call: Call) -> web.StreamResponse:
        secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
        account = next((name for name, known in ACCOUNTS.items() if known == secret), None)
        if account is None:
            return problem(401, "api_key_invalid")
        if (request.method, request.path) == ("POST", "/v1/checkout/sessions"):
            key, fields = f"{account}:{request.headers['Idempotency-Key']}", dict(call.fields)
            if key not in self.by_key:
                self.by_key[key] = self._hold(account, fields).id
            held = self.held[self.by_key[key]]
            if held.sent != fields:
                return problem(400, None, "idempotency_error")
            return web.json_response(self.shown(held))
        if (request.method, request.path) == ("GET", "/v1/disputes"):
            of = next(each for each in self.held.values() if _intent(each) == call["payment_intent"])
            dispute = {"id": "dp_1", "object": "dispute", "amount": of.charged_back, "status": self.disputes[of.id]}
            return web.json_response({"object": "list", "data": [dispute], "has_more": False, "url": "/v1/disputes"})
        if (request.method, request.path) == ("POST", "/v1/refunds"):
            return await self._refund(f"{account}:{request.headers['Idempotency-Key']}", account, call)
        if request.method == "POST" and request.path.endswith("/expire"):
            open_one = self.held.get(request.path.split("/")[-2])
            if open_one is None or open_one.account != account:
                return problem(404, "resource_missing")
            if open_one.state != "open":
                return problem(400, None)
            await self.decide(open_one, "cancel")
            return web.json_response(self.shown(open_one))
        found = self.held.get(request.path.removeprefix("/v1/checkout/sessions/"))
        if request.method != "GET" or found is None or found.account != account:
            return problem(404, "resource_missing")
        expanded = dict(call.fields).get("expand[0]")
        assert expanded in (None, "payment_intent.latest_charge")
        return web.json_response(self.shown(found, expanded=expanded is not None))

    async def _refund(self, key: str, account: str, call: Call) -> web.Response:
        held = next((each for each in self.held.values() if _intent(each) == call["payment_intent"]), None)
        if held is None or held.account != account:
            return problem(404, "resource_missing")
        made = await self.give_back(held, int(call["amount"]), key)
        if made is None:
            return problem(400, "charge_already_refunded" if held.refunded == held.amount else None)
        refund = {"id": made, "object": "refund", "amount": int(call["amount"]), "charge": f"ch_{held.id}"}
        refund |= {"currency": held.currency, "payment_intent": _intent(held), "status": self.refund_status}
        return web.json_response(refund)

    def _hold(self, account: str, sent: dict[str, str]) -> Held:
        price = "line_items[0][price_data]"
        held = Held(
            id=f"cs_test_{len(self.held) + 1:010d}",
            account=account,
            amount=int(sent[f"{price}[unit_amount]"]),
            currency=sent[f"{price}[currency]"],
            return_url=sent["success_url"],
            webhook_url=self.endpoint,
            method=sent.get("allowed_payment_method_types[0]"),
            made_at=self.clock.now(),
            sent=sent,
        )
        self.held[held.id] = held
        return held

    def shown(self, held: Held, *, expanded: bool = False) -> dict[str, Any]:
        status, payment_status, intent_status = _STATES[held.state]
        intent: dict[str, Any] | None = None
        if intent_status:
            intent = {"id": _intent(held), "object": "payment_intent", "status": intent_status, "latest_charge": None}
            if intent_status == "succeeded":
                intent["latest_charge"] = self._charge(held)
        return {
            "id": held.id,
            "object": "checkout.session",
            "amount_total": held.amount,
            "client_reference_id": held.sent["client_reference_id"],
            "created": int(held.made_at.timestamp()),
            "currency": held.currency,
            "livemode": False,
            "mode": "payment",
            "payment_intent": intent if expanded or intent is None else intent["id"],
            "payment_status": payment_status,
            "status": status,
            "url": f"{self.url}/checkout/{held.id}" if held.state == "open" else None,
        }

    def _charge(self, held: Held) -> dict[str, Any]:
        assert held.decided_at
        return {
            "id": f"ch_{held.id}",
            "object": "charge",
            "amount": held.amount,
            "amount_refunded": held.refunded,
            "created": int(held.decided_at.timestamp()),
            "disputed": held.id in self.disputes,
            "payment_intent": _intent(held),
            "payment_method_details": {"type": held.method or "card"},
        }

    def notice(self, held: Held) -> tuple[bytes, Mapping[str, str]]:
        kind, subject = _EVENTS.get(held.state, "checkout.session.completed"), self.shown(held)
        if held.id in self.disputes:
            kind, subject = (
                "charge.dispute.updated",
                {"id": "dp_1", "object": "dispute", "payment_intent": _intent(held)},
            )
        elif held.refunded:
            kind, subject = "charge.refunded", self._charge(held)
        body = json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": subject}})
        return body.encode(), self.signed(held.account, body)

    def signed(self, account: str, body: str, *, ago: int = 0) -> dict[str, str]:
        secret = self.keys[account]["webhook_secret"]
        header = WebhookSignature.generate_signature_header(body, secret, int(time.time()) - ago)
        return {"Content-Type": "application/json", "Stripe-Signature": header}


def problem(status: int, code: str | None, kind: str = "invalid_request_error") -> web.Response:
    return web.json_response({"error": {"code": code, "type": kind, "message": "no"}}, status=status)


def _intent(held: Held) -> str:
    return f"pi_{held.id}"
