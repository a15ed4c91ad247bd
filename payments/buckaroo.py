"""Buckaroo: its JSON gateway (https://docs.buckaroo.io), with its HMAC authorisation. Its own SDK is synchronous."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import aiohttp

from core.clock import Clock
from core.errors import BadInput, BadSignature, NotFound, PaymentFailed
from core.lifecycle import PaymentStatus, RefundState
from core.message import Webhook
from core.money import Money
from core.payment import PaymentEvent, PaymentOrder, PaymentState, ProviderPayment, ProviderRefund
from payments.keys import AccountKeys, keys_of

KEYS = ("website_key", "secret_key")

# https://docs.buckaroo.io/docs/integration-status; what has failed may be paid after all.
_STATUS = {
    "190": PaymentStatus.PAID,
    "490": PaymentStatus.FAILED,
    "491": PaymentStatus.FAILED,  # not valid
    "492": PaymentStatus.FAILED,  # technical failure
    "690": PaymentStatus.FAILED,  # declined
    "790": PaymentStatus.OPEN,  # waits for input
    "791": PaymentStatus.PENDING,  # but see _ACTION
    "792": PaymentStatus.OPEN,  # waits for the payer
    "793": PaymentStatus.PENDING,  # on hold
    "890": PaymentStatus.CANCELLED,  # by the payer
    "891": PaymentStatus.CANCELLED,  # by the creditor
}
# What has just been made is "791, an additional action is required": the payer has not been to the bank yet.
_ACTION = "S002"
# Our methods by Buckaroo's names of services; one that is not here has the same name.
_SERVICES = {"bancontact": "bancontactmrcash", "wero": "Wero"}
_CARD = "creditcard"
# A card's brand is a service of its own: the payer chooses at Buckaroo.
_CARDS = ("visa", "mastercard", "maestro", "vpay", "cartebancaire")
_ZONE = ZoneInfo("Europe/Amsterdam")  # times come without a zone


class Buckaroo:
    """`timeout`: seconds for a request. Nothing is tried twice here: the gateway knows no idempotency key."""

    name = "buckaroo"

    def __init__(
        self, keys: AccountKeys, clock: Clock, http: aiohttp.ClientSession, *, api_url: str, timeout: float = 15
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._http = http
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout

    async def create(self, order: PaymentOrder, *, key: str) -> ProviderPayment:
        request: dict[str, Any] = {
            "Currency": order.amount.currency,
            "AmountDebit": float(order.amount.decimal),  # JSON has no other number; cents survive up to 2^53
            "Invoice": order.reference,
            "Description": order.description,
            "ReturnURL": order.return_url,
            "ReturnURLCancel": order.return_url,
            "ReturnURLError": order.return_url,
            "ReturnURLReject": order.return_url,
            "PushURL": order.webhook_url,
            "PushURLFailure": order.webhook_url,
            "ContinueOnIncomplete": "1",  # what is missing is asked on Buckaroo's page
        }
        if order.method == _CARD:
            request["ServicesSelectableByClient"] = ",".join(_CARDS)
        else:
            name = _SERVICES.get(order.method, order.method)
            request["Services"] = {"ServiceList": [{"Name": name, "Action": "Pay"}]}
        answer = await self._ask("POST", order.account, "Transaction", request)
        redirect = (answer.get("RequiredAction") or {}).get("RedirectURL")
        if not redirect or not answer.get("Key"):
            raise PaymentFailed(_code(answer), retryable=False)
        return ProviderPayment(answer["Key"], redirect)

    def verify(self, webhook: Webhook) -> None:
        """`Authorization: hmac website:signature:nonce:time`, over our own address and the body.

        Its time is not judged: a push is repeated for three days, and says nothing that is not fetched.
        """
        scheme, _, value = webhook.headers.get("authorization", "").partition(" ")
        parts = value.strip().split(":")
        try:
            website, secret = keys_of(self._keys, webhook.account, KEYS)
        except PaymentFailed:
            raise BadSignature("this account has no keys of Buckaroo") from None
        if scheme.lower() != "hmac" or len(parts) != 4 or parts[0] != website:
            raise BadSignature("Buckaroo has not signed this")
        expected = signature(website, secret, "POST", webhook.url, parts[3], parts[2], webhook.body)
        if not hmac.compare_digest(expected.encode(), parts[1].encode()):
            raise BadSignature("Buckaroo has not signed this")

    def parse(self, webhook: Webhook) -> Sequence[PaymentEvent]:
        """`{"Transaction": {"Key": …}}`; a refund names the payment among its related transactions."""
        try:
            push = json.loads(webhook.body)
            if "DataRequest" in push:  # of services that are not payments
                return []
            transaction = push["Transaction"]
            related = [each["RelatedTransactionKey"] for each in transaction.get("RelatedTransactions") or []]
            keys = [transaction["Key"], *related]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BadInput("a push of Buckaroo is JSON with a transaction") from None
        if not all(isinstance(key, str) and key for key in keys):
            raise BadInput("a push of Buckaroo names a transaction by its key")
        return [PaymentEvent(key) for key in dict.fromkeys(keys)]

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        """By the service that it was paid with, in a transaction of its own. There are no keys: twice is two."""
        paid = await self._transaction(account, external_id)
        if _status(paid) is not PaymentStatus.PAID:
            raise PaymentFailed("not_paid", retryable=False)
        request = {
            "Currency": amount.currency,
            "AmountCredit": float(amount.decimal),
            "Invoice": paid.get("Invoice"),
            "OriginalTransactionKey": external_id,
            "Services": {"ServiceList": [{"Name": paid.get("ServiceCode"), "Action": "Refund"}]},
        }
        answer = await self._ask("POST", account, "Transaction", request)
        if not answer.get("Key"):
            raise PaymentFailed(_code(answer), retryable=False)
        refused = _status(answer) in (PaymentStatus.FAILED, PaymentStatus.CANCELLED)
        return ProviderRefund(answer["Key"], RefundState.REFUSED if refused else RefundState.TAKEN)

    async def fetch(self, account: str, external_id: str) -> PaymentState:
        answer = await self._transaction(account, external_id)
        try:
            return await self._state(account, answer)
        except (KeyError, TypeError, ValueError, BadInput):
            raise PaymentFailed("unreadable", retryable=False) from None

    async def _transaction(self, account: str, external_id: str) -> Any:
        answer = await self._ask("GET", account, f"Transaction/Status/{quote(external_id, safe='')}")
        if answer.get("Key") != external_id:
            raise NotFound("Buckaroo has no such payment")
        return answer

    async def _state(self, account: str, answer: Any) -> PaymentState:
        status = _status(answer)
        amount = Money.parse(str(answer["AmountDebit"]), answer["Currency"])
        state = PaymentState(
            external_id=answer["Key"],
            status=status,
            amount=amount,
            method=_method(answer.get("ServiceCode")),
        )
        if status is not PaymentStatus.PAID:
            return state
        refund = await self._ask("GET", account, f"Transaction/RefundInfo/{answer['Key']}")
        return replace(
            state,
            paid_at=_moment(answer["Status"]["DateTime"]),
            refunded=Money.parse(str(refund.get("RefundedAmount") or 0), amount.currency),
        )

    async def _ask(self, method: str, account: str, path: str, body: Any = None) -> Any:
        website, secret = keys_of(self._keys, account, KEYS)
        url = f"{self._api_url}/json/{path}"
        content = b"" if body is None else json.dumps(body).encode()
        nonce, time = secrets.token_hex(16), str(int(self._clock.now().timestamp()))
        signed = signature(website, secret, method, url, time, nonce, content)
        headers = {"Authorization": f"hmac {website}:{signed}:{nonce}:{time}"}
        if content:
            headers["Content-Type"] = "application/json"
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.request(method, url, data=content or None, headers=headers) as response,
            ):
                text = await response.text()
        except (TimeoutError, aiohttp.ClientError) as error:
            raise PaymentFailed(type(error).__name__, retryable=True) from None
        if response.status == 404:
            raise NotFound("Buckaroo has no such transaction")
        if response.status >= 400:
            raise PaymentFailed(str(response.status), retryable=response.status >= 500 or response.status == 429)
        try:
            answer = json.loads(text, parse_float=Decimal)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise PaymentFailed("unreadable", retryable=False)
        return answer


def signature(website: str, secret: str, method: str, url: str, time: str, nonce: str, content: bytes) -> str:
    """HMAC-SHA256 in base64, over website key, method, address, time, nonce and the content's MD5.

    The address is without its scheme, percent-encoded, and in lower case. Source: BuckarooSdk_DotNet,
    SignatureCalculationService; BuckarooSDK_Python, http/client.py.
    """
    address = quote(url.partition("://")[2], safe="").lower()
    # MD5 is what the gateway asks for; it is the HMAC around it that nobody can forge.
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode() if content else ""
    signed = f"{website}{method}{address}{time}{nonce}{digest}".encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _code(answer: Any, level: str = "Code") -> str:
    try:
        return str(answer["Status"][level]["Code"])
    except (KeyError, TypeError):
        return ""


def _method(service: str | None) -> str | None:
    """Our name of a service: whichever card it was, the payer chose to pay by card."""
    if service is not None and service.lower() in _CARDS:
        return _CARD
    return next((ours for ours, theirs in _SERVICES.items() if theirs == service), service)


def _status(answer: Any) -> PaymentStatus:
    code = _code(answer)
    # A code that we do not know yet is no reason to take, or to give up.
    status = _STATUS.get(code, PaymentStatus.PENDING)
    waits = answer.get("RequiredAction") or _code(answer, "SubCode") == _ACTION
    return PaymentStatus.OPEN if status is PaymentStatus.PENDING and waits else status


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=_ZONE)
