"""What is Mollie's alone; the rest is the contract."""

from dataclasses import replace

import pytest

from core.lifecycle import PaymentStatus
from core.message import Locale
from core.money import Money
from tests.clock import FakeClock
from tests.payments.benches import mollie


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("open", PaymentStatus.OPEN),
        ("pending", PaymentStatus.PENDING),
        ("authorized", PaymentStatus.PENDING),
        ("paid", PaymentStatus.PAID),
        ("canceled", PaymentStatus.CANCELLED),
        ("expired", PaymentStatus.EXPIRED),
        ("failed", PaymentStatus.FAILED),
        ("something new", PaymentStatus.OPEN),
    ],
)
async def test_statuses(clock: FakeClock, theirs: str, ours: PaymentStatus) -> None:
    async with mollie(None, clock) as bench:
        assert bench.bank
        created = await bench.provider.create(bench.order, key="k1")
        bench.bank.held[created.external_id].state = theirs
        assert (await bench.provider.fetch("bloem", created.external_id)).status is ours


@pytest.mark.parametrize(
    ("locale", "method", "minor", "sent"),
    [
        pytest.param("nl", "ideal", 1250, ("nl_NL", "ideal", "12.50"), id="ideal"),
        pytest.param("fr", "wero", 100000, ("fr_FR", "wero", "1000.00"), id="wero"),
        pytest.param("de", "bancontact", 1, ("de_DE", "bancontact", "0.01"), id="a cent"),
        pytest.param("en", "klarna", 1200, ("en_GB", "klarna", "12.00"), id="whole euros"),
    ],
)
async def test_what_is_asked(
    clock: FakeClock, locale: str, method: str, minor: int, sent: tuple[str, str | None, str]
) -> None:
    async with mollie(None, clock) as bench:
        assert bench.bank
        order = replace(bench.order, locale=Locale(locale), method=method, amount=Money(minor))
        held = bench.bank.held[(await bench.provider.create(order, key="k1")).external_id]
        assert (held.sent["locale"], held.sent.get("method"), held.sent["amount"]["value"]) == sent
        assert held.sent["webhookUrl"] == order.webhook_url


async def test_a_chargeback(clock: FakeClock) -> None:
    async with mollie(None, clock) as bench:
        assert bench.bank
        created = await bench.provider.create(bench.order, key="k1")
        async with bench.pay(created.checkout_url, "succeed"):
            pass
        bench.bank.held[created.external_id].charged_back = 1250
        state = await bench.provider.fetch("bloem", created.external_id)
        assert (state.status, state.refunded, state.charged_back) == (PaymentStatus.PAID, Money(0), Money(1250))
