"""The sandbox bank: a provider that takes no money, for trying everything out. Refused in production (by app)."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qs, urlencode

import aiohttp
import structlog

from core.clock import Clock
from core.errors import BadInput, BadSignature, NotFound, PaymentFailed
from core.lifecycle import PaymentStatus, RefundState
from core.message import Webhook
from core.money import Money
from core.payment import PaymentEvent, PaymentOrder, PaymentState, ProviderPayment, ProviderRefund

log = structlog.get_logger(__name__)

SIGNATURE = "x-effen-signature"
# How long a "delayed" payment is under way.
DELAY = timedelta(seconds=5)
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment in the bank's books. `settles_at`: when it was, or will be, paid."""

    id: str
    order: PaymentOrder
    status: PaymentStatus
    settles_at: datetime | None
    refunded: Money  # so far


class Books(Protocol):
    """Where the bank keeps its payments, so that they outlive a restart."""

    async def open(self, order: PaymentOrder, *, key: str, at: datetime) -> str:
        """The payment's id; the same `key` gives the same payment."""
        ...

    async def find(self, key: str) -> Entry | None:
        """The payment with this id."""
        ...

    async def move(self, key: str, status: PaymentStatus, settles_at: datetime | None) -> bool:
        """Change the status where the lifecycle allows it; False where it does not."""
        ...

    async def give_back(self, key: str, amount: Money, *, once: str) -> str | None:
        """A refund of this payment, once for the same `once`; its id, None where it does not hold that much."""
        ...

    async def due(self, now: datetime) -> Sequence[Entry]:
        """The pending payments whose time has come."""
        ...


class Sandbox:
    """The provider, and the bank behind it."""

    name = "sandbox"

    def __init__(
        self, books: Books, clock: Clock, http: aiohttp.ClientSession, *, public_url: str, secret: str
    ) -> None:
        self._books = books
        self._clock = clock
        self._http = http
        self._public_url = public_url.rstrip("/")
        self._secret = secret.encode()

    async def create(self, order: PaymentOrder, *, key: str) -> ProviderPayment:
        payment = await self._books.open(order, key=key, at=self._clock.now())
        return ProviderPayment(payment, f"{self._public_url}/sandbox/bank/{payment}")

    def verify(self, webhook: Webhook) -> None:
        if not hmac.compare_digest(self.signature(webhook.body), webhook.headers.get(SIGNATURE, "").encode()):
            raise BadSignature("the sandbox bank has not signed this")

    def parse(self, webhook: Webhook) -> Sequence[PaymentEvent]:
        try:
            named = parse_qs(webhook.body.decode("ascii"), strict_parsing=True).get("id", [])
        except ValueError:
            raise BadInput("a notice of the sandbox bank is a form") from None
        if len(named) != 1:
            raise BadInput("a notice of the sandbox bank names one payment: id=sbx_…")
        return [PaymentEvent(named[0])]

    async def fetch(self, account: str, external_id: str) -> PaymentState:
        entry = await self._books.find(external_id)
        if entry is None or entry.order.account != account:
            raise NotFound("the sandbox bank has no such payment")
        # A pending payment is paid when its time has come, whether or not anybody has been told.
        late = entry.settles_at is not None and entry.settles_at <= self._clock.now()
        status = PaymentStatus.PAID if entry.status is PaymentStatus.PENDING and late else entry.status
        paid_at = entry.settles_at if status is PaymentStatus.PAID else None
        return PaymentState(
            external_id, status, entry.order.amount, entry.order.method, paid_at, refunded=entry.refunded
        )

    async def cancel(self, account: str, external_id: str) -> None:
        await self.fetch(account, external_id)  # of this account
        await self._books.move(external_id, PaymentStatus.CANCELLED, None)

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        if (await self.fetch(account, external_id)).status is not PaymentStatus.PAID:
            raise PaymentFailed("not_paid", retryable=False)
        refund = await self._books.give_back(external_id, amount, once=key)
        entry = await self._books.find(external_id)
        if refund is None or entry is None:
            raise PaymentFailed("too_much", retryable=False)
        await self._tell(entry)
        return ProviderRefund(refund, RefundState.TAKEN)

    async def decide(self, payment: str, status: PaymentStatus) -> bool:
        """What the payer chose on the bank's page; False where that had been decided before."""
        now = self._clock.now()
        settles = {PaymentStatus.PAID: now, PaymentStatus.PENDING: now + DELAY}.get(status)
        entry = await self._books.find(payment)
        if entry is None or entry.status is not PaymentStatus.OPEN:
            return False
        if not await self._books.move(payment, status, settles):
            return False
        await self._tell(entry)
        return True

    async def run_due(self, now: datetime) -> int:
        """Tell of the delayed payments that are due by `now`, again until the notice is taken. How many were."""
        told = [entry for entry in await self._books.due(now) if await self._tell(entry)]
        return sum([await self._books.move(entry.id, PaymentStatus.PAID, entry.settles_at) for entry in told])

    async def find(self, payment: str) -> Entry | None:
        return await self._books.find(payment)

    def signature(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest().encode()

    async def _tell(self, entry: Entry) -> bool:
        """Call the webhook; whether it was taken. A lost notice does no harm: the truth is polled as well."""
        body = urlencode({"id": entry.id}).encode()
        headers: Mapping[str, str] = {
            "Content-Type": "application/x-www-form-urlencoded",
            SIGNATURE: self.signature(body).decode(),
        }
        try:
            url = entry.order.webhook_url
            async with self._http.post(url, data=body, headers=headers, timeout=_TIMEOUT) as response:
                taken = response.status < 300
        except (TimeoutError, aiohttp.ClientError):
            taken = False
        if not taken:
            log.warning("sandbox.notice_not_taken", payment=entry.id)
        return taken
