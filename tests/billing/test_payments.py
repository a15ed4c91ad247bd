"""Money is booked once, from wherever the news comes."""

import asyncio
from datetime import date, timedelta

import pytest

from billing.links import Link, NotPayable, Standing
from billing.payments import PaidPayment, PendingPayment, poll_after
from core.errors import BadInput
from core.ids import DebtorId, InvoiceId
from core.lifecycle import LinkState, PaymentStatus
from core.message import Locale
from core.money import Money
from store.events import PAYMENT_BOOKED, PAYMENT_FAILED
from tests.billing.house import Street

NL = Locale("nl")


async def billed(street: Street, *amounts: int) -> tuple[DebtorId, list[InvoiceId], Link]:
    who = await street.house.debtor("K1")
    keys = [
        await street.house.invoice(who, f"F{n}", minor, date(2026, 11, n)) for n, minor in enumerate(amounts, start=1)
    ]
    return who, keys, await street.house.link(who, keys)


async def state(street: Street, link: Link) -> LinkState:
    found = await street.house.links.by_id(link.id)
    assert found is not None
    return found.state


def payment_of(checkout: str) -> str:
    return checkout.rsplit("/", 1)[1]


async def test_a_payment_pays_the_invoices_of_its_link(on_street: Street) -> None:
    who, keys, link = await billed(on_street, 1000, 2500)
    checkout = await on_street.payments.start(link, "ideal", NL)
    assert await state(on_street, link) is LinkState.STARTED
    assert await on_street.choose(checkout, "succeed") == f"{on_street.url}/p/{link.token}/return?lang=nl"
    assert [await on_street.house.open(key) for key in keys] == [0, 0]
    assert await state(on_street, link) is LinkState.PAID
    assert await on_street.house.events() == [PAYMENT_BOOKED]
    now = on_street.house.clock.now()
    assert await on_street.payments.recent_of(who) == [PaidPayment(Money(3500), now, ["F1", "F2"])]
    assert await on_street.payments.pending_of(who) == []


async def test_a_double_click_and_two_tabs_are_one_payment(on_street: Street) -> None:
    _, _, link = await billed(on_street, 1000)
    checkouts = await asyncio.gather(*(on_street.payments.start(link, "ideal", NL) for _ in range(5)))
    again = await on_street.payments.start(link, "ideal", NL)
    assert {*checkouts, again} == {again}
    other = await on_street.payments.start(link, "creditcard", NL)
    assert other != again


async def test_webhook_return_page_and_poll_at_once_book_once(on_street: Street) -> None:
    _, keys, link = await billed(on_street, 1000)
    checkout = await on_street.payments.start(link, "ideal", NL)
    # The bank's own notice is one of them: it is sent while the others are at work.
    on_street.house.clock.advance(minutes=1)
    await asyncio.gather(
        on_street.choose(checkout, "succeed"),
        *(on_street.payments.settle("sandbox", "bloem", payment_of(checkout)) for _ in range(4)),
        *(on_street.http.get(f"{on_street.url}/p/{link.token}/return") for _ in range(4)),
        *(on_street.payments.poll_open() for _ in range(4)),
    )
    assert await on_street.payments.settle("sandbox", "bloem", payment_of(checkout)) is PaymentStatus.PAID
    assert await on_street.house.accounts() == {"receivable": 0, "revenue": -1000, "bank": 1000}
    assert await on_street.house.events() == [PAYMENT_BOOKED]
    assert await on_street.house.open(keys[0]) == 0


async def test_a_failure_may_be_tried_again(on_street: Street) -> None:
    _, keys, link = await billed(on_street, 1000)
    first = await on_street.payments.start(link, "ideal", NL)
    await on_street.choose(first, "fail")
    assert (await state(on_street, link), await on_street.house.events()) == (LinkState.FAILED, [PAYMENT_FAILED])
    second = await on_street.payments.start(link, "ideal", NL)
    assert second != first
    await on_street.choose(second, "succeed")
    assert await on_street.house.open(keys[0]) == 0
    assert await on_street.house.events() == [PAYMENT_FAILED, PAYMENT_BOOKED]


async def test_a_late_success_is_found_by_the_poll(on_street: Street) -> None:
    who, keys, link = await billed(on_street, 1000)
    clock = on_street.house.clock
    await on_street.choose(await on_street.payments.start(link, "bancontact", NL), "delay")
    assert await on_street.payments.pending_of(who) == [PendingPayment(Money(1000), clock.now(), "bancontact", ["F1"])]
    clock.advance(seconds=10)
    assert await on_street.payments.poll_open() == 0  # asked a moment ago
    clock.advance(seconds=20)
    assert await on_street.payments.poll_open() == 1
    assert await on_street.house.open(keys[0]) == 0
    assert await on_street.payments.pending_of(who) == []


