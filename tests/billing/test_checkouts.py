"""Checkouts that were left open: closed at their provider when nothing is due any more, or the link is taken back."""

from typing import Any

import pytest
from sqlalchemy import select

from billing.checkouts import Checkouts
from billing.links import Link
from core.agent import Agent, Role
from core.errors import PaymentFailed
from core.ids import AgentId, CreditorKey, InvoiceId
from core.lifecycle import LinkState, PaymentStatus
from core.message import Locale
from core.money import Money
from payments.sandbox import Sandbox
from store.events import BOOKED, CHECKOUT_OVER, LINK_REVOKED
from store.tables.money import payment
from store.tables.talk import event
from tests.billing.house import Street

NL = Locale("nl")
SANNE = Agent(AgentId("sanne"), CreditorKey("bloem"), "sanne@bloem.example", "Sanne de Wit", Role.AGENT)


async def billed(street: Street) -> tuple[InvoiceId, Link, Link]:
    """An invoice of 10 euros, a link over it, and one over a half of it."""
    who = await street.house.debtor("K1")
    key = await street.house.invoice(who, "F1", 1000)
    return key, await street.house.link(who, [key]), await street.house.link(who, [key], "part", amount=Money(500))


async def close(street: Street, bank: object = None) -> None:
    """What the events bring about, each told twice."""
    providers: Any = {"sandbox": bank or street.bank}
    checkouts = Checkouts(street.house.database, street.house.clock, providers, street.payments)
    for name, told in ((BOOKED, checkouts.booked), (LINK_REVOKED, checkouts.revoked), (CHECKOUT_OVER, checkouts.over)):
        async with street.house.database.read() as tx:
            payloads = list(await tx.scalars(select(event.c.payload).where(event.c.name == name)))
        for payload in payloads * 2:
            await told(payload)


async def statuses(street: Street) -> list[PaymentStatus]:
    async with street.house.database.read() as tx:
        rows = await tx.scalars(select(payment.c.status).order_by(payment.c.created_at, payment.c.id))
        return [PaymentStatus(status) for status in rows]


async def opened(street: Street, *started: tuple[Link, str]) -> list[str]:
    checkouts = []
    for link, method in started:
        checkouts.append(await street.payments.start(link, method, NL))
        street.house.clock.advance(seconds=1)
    return checkouts


async def test_what_was_left_open_is_closed_when_all_is_paid(on_street: Street) -> None:
    key, link, part = await billed(on_street)
    checkouts = await opened(on_street, (link, "ideal"), (link, "bancontact"), (part, "ideal"))
    await on_street.choose(checkouts[1], "succeed")
    await close(on_street)
    assert await statuses(on_street) == [PaymentStatus.CANCELLED, PaymentStatus.PAID, PaymentStatus.CANCELLED]
    assert "payment.failed" not in await on_street.house.events()
    found = await on_street.house.links.by_id(part.id)
    assert found and found.state is LinkState.STARTED
    async with on_street.http.get(f"{on_street.url}/p/{part.token}") as page:
        assert "pay.settled]" in await page.text()
    assert await on_street.house.open(key) == 0


async def test_what_may_still_be_paid_stays_open(on_street: Street) -> None:
    _, link, part = await billed(on_street)
    checkouts = await opened(on_street, (link, "ideal"), (part, "ideal"))
    await on_street.choose(checkouts[1], "succeed")
    await close(on_street)
    assert await statuses(on_street) == [PaymentStatus.OPEN, PaymentStatus.PAID]


async def test_those_of_a_link_that_is_taken_back_are_closed(on_street: Street) -> None:
    _, link, part = await billed(on_street)
    await opened(on_street, (link, "ideal"), (part, "ideal"))
    await on_street.house.links.revoke(link.id, link.debtor, SANNE)
    await close(on_street)
    assert await statuses(on_street) == [PaymentStatus.CANCELLED, PaymentStatus.OPEN]
    assert "payment.failed" not in await on_street.house.events()


class Down(Sandbox):
    async def cancel(self, account: str, external_id: str) -> None:
        raise PaymentFailed("503", retryable=True)


class Unable:
    """A provider without the capability."""


@pytest.mark.parametrize("bank", [Down.__new__(Down), Unable()], ids=["down", "unable"])
async def test_where_it_cannot_be_closed_late_money_is_credit(on_street: Street, bank: object) -> None:
    key, link, _ = await billed(on_street)
    (checkout,) = await opened(on_street, (link, "ideal"))
    await on_street.house.paid_elsewhere(key, 1000, "bank:1")
    await close(on_street, bank)
    assert await statuses(on_street) == [PaymentStatus.OPEN]
    await on_street.choose(checkout, "succeed")
    assert await on_street.house.accounts() == {"receivable": 0, "revenue": -1000, "bank": 2000, "credit": -1000}
