"""What the shop is told: signed, at least once, with the same id; and what follows for a blocked account."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook as Reference

from billing.imports import debtors
from billing.ledger import Account, Kind, Posting, book
from billing.shop import addresses, signature
from billing.shop.delivery import BACKOFF, ShopDelivery, session
from billing.shop.notices import ShopNotices
from billing.shop.unheard import Unheard
from core.creditor import Webhook
from core.errors import BadInput, Conflict, NotFound
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.events import ACCOUNT_RELEASED, BOOKED
from store.tables.people import debtor
from store.tables.talk import event
from store.tables.webhooks import shop_webhook
from store.wake import LocalWake
from tests.billing.house import BLOEM, VELO, House
from tests.fakes.shop import SECRET, FakeShop

EARLIER = date(2026, 11, 1)


@dataclass
class Street:
    house: House
    shop: FakeShop
    notices: ShopNotices
    delivery: ShopDelivery

    @property
    def unheard(self) -> Unheard:
        return Unheard(self.house.database, self.house.clock, LocalWake())

    async def paid(self, who: DebtorId, parts: Sequence[tuple[InvoiceId, int]], cause: str, credit: int = 0) -> None:
        """Money comes by bank; what was booked is heard of."""
        total = sum(minor for _, minor in parts) + credit
        sides = [Posting(Account.BANK, Money(total))]
        sides += [Posting(Account.RECEIVABLE, Money(-minor), who, key) for key, minor in parts]
        sides += [Posting(Account.CREDIT, Money(-credit), who)] if credit else []
        async with self.house.database.begin() as tx:
            await book(tx, CreditorKey("bloem"), Kind.PAYMENT, sides, cause=cause, at=self.house.clock.now())
        await self.hear()

    async def hear(self) -> None:
        """Every booking, twice: events come at least once."""
        async with self.house.database.read() as tx:
            found = [row.payload for row in await tx.execute(select(event).where(event.c.name == BOOKED))]
        for payload in found * 2:
            await self.notices.booked(payload)

    async def deliver(self) -> list[tuple[str, Any]]:
        """All that is due now; what the shop heard by it."""
        before = len(self.shop.heard)
        while await self.delivery.run_one():
            pass
        return [(heard.body["type"], heard.body["data"]) for heard in self.shop.heard[before:]]

    async def block(self, who: DebtorId) -> None:
        async with self.house.database.begin() as tx:
            await tx.execute(update(debtor).where(debtor.c.id == who).values(blocked_at=self.house.clock.now()))

    async def states(self) -> list[tuple[str, int, str | None]]:
        async with self.house.database.read() as tx:
            rows = await tx.execute(select(shop_webhook).order_by(shop_webhook.c.created_at, shop_webhook.c.event))
            return [(row.state, row.attempts, row.error) for row in rows]

    async def released(self) -> int:
        async with self.house.database.read() as tx:
            query = select(event.c.payload).where(event.c.name == ACCOUNT_RELEASED)
            return len((await tx.execute(query)).all())


@pytest.fixture
async def street(house: House) -> AsyncIterator[Street]:
    async with FakeShop() as shop, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http:
        hook = Webhook(url=shop.hook, secret="${BLOEM_WEBHOOK_SECRET}")
        await house.change(BLOEM.model_copy(update={"webhook": hook}))
        environment = {"BLOEM_WEBHOOK_SECRET": SECRET}
        delivery = ShopDelivery(
            house.database,
            house.clock,
            http,
            lambda creditor, value: creditor.secret(value, environment),
            public_only=False,
        )
        yield Street(house, shop, ShopNotices(house.database, house.clock, LocalWake()), delivery)


def test_the_specifications_own_example() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    made = signature.headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert made["webhook-timestamp"] == "1614265330"


def test_the_reference_library_takes_what_we_sign() -> None:
    body = json.dumps({"naam": "Coöperatie €"}, ensure_ascii=False)
    made = signature.headers(SECRET, "msg_1", datetime.now(UTC), body.encode())
    assert Reference(SECRET).verify(body, dict(made)) == {"naam": "Coöperatie €"}


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_ no base64 at all, and long enough",
        "é",
    ],
)
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(BadInput):
        signature.key_of(secret)


@pytest.mark.parametrize("length", [24, 64])
def test_secrets_of_every_length(length: int) -> None:
    assert len(signature.key_of("whsec_" + base64.b64encode(bytes(length)).decode())) == length


async def test_a_payment_and_what_it_paid(street: Street) -> None:
    who = await street.house.debtor("K1")
    first = await street.house.invoice(who, "F1", 1000, EARLIER)
    second = await street.house.invoice(who, "F2", 2550, EARLIER)
    await street.paid(who, [(first, 1000), (second, 50)], "bank:1")
    heard = await street.deliver()
    assert sorted(heard, key=lambda each: each[0]) == [
        ("invoice.paid", {"customer_number": "K1", "booked_at": "2026-11-24T09:00:00+00:00", "invoice_number": "F1"}),
        (
            "payment.booked",
            {
                "customer_number": "K1",
                "booked_at": "2026-11-24T09:00:00+00:00",
                "payment": None,
                "provider": None,
                "method": None,
                "reference": None,
                "amount": "10.50",
                "credit": "0.00",
                "currency": "EUR",
                "invoices": [
                    {"number": "F1", "paid": "10.00", "open": "0.00"},
                    {"number": "F2", "paid": "0.50", "open": "25.00"},
                ],
            },
        ),
    ]
    await street.paid(who, [(second, 2500)], "bank:2", credit=300)
    heard = await street.deliver()
    assert {name for name, _ in heard} == {"invoice.paid", "payment.booked"}
    assert [data["amount"] for name, data in heard if name == "payment.booked"] == ["28.00"]
    assert await street.deliver() == []


async def test_the_shop_of_another_creditor_hears_nothing(street: Street) -> None:
    who = await street.house.debtor("K1", VELO)
    key = await street.house.invoice(who, "F1", 1000, EARLIER)
    async with street.house.database.begin() as tx:
        sides = [Posting(Account.BANK, Money(1000)), Posting(Account.RECEIVABLE, Money(-1000), who, key)]
        await book(tx, CreditorKey("velo"), Kind.PAYMENT, sides, cause="bank:9", at=street.house.clock.now())
    await street.hear()
    assert (await street.deliver(), await street.states()) == ([], [])


@pytest.mark.parametrize(
    ("paid", "blocked", "due", "released"),
    [
        pytest.param(1000, True, EARLIER, True, id="all of it"),
        pytest.param(999, True, EARLIER, False, id="a cent is overdue"),
        pytest.param(400, True, date(2026, 11, 24), True, id="the rest is due today"),
        pytest.param(1000, False, EARLIER, False, id="it was not blocked"),
    ],
)
async def test_an_account_is_released_when_nothing_is_overdue(
    street: Street, paid: int, blocked: bool, due: date, released: bool
) -> None:
    who = await street.house.debtor("K1")
    key = await street.house.invoice(who, "F1", 1000, due)
    if blocked:
        await street.block(who)
    await street.paid(who, [(key, paid)], "bank:1")
    heard = [each for each in await street.deliver() if each[0] == "account.released"]
    assert heard == ([("account.released", {"customer_number": "K1"})] if released else [])
    assert await street.released() == released
    assert await street.notices.blocked(who) is (blocked and not released)
    assert await street.notices.release(who) is False or not released
    assert await street.deliver() == []


async def test_a_block_that_came_meanwhile_stays(street: Street) -> None:
    who = await street.house.debtor("K1")
    key = await street.house.invoice(who, "F1", 1000, EARLIER)
    await street.block(who)
    street.shop.statuses = [500] * 3
    await street.paid(who, [(key, 1000)], "bank:1")
    await street.deliver()
    street.house.clock.advance(minutes=1)
    await street.block(who)
    await street.deliver()
    assert (await street.notices.blocked(who), await street.released()) == (True, 0)
    assert await street.notices.release(who)  # asked anew, for the new block
    assert [name for name, _ in await street.deliver()] == ["account.released"]
    assert (await street.notices.blocked(who), await street.released()) == (False, 1)


async def one(street: Street) -> None:
    """One webhook that is due: an account's release, asked for."""
    who = await street.house.debtor("K1")
    await street.block(who)
    assert await street.notices.release(who) and await street.notices.release(who)


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (200, ("delivered", 1, None)),
        (202, ("delivered", 1, None)),
        (301, ("queued", 1, "301")),
        (307, ("queued", 1, "307")),
        (400, ("queued", 1, "400")),
        (404, ("queued", 1, "404")),
        (410, ("failed", 1, "410")),
        (429, ("queued", 1, "429")),
        (500, ("queued", 1, "500")),
        (503, ("queued", 1, "503")),
    ],
)
async def test_what_an_answer_means(street: Street, status: int, after: tuple[str, int, str | None]) -> None:
    await one(street)
    street.shop.statuses = [status]
    assert await street.delivery.run_one()
    assert await street.states() == [after]
    assert not await street.delivery.run_one()  # not before its time