async def test_a_late_success_after_a_failure_is_booked(on_street: Street) -> None:
    _, keys, link = await billed(on_street, 1000)
    checkout = await on_street.payments.start(link, "ideal", NL)
    await on_street.choose(checkout, "fail")
    now = on_street.house.clock.advance(minutes=1)
    assert await on_street.books.move(payment_of(checkout), PaymentStatus.PAID, now)  # the bank has changed its mind
    assert await on_street.payments.poll_open() == 1
    assert await on_street.house.open(keys[0]) == 0
    assert await state(on_street, link) is LinkState.PAID


async def test_what_was_paid_meanwhile_is_not_collected(on_street: Street) -> None:
    _, keys, link = await billed(on_street, 1000, 2500)
    before = await on_street.payments.start(link, "ideal", NL)
    await on_street.house.paid_elsewhere(keys[0], 400, "bank:1")
    after = await on_street.payments.start(link, "ideal", NL)
    assert after != before
    entry = await on_street.bank.find(payment_of(after))
    assert entry and entry.order.amount == Money(3100)


@pytest.mark.parametrize(
    ("paid", "outcome", "days", "standing"),
    [
        pytest.param(1000, None, 0, Standing.SETTLED, id="paid otherwise"),
        pytest.param(0, "succeed", 0, Standing.PAID, id="paid"),
        pytest.param(0, "delay", 0, Standing.PENDING, id="under way"),
        pytest.param(0, None, 14, Standing.EXPIRED, id="expired"),
    ],
)
async def test_links_that_take_no_payment(
    on_street: Street, paid: int, outcome: str | None, days: int, standing: Standing
) -> None:
    _, keys, link = await billed(on_street, 1000)
    if outcome:
        await on_street.choose(await on_street.payments.start(link, "ideal", NL), outcome)
    if paid:
        await on_street.house.paid_elsewhere(keys[0], paid, "bank:1")
    on_street.house.clock.advance(days=days)
    with pytest.raises(NotPayable) as caught:
        await on_street.payments.start(link, "ideal", NL)
    assert caught.value.standing is standing


async def test_a_payment_under_way_on_one_link_stops_the_other(on_street: Street) -> None:
    who, keys, link = await billed(on_street, 1000)
    twin = await on_street.house.link(who, keys, "turn-2:link")
    await on_street.choose(await on_street.payments.start(link, "ideal", NL), "delay")
    with pytest.raises(NotPayable):
        await on_street.payments.start(twin, "ideal", NL)


async def test_too_much_becomes_credit(on_street: Street) -> None:
    _, keys, link = await billed(on_street, 1000)
    checkout = await on_street.payments.start(link, "ideal", NL)
    await on_street.house.paid_elsewhere(keys[0], 600, "bank:1")
    await on_street.choose(checkout, "succeed")
    assert await on_street.house.accounts() == {"receivable": 0, "revenue": -1000, "bank": 1600, "credit": -600}


async def test_two_links_paid_at_once_leave_nothing_negative(on_street: Street) -> None:
    who, keys, link = await billed(on_street, 1000)
    twin = await on_street.house.link(who, keys, "turn-2:link")
    checkouts = [await on_street.payments.start(each, "ideal", NL) for each in (link, twin)]
    await asyncio.gather(*(on_street.choose(checkout, "succeed") for checkout in checkouts))
    assert await on_street.house.accounts() == {"receivable": 0, "revenue": -1000, "bank": 2000, "credit": -1000}


async def test_a_method_that_is_not_offered(on_street: Street) -> None:
    _, _, link = await billed(on_street, 1000)
    with pytest.raises(BadInput):
        await on_street.payments.start(link, "cowries", NL)


@pytest.mark.parametrize(
    ("provider", "account"), [("sandbox", "velo"), ("mollie", "bloem")], ids=["another creditor", "another provider"]
)
async def test_what_is_somebody_elses_settles_nothing(on_street: Street, provider: str, account: str) -> None:
    _, keys, link = await billed(on_street, 1000)
    checkout = await on_street.payments.start(link, "ideal", NL)
    assert await on_street.payments.settle(provider, account, payment_of(checkout)) is None
    assert await on_street.house.open(keys[0]) == 1000


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(minutes=1), timedelta(seconds=30)),
        (timedelta(minutes=15), timedelta(minutes=15)),
        (timedelta(days=3), timedelta(hours=6)),
    ],
)
def test_how_often_is_asked(age: timedelta, wait: timedelta) -> None:
    assert poll_after(age) == wait
