"""Mollie's Payments API v2, as far as we use it, shaped after the models of its SDK."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from tests.clock import FakeClock
from tests.fakes.bank import ACCOUNTS, FakeBank, Held
from tests.fakes.server import Call

_HAL = "application/hal+json"


class FakeMollie(FakeBank):
    """`cancelable`: whether an open payment may be cancelled, which depends on its method.

    `refund_status`: of the next refund.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.cancelable = True
        self.refund_status = "pending"
        self.keys = {account: {"api_key": secret} for account, secret in ACCOUNTS.items()}

    async def api(self, request: web.Request, call: Call) -> web.StreamResponse:
        secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
        account = next((name for name, known in ACCOUNTS.items() if known == secret), None)
        if account is None:
            return _answer(problem(401, "Unauthorized Request"), 401)
        if (request.method, request.path) == ("POST", "/v2/payments"):
            key = request.headers["Idempotency-Key"]
            assert UUID(key).version == 4
            if key not in self.by_key:
                self.by_key[key] = self._hold(account, call.json).id
            return _answer(self.shown(self.held[self.by_key[key]]), 201)
        if request.method == "POST" and request.path.endswith("/refunds"):
            return await self._refund(account, request, call.json)
        held = self.held.get(request.path.removeprefix("/v2/payments/"))
        if request.method not in ("GET", "DELETE") or held is None or held.account != account:
            return _answer(problem(404, "Not Found"), 404)
        if request.method == "DELETE":
            if held.state != "open" or not self.cancelable:
                return _answer(problem(422, "Unprocessable Entity"), 422)
            await self.decide(held, "cancel")
        return _answer(self.shown(held), 200)

    async def _refund(self, account: str, request: web.Request, sent: Any) -> web.Response:
        held, key = self.held.get(request.path.split("/")[-2]), request.headers["Idempotency-Key"]
        assert UUID(key).version == 4
        if held is None or held.account != account:
            return _answer(problem(404, "Not Found"), 404)
        assert sent["amount"]["currency"] == held.currency
        made = await self.give_back(held, int(sent["amount"]["value"].replace(".", "")), key)
        if made is None:
            return _answer(problem(422, "Unprocessable Entity"), 422)
        links = {
            name: {"href": f"{self.url}/{name}", "type": "text/html"} for name in ("self", "payment", "documentation")
        }
        refund = {
            "resource": "refund",
            "id": made,
            "mode": "test",
            "description": "",
            "metadata": None,
            "_links": links,
        }
        refund |= {"paymentId": held.id, "status": self.refund_status, "createdAt": self.clock.now().isoformat()}
        return _answer(refund | {"amount": sent["amount"]}, 201)

    def _hold(self, account: str, sent: Any) -> Held:
        assert sent["amount"]["value"].count(".") == 1 and len(sent["amount"]["value"].split(".")[1]) == 2
        held = Held(
            id=f"tr_{len(self.held) + 1:010d}",
            account=account,
            amount=int(sent["amount"]["value"].replace(".", "")),
            currency=sent["amount"]["currency"],
            return_url=sent["redirectUrl"],
            webhook_url=sent["webhookUrl"],
            method=sent.get("method"),
            made_at=self.clock.now(),
            sent=sent,
        )
        self.held[held.id] = held
        return held

    def shown(self, held: Held) -> dict[str, Any]:
        def money(minor: int) -> dict[str, str]:
            return {"currency": held.currency, "value": f"{minor // 100}.{minor % 100:02d}"}

        def link(path: str) -> dict[str, str]:
            return {"href": f"{self.url}{path}", "type": "text/html"}

        decided = held.decided_at.isoformat() if held.decided_at else None
        links = {"self": link(f"/v2/payments/{held.id}"), "dashboard": link("/dashboard")}
        shown: dict[str, Any] = {
            "resource": "payment",
            "id": held.id,
            "mode": "test",
            "createdAt": held.made_at.isoformat(),
            "amount": money(held.amount),
            "description": held.sent["description"],
            "method": held.method,
            "metadata": held.sent.get("metadata"),
            "status": held.state,
            "isCancelable": held.state == "open" and self.cancelable,
            "sequenceType": "oneoff",
            "profileId": "pfl_QkEhN94Ba",
            "redirectUrl": held.return_url,
            "webhookUrl": held.webhook_url,
        }
        if held.state == "open":
            links["checkout"] = link(f"/checkout/{held.id}")
        if held.state == "paid":
            shown |= {"paidAt": decided, "amountRefunded": money(held.refunded)}
            shown["amountRemaining"] = money(held.amount - held.refunded)
        if held.charged_back:
            shown["amountChargedBack"] = money(held.charged_back)
        return shown | {"_links": links}

    def notice(self, held: Held) -> tuple[bytes, Mapping[str, str]]:
        return urlencode({"id": held.id}).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


def problem(status: int, title: str) -> dict[str, Any]:
    documentation = {"href": "https://docs.mollie.com/reference/handling-errors", "type": "text/html"}
    return {"status": status, "title": title, "detail": title, "_links": {"documentation": documentation}}


def _answer(body: object, status: int) -> web.Response:
    return web.json_response(body, status=status, content_type=_HAL)
