"""Mollie: the Payments API v2, by its own SDK (https://docs.mollie.com)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from urllib.parse import parse_qs
from uuid import UUID

import httpx
from mollie import ClientSDK
from mollie.models import (
    Amount,
    ClientError,
    Locale2,
    MethodEnum,
    NoResponseError,
    PaymentRequest,
    PaymentResponse,
    RefundRequest,
    ResponseValidationError,
    Security,
)
from mollie.payments_sdk import PaymentsSDK  # now, as the first payer should not wait for the import
from mollie.refunds_sdk import RefundsSDK
from mollie.utils import BackoffStrategy, RetryConfig

from core.errors import BadInput, NotFound, PaymentFailed
from core.lifecycle import PaymentStatus, RefundState
from core.message import Webhook
from core.money import Money
from core.payment import PaymentEvent, PaymentOrder, PaymentState, ProviderPayment, ProviderRefund
from payments.keys import AccountKeys, keys_of

KEYS = ("api_key",)

# https://docs.mollie.com/docs/handling-payment-status; what is authorised is not yet ours.
_STATUS = {
    "open": PaymentStatus.OPEN,
    "pending": PaymentStatus.PENDING,
    "authorized": PaymentStatus.PENDING,
    "paid": PaymentStatus.PAID,
    "canceled": PaymentStatus.CANCELLED,
    "expired": PaymentStatus.EXPIRED,
    "failed": PaymentStatus.FAILED,
}
# https://docs.mollie.com/reference/get-refund: queued, pending, processing and refunded are on their way or there.
_REFUSED = {"failed", "canceled"}
_LOCALES = {"nl": Locale2.NL_NL, "en": Locale2.EN_GB, "fr": Locale2.FR_FR, "de": Locale2.DE_DE}
METHODS = frozenset(method.value for method in MethodEnum)
# Every request carries an idempotency key, so that a retry does nothing twice: the payer waits, so not for long.
_RETRIES = RetryConfig("backoff", BackoffStrategy(200, 1000, 2, 3000), retry_connection_errors=True)
_DESCRIPTION = 255


class _Amount(Protocol):
    currency: str
    value: str


class Mollie:
    """`timeout`: seconds, for a request and its retries together."""

    name = "mollie"

    def __init__(self, keys: AccountKeys, *, api_url: str, timeout: float = 15) -> None:
        self._keys = keys
        self._http = httpx.AsyncClient()
        self._idle = httpx.Client()  # the SDK would make one for each account; its synchronous half is never called
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._sdks: dict[str, ClientSDK] = {}

    async def create(self, order: PaymentOrder, *, key: str) -> ProviderPayment:
        if order.method not in METHODS:  # without one, Mollie's own page offers whatever the account has
            raise PaymentFailed("unknown_method", retryable=False)
        request = PaymentRequest(
            description=order.description[:_DESCRIPTION],
            amount=_amount(order.amount),
            redirect_url=order.return_url,
            webhook_url=order.webhook_url,
            method=MethodEnum(order.method),
            locale=_LOCALES.get(order.locale, Locale2.EN_GB),
            metadata={"account": order.account, "reference": order.reference},
        )
        payment = await self._ask(
            order.account,
            lambda sdk: _payments(sdk).create_async(payment_request=request, idempotency_key=_uuid(key)),
        )
        if payment.links.checkout is None:
            raise PaymentFailed("no_checkout", retryable=False)
        return ProviderPayment(payment.id, payment.links.checkout.href)

    def verify(self, webhook: Webhook) -> None:
        """Nothing to verify: a notice proves nothing, and the payment is always fetched."""

    def parse(self, webhook: Webhook) -> Sequence[PaymentEvent]:
        """`id=tr_d0b0E3EA3v` (https://docs.mollie.com/overview/webhooks)."""
        try:
            named = parse_qs(webhook.body.decode("ascii"), strict_parsing=True).get("id", [])
        except ValueError:
            raise BadInput("a notice of Mollie is a form") from None
        if len(named) != 1:
            raise BadInput("a notice of Mollie names one payment: id=tr_…")
        return [PaymentEvent(named[0])]

    async def fetch(self, account: str, external_id: str) -> PaymentState:
        payment = await self._payment(account, external_id)
        amount = _money(payment.amount)
        nothing = Money(0, amount.currency)
        return PaymentState(
            external_id=payment.id,
            status=_STATUS.get(payment.status, PaymentStatus.OPEN),
            amount=amount,
            method=payment.method or None,
            paid_at=datetime.fromisoformat(payment.paid_at) if payment.paid_at else None,
            refunded=_money(payment.amount_refunded) if payment.amount_refunded else nothing,
            charged_back=_money(payment.amount_charged_back) if payment.amount_charged_back else nothing,
        )

    async def cancel(self, account: str, external_id: str) -> None:
        """Most methods can be cancelled while nobody has been to the bank: `isCancelable` says so."""
        payment = await self._payment(account, external_id)
        if payment.is_cancelable:
            await self._ask(account, lambda sdk: _payments(sdk).cancel_async(payment_id=external_id))

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        """A payment's `amountRefunded` counts a refund from the moment that it was taken."""
        request = RefundRequest(amount=_amount(amount))
        refund = await self._ask(
            account,
            lambda sdk: _refunds(sdk).create_async(
                payment_id=external_id, refund_request=request, idempotency_key=_uuid(key)
            ),
        )
        refused = refund.status in _REFUSED
        return ProviderRefund(refund.id, RefundState.REFUSED if refused else RefundState.TAKEN)

    async def close(self) -> None:
        self._idle.close()
        await self._http.aclose()

    async def _payment(self, account: str, external_id: str) -> PaymentResponse:
        return await self._ask(account, lambda sdk: _payments(sdk).get_async(payment_id=external_id))

    async def _ask[Answer](self, account: str, question: Callable[[ClientSDK], Awaitable[Answer]]) -> Answer:
        (key,) = keys_of(self._keys, account, KEYS)
        if key not in self._sdks:
            self._sdks[key] = ClientSDK(
                security=Security(api_key=key),
                server_url=self._api_url,
                client=self._idle,
                async_client=self._http,
                retry_config=_RETRIES,
                timeout_ms=int(self._timeout * 1000),
            )
        try:
            async with asyncio.timeout(self._timeout):
                return await question(self._sdks[key])
        except ResponseValidationError:
            raise PaymentFailed("unreadable", retryable=False) from None
        except ClientError as error:
            if error.status_code in (404, 410):
                raise NotFound("Mollie has no such payment") from None
            retryable = error.status_code >= 500 or error.status_code in (409, 429)
            raise PaymentFailed(str(error.status_code), retryable=retryable) from None
        except (TimeoutError, httpx.HTTPError, NoResponseError) as error:
            raise PaymentFailed(type(error).__name__, retryable=True) from None


def _uuid(key: str) -> str:
    """Mollie wants keys to be version 4 UUIDs; ours say what they are for."""
    return str(UUID(bytes=sha256(key.encode()).digest()[:16], version=4))


def _payments(sdk: ClientSDK) -> PaymentsSDK:
    return sdk.payments


def _refunds(sdk: ClientSDK) -> RefundsSDK:
    return sdk.refunds


def _amount(money: Money) -> Amount:
    return Amount(currency=money.currency, value=f"{money.decimal:f}")


def _money(amount: _Amount) -> Money:
    return Money.parse(amount.value, amount.currency)
