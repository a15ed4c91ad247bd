"""What is Buckaroo's alone; the rest is the contract."""

import json
from dataclasses import replace

import pytest

from core.errors import PaymentFailed
from core.lifecycle import PaymentStatus
from core.message import Webhook
from core.payment import PaymentEvent
from payments.buckaroo import signature
from tests.clock import FakeClock
from tests.fakes.buckaroo import FakeBuckaroo
from tests.payments.benches import buckaroo

REFUND_OF_A = {"RelationType": "refund", "RelatedTransactionKey": "A"}


def test_the_signature_is_buckaroos() -> None:
    """The known answer in the tests of BuckarooSdk_DotNet (SignatureCalculationServiceTests)."""
    address = "https://testcheckout.buckaroo.nl/json/Transaction"
    made = signature(
        "WEBSITE123", "SECRETAPIKEY", "POST", address, "1500000000", "abcdef0123456789", b'{"Currency":"EUR"}'
    )
    assert made == "Hw0aw3Nd5g5Jg9Mv50h+vy+qS34hE+xAz4CfISejm5A="


@pytest.mark.parametrize(
    ("code", "sub", "ours"),
    [
        (190, "S001", PaymentStatus.PAID),
        (490, "S990", PaymentStatus.FAILED),
        (491, "S990", PaymentStatus.FAILED),
        (492, "S990", PaymentStatus.FAILED),
        (690, "S990", PaymentStatus.FAILED),
        (790, "S001", PaymentStatus.OPEN),
        (791, "S001", PaymentStatus.PENDING),
        (791, "S002", PaymentStatus.OPEN),
        (792, "S001", PaymentStatus.OPEN),
        (793, "S001", PaymentStatus.PENDING),
        (890, "S001", PaymentStatus.CANCELLED),
        (891, "S001", PaymentStatus.CANCELLED),
        (999, "S001", PaymentStatus.PENDING),
    ],
)
async def test_statuses(clock: FakeClock, code: int, sub: str, ours: PaymentStatus) -> None:
    async with buckaroo(None, clock) as bench:
        assert isinstance(bench.bank, FakeBuckaroo)
        created = await bench.provider.create(bench.order, key="k1")
        bench.bank.held[created.external_id].state = "asked"
        bench.bank.codes["asked"] = (code, "…", sub, "…")
        assert (await bench.provider.fetch("bloem", created.external_id)).status is ours


@pytest.mark.parametrize(
    ("method", "services", "selectable"),
    [
        ("ideal", ["ideal"], None),
        ("wero", ["Wero"], None),
        ("bancontact", ["bancontactmrcash"], None),
        ("creditcard", [], "visa,mastercard,maestro,vpay,cartebancaire"),
        ("cowries", ["cowries"], None),
    ],
)
async def test_what_is_asked(clock: FakeClock, method: str, services: list[str], selectable: str | None) -> None:
    async with buckaroo(None, clock) as bench:
        assert bench.bank
        created = await bench.provider.create(replace(bench.order, method=method), key="k1")
        sent = bench.bank.held[created.external_id].sent
        assert [each["Name"] for each in sent.get("Services", {}).get("ServiceList", [])] == services
        assert (sent.get("ServicesSelectableByClient"), sent["AmountDebit"]) == (selectable, 12.5)


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("visa", "creditcard"),
        ("MasterCard", "creditcard"),
        ("cartebancaire", "creditcard"),
        ("bancontactmrcash", "bancontact"),
        ("Wero", "wero"),
        ("ideal", "ideal"),
        ("cowries", "cowries"),
    ],
)
async def test_what_was_paid_with_has_our_name(clock: FakeClock, service: str, method: str) -> None:
    """The preferred method is one of the creditor's, whichever brand the card had."""
    async with buckaroo(None, clock) as bench:
        assert bench.bank
        created = await bench.provider.create(bench.order, key="k1")
        bench.bank.held[created.external_id].method = service
        assert (await bench.provider.fetch("bloem", created.external_id)).method == method


async def test_an_order_that_is_refused_at_once(clock: FakeClock) -> None:
    async with buckaroo(None, clock) as bench:
        assert bench.bank
        refused = {"Key": "A", "Status": {"Code": {"Code": 491, "Description": "Validation failure"}}}
        bench.bank.refuse(200, refused | {"RequiredAction": None})
        with pytest.raises(PaymentFailed) as caught:
            await bench.provider.create(bench.order, key="k1")
        assert (caught.value.code, caught.value.retryable) == ("491", False)


@pytest.mark.parametrize(
    ("push", "named"),
    [
        ({"Transaction": {"Key": "A", "RelatedTransactions": None}}, ["A"]),
        (
            {
                "Transaction": {
                    "Key": "B",
                    "RelatedTransactions": [{"RelationType": "refund", "RelatedTransactionKey": "A"}],
                }
            },
            ["B", "A"],
        ),
        ({"DataRequest": {"Key": "C"}}, []),
    ],
)
async def test_pushes(clock: FakeClock, push: object, named: list[str]) -> None:
    async with buckaroo(None, clock) as bench:
        webhook = Webhook("POST", "https://x.example/", {}, json.dumps(push).encode())
        assert bench.provider.parse(webhook) == [PaymentEvent(each) for each in named]