async def test_tried_for_three_days_with_the_same_id_then_failed_for_somebody_to_see(street: Street) -> None:
    await one(street)
    street.shop.statuses = [500] * (len(BACKOFF) + 1)
    for pause in (*BACKOFF, timedelta(0)):
        assert await street.delivery.run_one()
        assert not await street.delivery.run_one()
        street.house.clock.advance(pause)
    assert await street.states() == [("failed", len(BACKOFF) + 1, "500")]
    assert len({heard.id for heard in street.shop.heard}) == 1
    assert len({json.dumps(heard.body) for heard in street.shop.heard}) == 1
    assert street.shop.heard[-1].at - street.shop.heard[0].at == sum(BACKOFF, timedelta(0))
    (failed,) = await street.unheard.of(CreditorKey("bloem"))
    assert (failed.event, failed.error) == ("account.released", "500")
    assert await street.unheard.of(CreditorKey("velo")) == []
    with pytest.raises(NotFound):
        await street.unheard.again(CreditorKey("velo"), failed.id)
    await street.unheard.again(CreditorKey("bloem"), failed.id)
    assert [name for name, _ in await street.deliver()] == ["account.released"]
    with pytest.raises(Conflict):
        await street.unheard.again(CreditorKey("bloem"), failed.id)


async def test_no_answer_a_broken_line_and_nobody_there(street: Street) -> None:
    await one(street)
    street.shop.hang()
    street.shop.drop()
    errors = []
    for _ in range(2):
        await street.delivery.run_one()
        errors += [error for _, _, error in await street.states()]
        street.house.clock.advance(minutes=5)
    assert errors == ["timeout", "ServerDisconnectedError"]
    hook = Webhook(url="http://127.0.0.1:1/hook", secret="${BLOEM_WEBHOOK_SECRET}")
    await street.house.change(BLOEM.model_copy(update={"webhook": hook}))
    street.house.clock.advance(hours=1)
    await street.delivery.run_one()
    assert await street.states() == [("queued", 3, "ClientConnectorError")]


