"""A receipt says what has arrived, and what it paid."""

import pytest
from sqlalchemy import update

from billing.receipts import Receipts
from billing.transfers import receive
from core.message import Locale
from core.money import Money
from payments.references import grouped
from store.tables.money import payment
from tests.billing.house import BLOEM, House, Street


async def test_of_a_payment_by_a_link(on_street: Street) -> None:
    house = on_street.house
    who = await house.debtor("K1")
    talk = await house.talk(who)
    keys = [await house.invoice(who, "539007547034", 1000), await house.invoice(who, "F2", 2500)]
    link = await house.links.issue(talk, who, keys, key="t1", creditor=BLOEM)
    await on_street.choose(await on_street.payments.start(link, "ideal", Locale("nl")), "succeed")
    await on_street.payments.refresh(link)
    (receipt,) = await Receipts(house.database).of(who)
    assert (receipt.amount, receipt.returned, receipt.credit) == (Money(3500), Money(0), Money(0))
    assert receipt.paid == [("539007547034", Money(1000)), ("F2", Money(2500))]
    assert (receipt.method, receipt.reference) == ("ideal", grouped(link.reference))
    assert await Receipts(house.database).of(await house.debtor("K2")) == []


@pytest.mark.parametrize(
    ("paid", "refunded", "parts", "credit", "found"),
    [
        pytest.param(1000, 0, [("F1", 1000)], 0, True, id="all"),
        pytest.param(1500, 0, [("F1", 1000)], 500, True, id="too much"),
        pytest.param(1000, 400, [("F1", 1000)], 0, True, id="a part went back"),
        pytest.param(1000, 1000, [], 0, False, id="all of it went back"),
    ],
)
async def test_what_it_adds_up_to(
    house: House, paid: int, refunded: int, parts: list[tuple[str, int]], credit: int, found: bool
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 1000)
    async with house.database.begin() as tx:
        now = house.clock.now()
        identifier = await receive(tx, BLOEM, who, [key], Money(paid), key="bank:1", paid_at=now, now=now)
        await tx.execute(update(payment).where(payment.c.id == identifier).values(refunded=refunded))
    receipts = await Receipts(house.database).of(who)
    assert len(receipts) == found
    for receipt in receipts:
        assert receipt.paid == [(number, Money(minor)) for number, minor in parts]
        assert (receipt.credit, receipt.returned) == (Money(credit), Money(refunded))
        assert sum((each for _, each in receipt.paid), receipt.credit) == receipt.amount
        assert receipt.reference is None  # a link that nobody was given
