"""What is Stripe's alone; the rest is the contract."""

import json

import pytest

from core.errors import BadInput, BadSignature
from core.message import Webhook
from core.money import Money
from core.payment import PaymentEvent
from tests.clock import FakeClock
from tests.fakes.stripe import FakeStripe
from tests.payments.benches import stripe


@pytest.mark.parametrize(("ago", "genuine"), [(0, True), (290, True), (310, False), (86_400, False)])
async def test_a_signature_is_good_for_five_minutes(clock: FakeClock, ago: int, genuine: bool) -> None:
    async with stripe(None, clock) as bench:
        assert isinstance(bench.bank, FakeStripe)
        headers = {name.lower(): value for name, value in bench.bank.signed("bloem", "{}", ago=ago).items()}
        webhook = Webhook("POST", "https://x.example/", headers, b"{}", account="bloem")
        if genuine:
            bench.provider.verify(webhook)
        else:
            with pytest.raises(BadSignature):
                bench.provider.verify(webhook)


@pytest.mark.parametrize(
    ("kind", "subject", "named"),
    [
        ("checkout.session.completed", {"id": "cs_1"}, ["cs_1"]),
        ("checkout.session.async_payment_succeeded", {"id": "cs_1"}, ["cs_1"]),
        ("checkout.session.async_payment_failed", {"id": "cs_1"}, ["cs_1"]),
        ("checkout.session.expired", {"id": "cs_1"}, ["cs_1"]),
        ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}, ["pi_1"]),
        ("charge.refund.updated", {"id": "re_1", "payment_intent": "pi_1"}, ["pi_1"]),
        ("charge.dispute.created", {"id": "dp_1", "payment_intent": "pi_1"}, ["pi_1"]),
        ("charge.dispute.created", {"id": "dp_1", "payment_intent": None}, []),
        ("customer.created", {"id": "cus_1"}, []),
    ],
)
async def test_events(clock: FakeClock, kind: str, subject: object, named: list[str]) -> None:
    async with stripe(None, clock) as bench:
        body = json.dumps({"type": kind, "data": {"object": subject}}).encode()
        webhook = Webhook("POST", "https://x.example/", {}, body)
        assert bench.provider.parse(webhook) == [PaymentEvent(each) for each in named]


@pytest.mark.parametrize(
    "body", [b"[]", b'{"type": "checkout.session.completed"}', b'{"type": "charge.refunded", "data": {"object": []}}']
)
async def test_events_that_are_none(clock: FakeClock, body: bytes) -> None:
    async with stripe(None, clock) as bench:
        with pytest.raises(BadInput):
            bench.provider.parse(Webhook("POST", "https://x.example/", {}, body))


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        ("warning_needs_response", 0),
        ("warning_closed", 0),
        ("needs_response", 1250),
        ("under_review", 1250),
        ("lost", 1250),
        ("won", 0),
        ("prevented", 0),
    ],
)
async def test_disputes(clock: FakeClock, status: str, taken: int) -> None:
    async with stripe(None, clock) as bench:
        assert isinstance(bench.bank, FakeStripe)
        created = await bench.provider.create(bench.order, key="k1")
        async with bench.pay(created.checkout_url, "succeed"):
            pass
        bench.bank.held[created.external_id].charged_back = 1250
        bench.bank.disputes[created.external_id] = status
        assert (await bench.provider.fetch("bloem", created.external_id)).charged_back == Money(taken)