async def test_killed_between_sending_and_writing_it_down(street: Street) -> None:
    await one(street)
    street.shop.hang()
    killed = asyncio.create_task(street.delivery.run_one())
    await street.shop.rang.wait()
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    assert not await street.delivery.run_one()  # somebody has it, as far as anybody knows
    street.house.clock.advance(minutes=2)
    assert await street.delivery.run_one()
    assert [heard.id for heard in street.shop.heard] == [street.shop.heard[0].id] * 2
    assert (await street.states(), await street.released()) == ([("delivered", 2, None)], 1)


async def test_on_start_what_somebody_had_taken_is_free(street: Street) -> None:
    await one(street)
    street.shop.hang()
    killed = asyncio.create_task(street.delivery.run_one())
    await street.shop.rang.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await street.delivery.free()
    assert await street.delivery.run_one()
    assert await street.states() == [("delivered", 2, None)]


async def test_several_senders_at_once_deliver_each_once(street: Street) -> None:
    for number in range(12):
        who = await street.house.debtor(f"K{number}")
        await street.block(who)
        await street.notices.release(who)
    while any(await asyncio.gather(*(street.delivery.run_one() for _ in range(4)))):
        pass
    assert len(street.shop.heard) == len({heard.id for heard in street.shop.heard}) == 12


@pytest.mark.parametrize(
    ("url", "secret", "error"),
    [
        pytest.param("https://127.0.0.1/hook", SECRET, "refused_address", id="loopback"),
        pytest.param("https://[::ffff:10.0.0.1]/hook", SECRET, "refused_address", id="private in IPv6"),
        pytest.param("http://shop.example/hook", SECRET, "refused_address", id="no TLS"),
        pytest.param("https://user:pass@shop.example/hook", SECRET, "refused_address", id="a password"),
        pytest.param("https://localhost/hook", SECRET, "ClientConnectorDNSError", id="a name of our own"),
        pytest.param("https://shop.example/hook", "", "no_secret", id="no secret"),
    ],
)
async def test_in_production_nothing_goes_into_our_own_network(house: House, url: str, secret: str, error: str) -> None:
    await house.change(BLOEM.model_copy(update={"webhook": Webhook(url=url, secret="${SECRET}")}))
    async with session(public_only=True) as http:
        notices = ShopNotices(house.database, house.clock, LocalWake())
        delivery = ShopDelivery(house.database, house.clock, http, lambda *_: secret or None, public_only=True)
        street = Street(house, FakeShop(), notices, delivery)
        await one(street)
        assert await delivery.run_one()
        assert await street.states() == [("queued", 1, error)]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("shop.example", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert addresses.is_public(address) is public


@pytest.mark.parametrize(
    ("cells", "blocked"),
    [
        (["yes"], True),
        (["yes", "yes"], True),
        (["yes", "no"], False),
        (["yes", ""], True),
        (["no"], False),
        ([""], False),
    ],
)
async def test_the_shop_says_who_is_blocked(house: House, cells: list[str], blocked: bool) -> None:
    moments = set()
    for cell in cells:
        content = f"customer_number,name,blocked\nK1,Fientje Fictief,{cell}\n".encode()
        assert not (await debtors.load(house.database, house.clock, BLOEM, content)).bad
        async with house.database.read() as tx:
            moments.add((await tx.execute(select(debtor.c.blocked_at))).scalar_one())
        house.clock.advance(days=1)
    async with house.database.read() as tx:
        assert ((await tx.execute(select(debtor.c.blocked_at))).scalar_one() is not None) is blocked
    if blocked:
        assert len(moments) == 1  # since when stays
