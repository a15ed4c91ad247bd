"""Payments at a provider, and the seam that a provider fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from core.lifecycle import PaymentStatus, RefundState
from core.message import Locale, Webhook
from core.money import Money


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a provider is asked to collect."""

    account: str  # the creditor's key: whose account at the provider
    amount: Money
    reference: str  # shown to the payer and on the statement
    description: str
    return_url: str
    webhook_url: str
    locale: Locale
    method: str  # the one that the payer chose: the provider offers no other


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """A payment that exists at the provider: send the payer to `checkout_url`."""

    external_id: str
    checkout_url: str


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund that exists at the provider. Whether its money has gone, only the payment's own state says."""

    external_id: str
    state: RefundState  # taken, or refused at once


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """Something happened to this payment: fetch the truth."""

    external_id: str  # or its alias


@dataclass(frozen=True, slots=True)
class PaymentState:
    """The provider's truth about one payment."""

    external_id: str
    status: PaymentStatus
    amount: Money
    method: str | None = None
    paid_at: datetime | None = None
    refunded: Money | None = None  # of `amount`, so far: given back by the creditor
    charged_back: Money | None = None  # of `amount`, so far: taken back by the payer or a bank; may become less
    alias: str | None = None  # another id under which the provider's notices name this payment


class PaymentProvider(Protocol):
    name: str

    async def create(self, order: PaymentOrder, *, key: str) -> ProviderPayment:
        """The same `key` gives the same payment, or another one that nobody has been sent to.

        Raises PaymentFailed; for a method that it does not have too: it never offers others in its place.
        """
        ...

    def verify(self, webhook: Webhook) -> None:
        """Raises BadSignature unless the webhook is the provider's (or proves nothing and is always fetched)."""
        ...

    def parse(self, webhook: Webhook) -> Sequence[PaymentEvent]:
        """Pure. Raises BadInput for an unreadable body."""
        ...

    async def fetch(self, account: str, external_id: str) -> PaymentState:
        """The truth, also for reconciliation. Raises PaymentFailed, NotFound."""
        ...

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        """Pay back a part, or all, of a paid payment to whoever paid. The same `key`: once, where there are keys.

        Raises PaymentFailed, after which it may have been taken all the same (retryable, or an answer that nobody
        could read): fetch the truth before another key. NotFound.
        """
        ...


@runtime_checkable
class Cancels(Protocol):
    """A provider whose checkouts can be closed before anybody has paid."""

    async def cancel(self, account: str, external_id: str) -> None:
        """Close it, where the provider still lets us: fetch what came of it. Raises PaymentFailed, NotFound."""
        ...
