"""What every payment provider does, over real HTTP. A new provider is one more line in PROVIDERS."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from billing.sandbox_books import SandboxBooks
from core.errors import BadInput, BadSignature, NotFound
from core.lifecycle import PaymentStatus
from core.message import Locale, Webhook
from core.money import Money
from core.payment import PaymentEvent, PaymentOrder, PaymentProvider
from payments import sandbox_bank
from payments.sandbox import Sandbox
from store.database import Database
from tests.billing.house import Keys
from tests.clock import FakeClock


@dataclass
class Bench:
    """A provider at work, the webhooks that it has called, and what a payer does at its checkout."""

    provider: PaymentProvider
    order: PaymentOrder
    notices: list[Webhook]
    answer: list[int]  # how we answer the next notices; 200 after that
    pay: Callable[[str, str], AbstractAsyncContextManager[aiohttp.ClientResponse]]


@asynccontextmanager
async def sandbox(database: Database, clock: FakeClock) -> AsyncIterator[Bench]:
    notices: list[Webhook] = []
    answer: list[int] = []

    async def receive(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        notices.append(Webhook("POST", str(request.url), headers, await request.read()))
        return web.Response(status=answer.pop(0) if answer else 200)

    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with aiohttp.ClientSession() as http:
        bank = Sandbox(SandboxBooks(database), clock, http, public_url=url, secret="not-a-secret")
        app = web.Application()
        app.add_routes([*sandbox_bank.routes(bank, Keys()), web.post("/notices", receive)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, listening).start()

        @asynccontextmanager
        async def pay(checkout: str, outcome: str) -> AsyncIterator[aiohttp.ClientResponse]:
            async with http.post(checkout, data={"outcome": outcome}, allow_redirects=False) as response:
                yield response

        order = PaymentOrder(
            "bloem", Money(1250), "RF1", "Bloem RF1", f"{url}/back", f"{url}/notices", Locale("nl"), "ideal"
        )
        try:
            yield Bench(bank, order, notices, answer, pay)
        finally:
            await runner.cleanup()


PROVIDERS = {"sandbox": sandbox}


@pytest.fixture(params=PROVIDERS)
async def bench(request: pytest.FixtureRequest, database: Database, clock: FakeClock) -> AsyncIterator[Bench]:
    async with PROVIDERS[request.param](database, clock) as opened:
        yield opened


async def test_the_same_key_gives_the_same_payment(bench: Bench) -> None:
    first = await bench.provider.create(bench.order, key="k1")
    assert await bench.provider.create(bench.order, key="k1") == first
    other = await bench.provider.create(bench.order, key="k2")
    assert other.external_id != first.external_id


async def test_a_fresh_payment_is_open(bench: Bench) -> None:
    created = await bench.provider.create(bench.order, key="k1")
    state = await bench.provider.fetch("bloem", created.external_id)
    assert (state.status, state.amount, state.paid_at) == (PaymentStatus.OPEN, Money(1250), None)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("succeed", PaymentStatus.PAID),
        ("fail", PaymentStatus.FAILED),
        ("cancel", PaymentStatus.CANCELLED),
        ("delay", PaymentStatus.PENDING),
    ],
)
async def test_an_outcome_is_told_and_can_be_fetched(
    bench: Bench, clock: FakeClock, outcome: str, status: PaymentStatus
) -> None:
    created = await bench.provider.create(bench.order, key="k1")
    async with bench.pay(created.checkout_url, outcome) as response:
        assert (response.status, response.headers["Location"]) == (303, bench.order.return_url)
    (notice,) = bench.notices
    bench.provider.verify(notice)
    assert bench.provider.parse(notice) == [PaymentEvent(created.external_id)]
    state = await bench.provider.fetch("bloem", created.external_id)
    assert (state.status, state.paid_at) == (status, clock.now() if status is PaymentStatus.PAID else None)


async def test_what_is_not_signed_is_refused(bench: Bench) -> None:
    created = await bench.provider.create(bench.order, key="k1")
    async with bench.pay(created.checkout_url, "succeed"):
        (notice,) = bench.notices
    unsigned = {name: value for name, value in notice.headers.items() if "signature" not in name}
    forged = [replace(notice, headers=unsigned), replace(notice, body=notice.body + b"&x=1")]
    for webhook in forged:
        with pytest.raises(BadSignature):
            bench.provider.verify(webhook)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"id=a&id=b", b"other=1"])
async def test_an_unreadable_body(bench: Bench, body: bytes) -> None:
    with pytest.raises(BadInput):
        bench.provider.parse(Webhook("POST", "https://x.example/", {}, body))


async def test_nobody_sees_the_payments_of_others(bench: Bench) -> None:
    created = await bench.provider.create(bench.order, key="k1")
    for account, payment in [("velo", created.external_id), ("bloem", "nonsense")]:
        with pytest.raises(NotFound):
            await bench.provider.fetch(account, payment)


async def test_the_sandbox_pays_late_and_tells_until_it_is_heard(database: Database, clock: FakeClock) -> None:
    async with sandbox(database, clock) as bench:
        bank = bench.provider
        assert isinstance(bank, Sandbox)
        created = await bank.create(bench.order, key="k1")
        async with bench.pay(created.checkout_url, "delay"):
            pass
        assert await bank.run_due(clock.now()) == 0
        due = clock.advance(timedelta(seconds=5))
        bench.answer.append(500)
        assert [await bank.run_due(clock.now()) for _ in range(3)] == [0, 1, 0]
        assert len(bench.notices) == 3  # pending, lost, taken
        state = await bank.fetch("bloem", created.external_id)
        assert (state.status, state.paid_at) == (PaymentStatus.PAID, due)


async def test_the_sandbox_decides_once(bench: Bench) -> None:
    created = await bench.provider.create(bench.order, key="k1")
    for outcome in ("cancel", "succeed"):
        async with bench.pay(created.checkout_url, outcome) as response:
            assert response.status == 303
    assert (await bench.provider.fetch("bloem", created.external_id)).status is PaymentStatus.CANCELLED
