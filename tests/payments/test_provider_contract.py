"""What every payment provider does, over real HTTP. A new provider is one more line in PROVIDERS."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import BadInput, BadSignature, NotFound, PaymentFailed
from core.lifecycle import PaymentStatus, RefundState
from core.message import Webhook
from core.money import Money
from core.payment import Cancels, PaymentEvent
from payments.sandbox import Sandbox
from store.database import Database
from tests.clock import FakeClock
from tests.fakes.buckaroo import FakeBuckaroo
from tests.fakes.mollie import FakeMollie
from tests.fakes.stripe import FakeStripe
from tests.payments.benches import IMPATIENCE, PROVIDERS, Bench, sandbox

# A notice of Mollie proves nothing: whoever forges one makes us fetch the truth.
UNSIGNED = {"mollie"}
# Without idempotency keys a second request makes a second payment, to which nobody is sent.
KEYLESS = {"buckaroo"}
REAL = sorted(PROVIDERS.keys() - {"sandbox"})


@pytest.fixture(params=PROVIDERS)
async def bench(request: pytest.FixtureRequest, database: Database, clock: FakeClock) -> AsyncIterator[Bench]:
    async with PROVIDERS[request.param](database, clock) as opened:
        yield opened


async def test_the_same_key_gives_the_same_payment(bench: Bench) -> None:
    first = await bench.provider.create(bench.order, key="k1")
    again = await bench.provider.create(bench.order, key="k1")
    assert (again == first) is (bench.provider.name not in KEYLESS)
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
    if bench.provider.name == "stripe" and outcome == "cancel":
        status = PaymentStatus.EXPIRED  # whoever leaves Checkout may come back, until it expires
    state = await bench.provider.fetch("bloem", created.external_id)
    assert (state.status, state.paid_at) == (status, clock.now() if status is PaymentStatus.PAID else None)


async def test_a_checkout_is_closed_where_nobody_has_paid(bench: Bench) -> None:
    """A capability: Buckaroo has none."""
    provider = bench.provider
    if not isinstance(provider, Cancels):
        assert provider.name == "buckaroo"
        return
    waiting, paid = [await provider.create(bench.order, key=key) for key in ("k1", "k2")]
    async with bench.pay(paid.checkout_url, "succeed"):
        pass
    await provider.cancel("bloem", waiting.external_id)
    state = await provider.fetch("bloem", waiting.external_id)
    assert state.status is (PaymentStatus.EXPIRED if provider.name == "stripe" else PaymentStatus.CANCELLED)
    with suppress(PaymentFailed):
        await provider.cancel("bloem", paid.external_id)
    assert (await provider.fetch("bloem", paid.external_id)).status is PaymentStatus.PAID
    for account, payment in (("velo", waiting.external_id), ("bloem", "nothing")):
        with pytest.raises((NotFound, PaymentFailed)):
            await provider.cancel(account, payment)


async def paid(bench: Bench, key: str = "k1") -> str:
    created = await bench.provider.create(bench.order, key=key)
    async with bench.pay(created.checkout_url, "succeed"):
        pass
    return created.external_id


async def test_a_part_is_paid_back_once(bench: Bench) -> None:
    payment = await paid(bench)

    async def refund(minor: int, key: str) -> tuple[str, Money | None]:
        made = await bench.provider.refund("bloem", payment, Money(minor), key=key)
        assert made.state is RefundState.TAKEN and made.external_id
        state = await bench.provider.fetch("bloem", payment)
        assert (state.status, state.amount) == (PaymentStatus.PAID, Money(1250))
        return made.external_id, state.refunded

    first, refunded = await refund(250, "r1")
    assert refunded == Money(250)
    bench.provider.verify(bench.notices[-1])
    named = {event.external_id for event in bench.provider.parse(bench.notices[-1])}
    assert named & {payment, (await bench.provider.fetch("bloem", payment)).alias}
    if bench.provider.name not in KEYLESS:
        assert await refund(250, "r1") == (first, Money(250))
    other, refunded = await refund(1000, "r2")
    assert (other != first, refunded) == (True, Money(1250))


async def test_no_more_is_paid_back_than_was_paid(bench: Bench) -> None:
    payment = await paid(bench)
    unpaid = await bench.provider.create(bench.order, key="k2")
    await bench.provider.refund("bloem", payment, Money(1000), key="r1")
    for which, minor in ((payment, 251), (unpaid.external_id, 100)):
        try:
            refused = await bench.provider.refund("bloem", which, Money(minor), key=f"r-{which}")
            assert refused.state is RefundState.REFUSED
        except PaymentFailed as failed:
            assert not failed.retryable
    assert (await bench.provider.fetch("bloem", payment)).refunded == Money(1000)


async def test_nobody_pays_back_the_payments_of_others(bench: Bench) -> None:
    payment = await paid(bench)
    for account, which in (("velo", payment), ("bloem", "nonsense")):
        with pytest.raises((NotFound, PaymentFailed)):
            await bench.provider.refund(account, which, Money(100), key=f"r-{account}")
    assert not (await bench.provider.fetch("bloem", payment)).refunded


async def test_what_is_not_signed_is_refused(bench: Bench) -> None:
    created = await bench.provider.create(bench.order, key="k1")
    async with bench.pay(created.checkout_url, "succeed"):
        (notice,) = bench.notices
    secret = ("signature", "authorization")
    unsigned = {name: value for name, value in notice.headers.items() if not any(part in name for part in secret)}
    nonsense = {name: "nonsense" if any(part in name for part in secret) else "" for name in notice.headers}
    forged = [
        replace(notice, headers=unsigned),
        replace(notice, headers=nonsense),
        replace(notice, body=notice.body + b"&x=1"),
        replace(notice, body=b"\xff"),
    ]
    if bench.bank is not None:  # the sandbox has one account
        forged += [replace(notice, account="velo"), replace(notice, account="nobody")]
    for webhook in forged:
        if bench.provider.name in UNSIGNED:
            bench.provider.verify(webhook)
        else:
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


async def test_the_sandbox_decides_once(database: Database, clock: FakeClock) -> None:
    async with sandbox(database, clock) as bench:
        created = await bench.provider.create(bench.order, key="k1")
        for outcome in ("cancel", "succeed"):
            async with bench.pay(created.checkout_url, outcome) as response:
                assert response.status == 303
        assert (await bench.provider.fetch("bloem", created.external_id)).status is PaymentStatus.CANCELLED


@pytest.mark.slow
class TestReal:
    """What only happens with another company's server."""

    @pytest.fixture(params=REAL)
    async def bench(self, request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[Bench]:
        async with PROVIDERS[request.param](None, clock) as opened:
            yield opened

    async def test_an_account_without_keys(self, bench: Bench) -> None:
        with pytest.raises(PaymentFailed) as caught:
            await bench.provider.create(replace(bench.order, account="nobody"), key="k1")
        assert (caught.value.code, caught.value.retryable) == ("no_keys", False)

    async def test_keys_that_are_not_right(self, bench: Bench) -> None:
        assert bench.bank
        bench.bank.keys["bloem"] = dict.fromkeys(bench.bank.keys["bloem"], "wrong")
        with pytest.raises(PaymentFailed) as caught:
            await bench.provider.create(bench.order, key="k1")
        assert not caught.value.retryable

    @pytest.mark.parametrize("asking", ["create", "fetch", "refund"])
    @pytest.mark.parametrize(
        ("status", "body", "retryable"),
        [
            pytest.param(429, {"error": {"type": "x", "message": "no"}}, True, id="too many"),
            pytest.param(422, {"error": {"type": "x", "message": "no"}}, False, id="refused"),
            pytest.param(200, "<html>", False, id="unreadable"),
            pytest.param(200, {"hello": "world"}, False, id="something else"),
        ],
    )
    async def test_an_answer_that_is_none(
        self, bench: Bench, asking: str, status: int, body: object, retryable: bool
    ) -> None:
        assert bench.bank
        created = await bench.provider.create(bench.order, key="k1")
        for _ in range(20):  # however often it is tried
            bench.bank.refuse(status, body)
        with pytest.raises((PaymentFailed, NotFound)) as caught:
            if asking == "create":
                await bench.provider.create(bench.order, key="k2")
            elif asking == "refund":
                await bench.provider.refund("bloem", created.external_id, Money(100), key="r1")
            else:
                await bench.provider.fetch("bloem", created.external_id)
        assert getattr(caught.value, "retryable", False) is retryable

    @pytest.mark.parametrize("name", REAL)
    async def test_a_server_that_never_answers(self, name: str, clock: FakeClock) -> None:
        async with PROVIDERS[name](None, clock, IMPATIENCE) as bench:
            assert bench.bank
            for _ in range(5):
                bench.bank.hang()
            with pytest.raises(PaymentFailed) as caught:
                await bench.provider.create(bench.order, key="k1")
            assert caught.value.retryable

    async def test_a_line_that_breaks_after_the_payment_was_made(self, bench: Bench) -> None:
        """A later attempt under the same key gives what was made, where the provider knows keys."""
        assert bench.bank
        for _ in range(5):
            bench.bank.drop()
        with pytest.raises(PaymentFailed) as caught:
            await bench.provider.create(bench.order, key="k1")
        assert caught.value.retryable
        bench.bank.trouble.clear()
        made = await bench.provider.create(bench.order, key="k1")
        assert (len(bench.bank.held) == 1) is (bench.provider.name not in KEYLESS)
        assert made.external_id == list(bench.bank.held)[-1]

    async def test_a_refund_that_is_refused_at_once(self, bench: Bench) -> None:
        payment = await paid(bench)
        match bench.bank:
            case FakeBuckaroo():
                bench.bank.refund_refused = True
            case FakeMollie() | FakeStripe():
                bench.bank.refund_status = "failed"
        made = await bench.provider.refund("bloem", payment, Money(100), key="r1")
        assert made.state is RefundState.REFUSED

    async def test_a_line_that_breaks_after_the_refund_was_made(self, bench: Bench) -> None:
        """The truth says so; the same key makes no second one, where the provider knows keys."""
        assert bench.bank
        payment = await paid(bench)
        if bench.provider.name in KEYLESS | {"stripe"}:  # these ask about the payment first
            bench.bank.trouble.append(bench.bank.as_ever)
        bench.bank.drop()
        try:
            await bench.provider.refund("bloem", payment, Money(100), key="r1")
        except PaymentFailed as failed:
            assert failed.retryable
        assert (await bench.provider.fetch("bloem", payment)).refunded == Money(100)

    async def test_money_that_went_back(self, bench: Bench) -> None:
        assert bench.bank
        created = await bench.provider.create(bench.order, key="k1")
        async with bench.pay(created.checkout_url, "succeed"):
            pass
        before = await bench.provider.fetch("bloem", created.external_id)
        assert not before.refunded and not before.charged_back
        held = bench.bank.held[created.external_id]
        held.refunded = 250
        await bench.bank.tell(held)
        bench.provider.verify(bench.notices[-1])
        named = {event.external_id for event in bench.provider.parse(bench.notices[-1])}
        after = await bench.provider.fetch("bloem", created.external_id)
        assert named & {created.external_id, after.alias}
        assert (after.status, after.amount, after.refunded) == (PaymentStatus.PAID, Money(1250), Money(250))

    @pytest.mark.parametrize("method", ["ideal", "bancontact", "creditcard", "paypal", "klarna"])
    async def test_every_method_can_be_asked_for(self, bench: Bench, method: str) -> None:
        created = await bench.provider.create(replace(bench.order, method=method), key="k1")
        assert created.checkout_url

    @pytest.mark.parametrize("method", ["ideal", "wero", "creditcard", "cowries"])
    async def test_the_payer_is_offered_the_chosen_method_alone(self, bench: Bench, method: str) -> None:
        try:
            created = await bench.provider.create(replace(bench.order, method=method), key="k1")
        except PaymentFailed as failed:
            assert (failed.code, failed.retryable) == ("unknown_method", False)
        else:
            assert bench.bank is None or bench.bank.held[created.external_id].method
