"""Each provider at work, beside a local server that behaves as the real one, and the webhooks that it calls."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
from aiohttp import web

from billing.sandbox_books import SandboxBooks
from core.message import Locale, Webhook
from core.money import Money
from core.payment import PaymentOrder, PaymentProvider
from payments import sandbox_bank
from payments.buckaroo import Buckaroo
from payments.mollie import Mollie
from payments.sandbox import Sandbox
from payments.stripe import Stripe
from store.database import Database
from tests.billing.house import Keys
from tests.clock import FakeClock
from tests.fakes.bank import FakeBank
from tests.fakes.buckaroo import FakeBuckaroo
from tests.fakes.mollie import FakeMollie
from tests.fakes.stripe import FakeStripe

# Seconds that our side waits: long enough for a busy machine, and short where the other side is to stay silent.
PATIENCE = 10.0
IMPATIENCE = 0.3


Working = tuple[PaymentProvider, FakeBank | None]


@dataclass
class Bench:
    """A provider, what it is asked for, what it has called, and what a payer does at its checkout."""

    provider: PaymentProvider
    order: PaymentOrder
    notices: list[Webhook]
    answer: list[int]  # how we answer the next notices; 200 after that
    pay: Callable[[str, str], AbstractAsyncContextManager[aiohttp.ClientResponse]]
    bank: FakeBank | None = None  # the stand-in, where the provider is not a bank itself


@asynccontextmanager
async def at_work(make: Callable[[str, aiohttp.ClientSession, web.Application], Working]) -> AsyncIterator[Bench]:
    """Our side listens for notices at an address that `make` is told, before it listens."""
    notices: list[Webhook] = []
    answer: list[int] = []

    async def receive(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        notices.append(Webhook("POST", str(request.url), headers, await request.read(), account="bloem"))
        return web.Response(status=answer.pop(0) if answer else 200)

    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    app = web.Application()
    app.add_routes([web.post("/notices", receive)])
    async with aiohttp.ClientSession() as http:
        provider, bank = make(url, http, app)
        if bank is not None:
            bank.endpoint = f"{url}/notices"
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, door).start()

        @asynccontextmanager
        async def pay(checkout: str, outcome: str) -> AsyncIterator[aiohttp.ClientResponse]:
            async with http.post(checkout, data={"outcome": outcome}, allow_redirects=False) as response:
                yield response

        order = PaymentOrder(
            "bloem", Money(1250), "RF1", "Bloem RF1", f"{url}/back", f"{url}/notices", Locale("nl"), "ideal"
        )
        try:
            yield Bench(provider, order, notices, answer, pay, bank)
        finally:
            await runner.cleanup()


@asynccontextmanager
async def sandbox(database: Database | None, clock: FakeClock, _: float = PATIENCE) -> AsyncIterator[Bench]:
    assert database is not None  # it keeps its books

    def make(url: str, http: aiohttp.ClientSession, app: web.Application) -> Working:
        bank = Sandbox(SandboxBooks(database), clock, http, public_url=url, secret="not-a-secret")
        app.add_routes(sandbox_bank.routes(bank, Keys()))
        return bank, None

    async with at_work(make) as bench:
        yield bench


@asynccontextmanager
async def mollie(_: Database | None, clock: FakeClock, patience: float = PATIENCE) -> AsyncIterator[Bench]:
    async with FakeMollie(clock) as bank:
        provider = Mollie(bank.keys, api_url=bank.url, timeout=patience)
        async with at_work(lambda *_: (provider, bank)) as bench:
            yield bench
        await provider.close()


@asynccontextmanager
async def stripe(_: Database | None, clock: FakeClock, patience: float = PATIENCE) -> AsyncIterator[Bench]:
    async with FakeStripe(clock) as bank:
        provided = partial(Stripe, bank.keys, api_url=bank.url, timeout=patience, retries=0)
        async with at_work(lambda _, http, __: (provided(http), bank)) as bench:
            yield bench


@asynccontextmanager
async def buckaroo(_: Database | None, clock: FakeClock, patience: float = PATIENCE) -> AsyncIterator[Bench]:
    async with FakeBuckaroo(clock) as bank:
        provided = partial(Buckaroo, bank.keys, clock, api_url=bank.url, timeout=patience)
        async with at_work(lambda _, http, __: (provided(http), bank)) as bench:
            yield bench


PROVIDERS = {"sandbox": sandbox, "mollie": mollie, "stripe": stripe, "buckaroo": buckaroo}
