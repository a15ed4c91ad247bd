"""The way of the money with each real provider: started, paid, told, fetched, booked once, and perhaps returned."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

from billing import pay_page, webhooks
from billing.links import Link, Standing
from billing.payments import PaidPayment, Payments
from billing.refunds import Refunds
from core.agent import Agent, Role
from core.errors import PaymentFailed
from core.ids import AgentId, CreditorKey, DebtorId, InvoiceId
from core.lifecycle import LinkState, PaymentStatus, RefundState
from core.message import Locale
from core.money import Money
from core.payment import PaymentProvider
from payments.buckaroo import Buckaroo
from payments.mollie import Mollie
from payments.stripe import Stripe
from store.events import PAYMENT_BOOKED, PAYMENT_FAILED, PAYMENT_RETURNED
from store.tables.money import payment
from store.tables.talk import event
from tests.billing.house import BLOEM, House, Keys
from tests.fakes.bank import FakeBank, Held
from tests.fakes.buckaroo import FakeBuckaroo
from tests.fakes.mollie import FakeMollie
from tests.fakes.stripe import FakeStripe

pytestmark = pytest.mark.slow

NL = Locale("nl")
FAKES = {"mollie": FakeMollie, "stripe": FakeStripe, "buckaroo": FakeBuckaroo}


@dataclass
class Shop:
    house: House
    url: str
    http: aiohttp.ClientSession
    payments: Payments
    bank: FakeBank
    name: str
    debtor: DebtorId
    invoices: list[InvoiceId]
    link: Link

    async def choose(self, checkout: str, outcome: str) -> None:
        async with self.http.post(checkout, data={"outcome": outcome}, allow_redirects=False) as response:
            assert response.status == 303

    async def paid(self) -> Held:
        await self.choose(await self.payments.start(self.link, "ideal", NL), "succeed")
        return self.held()

    def held(self) -> Held:
        return list(self.bank.held.values())[-1]

    async def open(self) -> list[int]:
        return [await self.house.open(key) for key in self.invoices]

    async def standing(self) -> Standing:
        fresh = await self.house.links.by_id(self.link.id)
        assert fresh
        return (await self.payments.outlook(fresh)).standing


@pytest.fixture(params=FAKES)
async def shop(request: pytest.FixtureRequest, house: House) -> AsyncIterator[Shop]:
    """Bloem with one provider; invoices of 10 and 25 euros, and a link over both."""
    name = request.param
    config = {"provider": name, "methods": ["ideal", "creditcard", "banktransfer"]}
    creditor = BLOEM.model_copy(update={"payments": BLOEM.payments.model_copy(update=config)})
    async with AsyncExitStack() as stack:
        bank = await stack.enter_async_context(FAKES[name](house.clock))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        provider: PaymentProvider
        if name == "mollie":
            provider = Mollie(bank.keys, api_url=bank.url, timeout=2)
            stack.push_async_callback(provider.close)
        elif name == "stripe":
            provider = Stripe(bank.keys, http, api_url=bank.url, timeout=2, retries=0)
        else:
            provider = Buckaroo(bank.keys, house.clock, http, api_url=bank.url, timeout=2)
        await house.change(creditor)
        door = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        bank.endpoint = f"{url}/webhooks/{name}/bloem"
        payments = Payments(house.database, house.clock, {name: provider}, url)
        app = web.Application()
        app.add_routes(pay_page.routes(house.database, house.links, payments, Keys(), public_url=url))
        app.add_routes(
            webhooks.routes(house.database, payments, {name: provider}, public_url=url, refused=house.refused.append)
        )
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, door).start()
        who = await house.debtor("K1")
        invoices = [await house.invoice(who, f"F{n}", minor) for n, minor in enumerate([1000, 2500], start=1)]
        link = await house.link(who, invoices)
        yield Shop(house, url, http, payments, bank, name, who, invoices, link)


async def test_a_payment_is_told_and_booked_once(shop: Shop) -> None:
    held = await shop.paid()
    assert (held.amount, held.return_url) == (3500, f"{shop.url}/p/{shop.link.token}/return?lang=nl")
    assert [await shop.bank.tell(held) for _ in range(3)] == [200, 200, 200]
    await asyncio.gather(*(shop.payments.poll_open() for _ in range(3)), *(shop.bank.tell(held) for _ in range(3)))
    assert await shop.open() == [0, 0]
    assert await shop.house.events() == [PAYMENT_BOOKED]
    assert await shop.house.accounts() == {"receivable": 0, "revenue": -3500, "bank": 3500}
    paid_at = held.decided_at
    assert paid_at and await shop.payments.recent_of(shop.debtor) == [PaidPayment(Money(3500), paid_at, ["F1", "F2"])]


async def test_everyone_goes_to_one_checkout(shop: Shop) -> None:
    checkouts = await asyncio.gather(*(shop.payments.start(shop.link, "ideal", NL) for _ in range(4)))
    assert len(set(checkouts)) == 1
    await shop.choose(checkouts[0], "succeed")
    assert await shop.open() == [0, 0]


async def test_a_lost_answer_is_asked_for_again(shop: Shop) -> None:
    for _ in range(10):
        shop.bank.drop()
    with pytest.raises(PaymentFailed):
        await shop.payments.start(shop.link, "ideal", NL)
    shop.bank.trouble.clear()
    await shop.choose(await shop.payments.start(shop.link, "ideal", Locale("fr")), "succeed")
    assert await shop.open() == [0, 0]


async def test_news_out_of_order(shop: Shop) -> None:
    """A notice says only that there is news: an old one after the new one finds the same truth."""
    checkout = await shop.payments.start(shop.link, "ideal", NL)
    held = shop.held()
    old = shop.bank.notice(held)
    await shop.choose(checkout, "delay")
    assert await shop.standing() is Standing.PENDING
    await shop.choose(checkout, "succeed")
    held.refunded = 500
    late = shop.bank.notice(held)
    for body, headers in (late, old, late):
        async with shop.http.post(held.webhook_url, data=body, headers=headers) as response:
            assert response.status == 200
    assert sum(await shop.open()) == 500
    assert await shop.house.events() == [PAYMENT_BOOKED, PAYMENT_RETURNED]


@pytest.mark.parametrize(
    ("outcome", "events", "state"),
    [
        pytest.param("fail", [PAYMENT_FAILED], LinkState.FAILED, id="failed"),
        pytest.param("cancel", [PAYMENT_FAILED], LinkState.FAILED, id="cancelled"),
        pytest.param("delay", [], LinkState.STARTED, id="under way"),
    ],
)
async def test_other_outcomes(shop: Shop, outcome: str, events: list[str], state: LinkState) -> None:
    await shop.choose(await shop.payments.start(shop.link, "ideal", NL), outcome)
    if shop.name == "stripe" and outcome == "cancel":
        events = []  # a session that expires is no news
    assert await shop.house.events() == events
    found = await shop.house.links.by_id(shop.link.id)
    assert found and found.state is state
    await shop.choose(f"{shop.bank.url}/checkout/{shop.held().id}", "succeed")  # late, all the same
    assert await shop.open() == [0, 0]


async def test_another_creditors_notice(shop: Shop) -> None:
    held = await shop.paid()
    body, headers = shop.bank.notice(held)
    async with shop.http.post(f"{shop.url}/webhooks/{shop.name}/velo", data=body, headers=headers) as response:
        assert response.status == (200 if shop.name == "mollie" else 403)
    assert await shop.house.events() == [PAYMENT_BOOKED]


async def test_a_forged_notice_changes_nothing(shop: Shop) -> None:
    await shop.payments.start(shop.link, "ideal", NL)
    held = shop.held()
    held.state = "paid"
    held.decided_at = shop.house.clock.now()
    body, headers = shop.bank.notice(held)
    held.state, held.decided_at = "open", None
    headers = {key: value for key, value in headers.items() if key not in ("Authorization", "Stripe-Signature")}
    async with shop.http.post(held.webhook_url, data=body, headers=headers) as response:
        assert response.status == (200 if shop.name == "mollie" else 403)
    assert (sum(await shop.open()), await shop.house.events()) == (3500, [])
    assert shop.house.refused == ([] if shop.name == "mollie" else [shop.name])


async def test_a_provider_that_cannot_be_asked(shop: Shop) -> None:
    """The webhook asks to be called again; the payer who comes back sees a page."""
    await shop.payments.start(shop.link, "ideal", NL)
    held = shop.held()
    held.state, held.decided_at = "paid", shop.house.clock.now()
    for _ in range(30):
        shop.bank.refuse(503, "down")
    assert await shop.bank.tell(held) == 503
    async with shop.http.get(held.return_url) as response:
        assert (response.status, "[nl:pay.unsure]" in await response.text()) == (200, True)
    shop.bank.trouble.clear()
    assert await shop.bank.tell(held) == 200
    assert await shop.open() == [0, 0]


async def test_refunds_open_the_invoices_again_once(shop: Shop) -> None:
    held = await shop.paid()
    held.refunded = 700
    await asyncio.gather(*(shop.bank.tell(held) for _ in range(3)))
    assert await shop.open() == [0, 700]
    held.refunded = 3500
    await shop.bank.tell(held)
    assert await shop.open() == [1000, 2500]
    assert await shop.house.accounts() == {"receivable": 3500, "revenue": -3500, "bank": 0}
    assert await shop.house.events() == [PAYMENT_BOOKED, PAYMENT_RETURNED, PAYMENT_RETURNED]
    assert await shop.payments.recent_of(shop.debtor) == []
    async with shop.house.database.read() as tx:
        told = list(await tx.scalars(select(event.c.payload).where(event.c.name == PAYMENT_RETURNED)))
    assert [(each["kind"], each["minor"]) for each in told] == [("refund", 700), ("refund", 2800)]


async def test_what_came_back_may_be_paid_again_on_the_same_link(shop: Shop) -> None:
    held = await shop.paid()
    assert await shop.standing() is Standing.PAID
    held.refunded = 2500
    await shop.bank.tell(held)
    assert await shop.standing() is Standing.PAYABLE
    again = await shop.paid()
    assert (again.id != held.id, again.amount) == (True, 2500)
    assert await shop.open() == [0, 0]


@pytest.mark.parametrize("shop", ["mollie", "stripe"], indirect=True)
async def test_a_chargeback_that_is_undone(shop: Shop) -> None:
    held = await shop.paid()

    async def dispute(minor: int, status: str) -> None:
        held.charged_back = minor
        if isinstance(shop.bank, FakeStripe):
            held.charged_back = 3500
            shop.bank.disputes[held.id] = status
        await shop.bank.tell(held)

    await dispute(3500, "needs_response")
    assert await shop.open() == [1000, 2500]
    await dispute(0, "won")
    assert await shop.open() == [0, 0]
    await dispute(3500, "lost")
    assert await shop.open() == [1000, 2500]
    assert await shop.house.accounts() == {"receivable": 3500, "revenue": -3500, "bank": 0}
    assert await shop.house.events() == [PAYMENT_BOOKED, PAYMENT_RETURNED, PAYMENT_RETURNED]


async def test_what_was_paid_too_much_goes_back_first(shop: Shop) -> None:
    checkout = await shop.payments.start(shop.link, "ideal", NL)
    await shop.house.paid_elsewhere(shop.invoices[0], 1000, "bank:1")
    await shop.choose(checkout, "succeed")
    held = shop.held()
    held.refunded = 1000
    await shop.bank.tell(held)
    assert await shop.open() == [0, 0]
    held.refunded = 1500
    await shop.bank.tell(held)
    assert await shop.open() == [0, 500]


async def test_credit_is_paid_back_from_here_once(shop: Shop) -> None:
    checkout = await shop.payments.start(shop.link, "ideal", NL)
    await shop.house.paid_elsewhere(shop.invoices[0], 1000, "bank:1")
    await shop.choose(checkout, "succeed")
    async with shop.house.database.read() as tx:
        paid = str(await tx.scalar(select(payment.c.id)))
    refunds = Refunds(shop.house.database, shop.house.clock, shop.payments._providers, shop.payments)
    lead = Agent(AgentId("noor"), CreditorKey("bloem"), "noor@bloem.example", "Noor Bakker", Role.SUPERVISOR)
    for _ in range(2):
        assert await refunds.ask(lead, shop.debtor, paid, Money(600), cause="c1") is RefundState.DONE
    assert (shop.held().refunded, await shop.open()) == (600, [0, 0])
    assert (await shop.house.accounts())["credit"] == -400
    assert await shop.house.events() == [PAYMENT_BOOKED, PAYMENT_RETURNED]


async def test_more_than_was_paid_is_nobodys_debt(shop: Shop) -> None:
    held = await shop.paid()
    held.refunded = 4000  # with the postage of what was sent back
    await shop.bank.tell(held)
    assert await shop.open() == [1000, 2500]
    assert await shop.house.accounts() == {"receivable": 3500, "revenue": -3000, "bank": -500}


async def test_an_answer_that_is_overtaken_undoes_nothing(shop: Shop) -> None:
    held = await shop.paid()
    held.refunded = 700
    shop.house.clock.advance(minutes=1)
    await shop.bank.tell(held)
    held.refunded = 0
    async with shop.house.database.begin() as tx:  # somebody who asked later has been here
        later = shop.house.clock.now().replace(hour=23)
        await tx.execute(payment.update().values(checked_at=later))
    await shop.payments.settle(shop.name, "bloem", held.id)
    assert await shop.open() == [0, 700]
    assert await shop.payments.settle(shop.name, "velo", held.id) is None


async def test_buckaroo_sends_payers_back_with_a_form(shop: Shop) -> None:
    held = await shop.paid()
    async with shop.http.post(held.return_url, data={"brq_statuscode": "190"}) as response:
        assert (response.status, "[nl:pay.paid]" in await response.text()) == (200, True)
    assert (await shop.payments.settle(shop.name, "bloem", held.id)) is PaymentStatus.PAID
