"""What the stand-ins of payment providers share: payments, a checkout where the payer decides, and notices of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

from tests.clock import FakeClock
from tests.fakes.server import Call, FakeServer

# Whose account each secret opens.
ACCOUNTS = {"bloem": "secret-of-bloem", "velo": "secret-of-velo"}


@dataclass
class Held:
    """A payment as the provider keeps it. Amounts are minor units."""

    id: str
    account: str
    amount: int
    currency: str
    return_url: str
    webhook_url: str
    method: str | None  # the one that the payer is offered; None: whatever the account has
    made_at: datetime
    sent: dict[str, Any]  # what we were asked
    state: str = "open"
    decided_at: datetime | None = None
    refunded: int = 0
    charged_back: int = 0
    more: dict[str, Any] = field(default_factory=dict)


class FakeBank(FakeServer):
    """`keys`: what each creditor's YAML would hold; `endpoint`: the webhook, where an order does not name it.

    A subclass speaks one provider's language.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.keys: dict[str, dict[str, str]] = {}
        self.endpoint = ""
        self.clock = clock
        self.held: dict[str, Held] = {}
        self.by_key: dict[str, str] = {}
        self.refunds: dict[str, int] = {}  # id → minor units

    async def answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        if request.method == "POST" and request.path.startswith("/checkout/"):
            held = self.held[request.path.removeprefix("/checkout/")]
            await self.decide(held, call["outcome"])
            raise web.HTTPSeeOther(held.return_url)
        return await self.api(request, call)

    async def api(self, request: web.Request, call: Call) -> web.StreamResponse:
        raise NotImplementedError

    async def decide(self, held: Held, outcome: str) -> None:
        """What the payer chose: succeed, fail, cancel or delay."""
        held.state = {"succeed": "paid", "fail": "failed", "cancel": "canceled", "delay": "pending"}[outcome]
        held.decided_at = self.clock.now()
        await self.tell(held)

    async def give_back(self, held: Held, minor: int, key: str | None = None) -> str | None:
        """A refund, once for a key; its id, None where the payment does not hold that much."""
        if key is not None and key in self.by_key:
            return self.by_key[key]
        if held.state != "paid" or minor > held.amount - held.refunded:
            return None
        held.refunded += minor
        made = f"re_{len(self.refunds) + 1:010d}"
        self.refunds[made] = minor
        if key is not None:
            self.by_key[key] = made
        await self.tell(held)
        return made

    async def tell(self, held: Held) -> int:
        """Call the webhook about this payment; the status of its answer."""
        body, headers = self.notice(held)
        async with (
            aiohttp.ClientSession() as http,
            http.post(held.webhook_url, data=body, headers=headers) as response,
        ):
            return response.status

    def notice(self, held: Held) -> tuple[bytes, Mapping[str, str]]:
        raise NotImplementedError
