"""Buckaroo's JSON gateway, as far as we use it, shaped after the answers in its SDKs' tests."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.clock import FakeClock
from tests.fakes.bank import ACCOUNTS, FakeBank, Held
from tests.fakes.server import Call

_CODES = {
    "open": (791, "Pending processing", "S002", "An additional action is required: RedirectToIdeal"),
    "pending": (791, "Pending processing", "S001", "Pending"),
    "paid": (190, "Success", "S001", "Transaction successfully processed"),
    "failed": (490, "Failed", "S990", "Failed"),
    "canceled": (890, "Cancelled By Consumer", "S991", "Cancelled"),
}


class FakeBuckaroo(FakeBank):
    """`codes`: what to answer about payments in a state; `refund_refused`: whether the next refund fails."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.keys = {
            account: {"website_key": f"website-of-{account}", "secret_key": secret}
            for account, secret in ACCOUNTS.items()
        }
        self.codes = dict(_CODES)
        self.refund_refused = False

    async def api(self, request: web.Request, call: Call) -> web.StreamResponse:
        account = self._account(request.method, str(request.url), request.headers, await request.read())
        if account is None:
            return web.Response(status=401)
        path = request.path.removeprefix("/json/Transaction")
        if (request.method, path) == ("POST", "") and isinstance(call.json, dict) and "AmountCredit" in call.json:
            return await self._refund(account, call.json)
        if (request.method, path) == ("POST", ""):
            return web.json_response(self.shown(self._hold(account, call.json)))
        question, _, key = path.strip("/").partition("/")
        held = self.held.get(key)
        if held is None or held.account != account:
            return web.Response(status=404)
        if question == "RefundInfo":
            refunded = {"RefundedAmount": held.refunded / 100, "RefundCurrency": held.currency} if held.refunded else {}
            return web.json_response({"IsRefundable": True} | refunded)
        return web.json_response(self.shown(held))

    def _account(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> str | None:
        website, signed, nonce, time = headers["Authorization"].removeprefix("hmac ").split(":")
        for account in ACCOUNTS:
            if website == f"website-of-{account}" and self.sign(account, method, url, nonce, time, body) == signed:
                return account
        return None

    def sign(self, account: str, method: str, url: str, nonce: str, time: str, body: bytes) -> str:
        digest = base64.b64encode(hashlib.md5(body).digest()).decode() if body else ""
        address = quote(url.split("://")[1], safe="").lower()
        text = f"website-of-{account}{method}{address}{time}{nonce}{digest}"
        return base64.b64encode(hmac.digest(ACCOUNTS[account].encode(), text.encode(), "sha256")).decode()

    async def _refund(self, account: str, sent: Any) -> web.Response:
        held = self.held.get(sent["OriginalTransactionKey"])
        if held is None or held.account != account:
            return web.json_response({"Status": {"Code": {"Code": 491, "Description": "Validation failure"}}})
        assert sent["Services"] == {"ServiceList": [{"Name": held.method, "Action": "Refund"}]}
        assert (sent["Currency"], sent["Invoice"]) == (held.currency, held.sent["Invoice"])
        made = await self.give_back(held, round(sent["AmountCredit"] * 100))
        refund = self.shown(held) | {"Key": made or "0", "AmountDebit": None, "AmountCredit": sent["AmountCredit"]}
        if made is None or self.refund_refused:
            refund["Status"] = {"Code": {"Code": 490, "Description": "Failed"}}
        return web.json_response(refund)

    def _hold(self, account: str, sent: Any) -> Held:
        services = sent.get("Services", {}).get("ServiceList", [])
        held = Held(
            id=hashlib.md5(str(len(self.held)).encode()).hexdigest().upper(),
            account=account,
            amount=round(sent["AmountDebit"] * 100),
            currency=sent["Currency"],
            return_url=sent["ReturnURL"],
            webhook_url=sent["PushURL"],
            method=services[0]["Name"] if services else sent["ServicesSelectableByClient"].split(",")[0],
            made_at=self.clock.now(),
            sent=sent,
        )
        self.held[held.id] = held
        return held

    def shown(self, held: Held) -> dict[str, Any]:
        code, description, sub, what = self.codes[held.state]
        at = (held.decided_at or held.made_at).astimezone(ZoneInfo("Europe/Amsterdam")).replace(tzinfo=None)
        redirect = {"RedirectURL": f"{self.url}/checkout/{held.id}", "Name": "Redirect", "TypeDeprecated": 0}
        return {
            "Key": held.id,
            "Status": {
                "Code": {"Code": code, "Description": description},
                "SubCode": {"Code": sub, "Description": what},
                "DateTime": at.isoformat(),
            },
            "RequiredAction": redirect if held.state == "open" else None,
            "Services": [{"Name": held.method, "Action": None, "Parameters": []}],
            "CustomParameters": None,
            "RequestErrors": None,
            "Invoice": held.sent["Invoice"],
            "ServiceCode": held.method,
            "IsTest": True,
            "Currency": held.currency,
            "AmountDebit": held.amount / 100,
            "TransactionType": "C021",
            "MutationType": 1,
            "RelatedTransactions": None,
            "PaymentKey": "644545E2409D4223AC09E880AD000000",
        }

    def notice(self, held: Held) -> tuple[bytes, Mapping[str, str]]:
        transaction = self.shown(held)
        if held.refunded:  # a push of the refund, which is a transaction of its own
            related = [{"RelationType": "refund", "RelatedTransactionKey": held.id}]
            transaction |= {"Key": "F996EE747ECD43CDA8851C5F83000000", "RelatedTransactions": related}
            transaction |= {"AmountDebit": None, "AmountCredit": held.refunded / 100}
        body = json.dumps({"Transaction": transaction}).encode()
        time = str(int(self.clock.now().timestamp()))
        signed = self.sign(held.account, "POST", held.webhook_url, "n0nce", time, body)
        return body, {
            "Content-Type": "application/json",
            "Authorization": f"hmac website-of-{held.account}:{signed}:n0nce:{time}",
        }
