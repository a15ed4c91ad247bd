"""Stripe: Checkout sessions, by its own SDK (https://docs.stripe.com/checkout/fulfillment)."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import aiohttp
from stripe import (
    AIOHTTPClient,
    APIConnectionError,
    InvalidRequestError,
    RateLimitError,
    SignatureVerificationError,
    StripeClient,
    StripeError,
    WebhookSignature,
)
from stripe.checkout import Session
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from core.errors import BadInput, BadSignature, NotFound, PaymentFailed
from core.lifecycle import PaymentStatus, RefundState
from core.message import Webhook
from core.money import Money
from core.payment import PaymentEvent, PaymentOrder, PaymentState, ProviderPayment, ProviderRefund
from payments.keys import AccountKeys, keys_of

KEYS = ("secret_key", "webhook_secret")

type _Name = Literal["ideal", "bancontact", "card", "paypal", "eps", "klarna"]

_TOLERANCE = 300  # seconds; a notice is signed with its time
# Our methods → Stripe's names (`SessionCreateParams.allowed_payment_method_types`).
METHODS: Mapping[str, _Name] = {
    "ideal": "ideal",
    "bancontact": "bancontact",
    "creditcard": "card",
    "paypal": "paypal",
    "eps": "eps",
    "klarna": "klarna",
}
# https://docs.stripe.com/api/disputes/object: the money is with the payer's bank. An inquiry ("warning_…") takes none.
_TAKEN = {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review", "lost"}

# https://docs.stripe.com/refunds: pending, requires_action and succeeded are on their way or there.
_REFUSED = {"failed", "canceled"}


class Stripe:
    """`timeout`: seconds for one request; `retries`: of a request that got no answer, under the same key."""

    name = "stripe"

    def __init__(
        self, keys: AccountKeys, http: aiohttp.ClientSession, *, api_url: str, timeout: float = 8, retries: int = 1
    ) -> None:
        self._keys = keys
        self._http = AIOHTTPClient(session=http, timeout=aiohttp.ClientTimeout(total=timeout))
        self._api_url = api_url.rstrip("/")
        self._retries = retries
        self._clients: dict[str, StripeClient] = {}

    async def create(self, order: PaymentOrder, *, key: str) -> ProviderPayment:
        if order.method not in METHODS:  # without one, Checkout offers whatever the account has
            raise PaymentFailed("unknown_method", retryable=False)
        params: SessionCreateParams = {
            "mode": "payment",
            "allowed_payment_method_types": [METHODS[order.method]],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": order.amount.currency.lower(),
                        "unit_amount": order.amount.minor,
                        "product_data": {"name": order.description},
                    },
                }
            ],
            "client_reference_id": order.reference,
            "payment_intent_data": {"description": order.description},
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "locale": order.locale,
        }
        session = await self._ask(
            order.account, lambda client: client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
        )
        # The SDK's objects have what the answer had, and nothing else.
        checkout, external_id = getattr(session, "url", None), getattr(session, "id", None)
        if not checkout or not external_id:
            raise PaymentFailed("no_checkout", retryable=False)
        return ProviderPayment(external_id, checkout)

    def verify(self, webhook: Webhook) -> None:
        """`Stripe-Signature: t=…,v1=…`, not older than five minutes (the SDK's `WebhookSignature`)."""
        try:
            (_, secret) = keys_of(self._keys, webhook.account, KEYS)
            header = webhook.headers.get("stripe-signature")
            WebhookSignature.verify_header(webhook.body, header, secret, _TOLERANCE)
        except (PaymentFailed, SignatureVerificationError, UnicodeDecodeError):
            raise BadSignature("Stripe has not signed this, or not lately") from None

    def parse(self, webhook: Webhook) -> Sequence[PaymentEvent]:
        """Sessions come under their id; refunds and disputes under that of the payment intent."""
        try:
            event = json.loads(webhook.body)
            kind, subject = str(event["type"]), event["data"]["object"]
            if kind.startswith("checkout.session."):
                named = subject["id"]
            elif kind.startswith(("charge.refund", "charge.dispute.")):
                named = subject["payment_intent"]
            else:
                named = None
        except (ValueError, TypeError, KeyError):
            raise BadInput("a notice of Stripe is JSON with an event") from None
        if named is not None and not isinstance(named, str):
            raise BadInput("an event of Stripe names its object by an id")
        return [PaymentEvent(named)] if named else []

    async def fetch(self, account: str, external_id: str) -> PaymentState:
        session = await self._ask(
            account,
            lambda client: client.v1.checkout.sessions.retrieve_async(
                external_id, {"expand": ["payment_intent.latest_charge"]}
            ),
        )
        try:
            return await self._state(account, session)
        except (AttributeError, TypeError):
            raise PaymentFailed("unreadable", retryable=False) from None

    async def cancel(self, account: str, external_id: str) -> None:
        await self._ask(account, lambda client: client.v1.checkout.sessions.expire_async(external_id))

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        """A charge's `amount_refunded` counts a refund from the moment that it was taken."""
        session = await self._ask(account, lambda client: client.v1.checkout.sessions.retrieve_async(external_id))
        intent = getattr(session, "payment_intent", None)
        if not isinstance(intent, str):
            raise PaymentFailed("not_paid", retryable=False)
        params: RefundCreateParams = {"payment_intent": intent, "amount": amount.minor}
        refund = await self._ask(
            account, lambda client: client.v1.refunds.create_async(params, {"idempotency_key": key})
        )
        made = getattr(refund, "id", None)
        if not made:
            raise PaymentFailed("unreadable", retryable=False)
        refused = getattr(refund, "status", None) in _REFUSED
        return ProviderRefund(made, RefundState.REFUSED if refused else RefundState.TAKEN)

    async def _state(self, account: str, session: Session) -> PaymentState:
        intent: Any = session.payment_intent
        charge: Any = intent.latest_charge if intent else None
        status = _status(session, intent)
        currency = (session.currency or "").upper()
        disputed = charge.disputed if charge else False
        return PaymentState(
            external_id=session.id,
            status=status,
            amount=Money(session.amount_total or 0, currency),
            method=_method(charge),
            paid_at=datetime.fromtimestamp(charge.created, UTC) if charge and status is PaymentStatus.PAID else None,
            refunded=Money(charge.amount_refunded, currency) if charge else None,
            charged_back=await self._taken(account, intent.id, currency) if disputed else Money(0, currency),
            alias=intent.id if intent else None,
        )

    async def _taken(self, account: str, intent: str, currency: str) -> Money:
        disputes = await self._ask(account, lambda client: client.v1.disputes.list_async({"payment_intent": intent}))
        return Money(sum(each.amount for each in disputes.data if each.status in _TAKEN), currency)

    async def _ask[Answer](self, account: str, question: Callable[[StripeClient], Awaitable[Answer]]) -> Answer:
        (key, _) = keys_of(self._keys, account, KEYS)
        if key not in self._clients:
            self._clients[key] = StripeClient(
                key,
                base_addresses={"api": self._api_url},
                max_network_retries=self._retries,
                http_client=self._http,
            )
        try:
            return await question(self._clients[key])
        except (RateLimitError, APIConnectionError) as error:
            raise PaymentFailed(error.code or type(error).__name__, retryable=True) from None
        except (TimeoutError, aiohttp.ClientError) as error:
            raise PaymentFailed(type(error).__name__, retryable=True) from None
        except InvalidRequestError as error:
            if error.code == "resource_missing":
                raise NotFound("Stripe has no such payment") from None
            raise PaymentFailed(error.code or "invalid_request", retryable=False) from None
        except StripeError as error:
            # Stripe keeps an answer under its key for a day, a 500 as well, and takes no other request under it (one in
            # another language, say): only another key can help. Except where the first request is still under way.
            code = error.code or str(error.http_status)
            raise PaymentFailed(code, retryable=error.http_status == 409) from None


def _status(session: Session, intent: Any) -> PaymentStatus:
    """`payment_status` says whether there is money; a session can be complete long before there is."""
    if session.payment_status == "paid":
        return PaymentStatus.PAID
    if session.status == "expired":
        return PaymentStatus.EXPIRED
    if session.status == "open":
        return PaymentStatus.OPEN
    ended = intent is not None and intent.status in ("requires_payment_method", "canceled")
    return PaymentStatus.FAILED if ended else PaymentStatus.PENDING


def _method(charge: Any) -> str | None:
    if charge is None or charge.payment_method_details is None:
        return None
    theirs = str(charge.payment_method_details.type)
    return next((ours for ours, name in METHODS.items() if name == theirs), theirs)
