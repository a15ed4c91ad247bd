"""Paying back what was paid too much: once, no more than is there, booked when the money has gone."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing.issued_links import Attempt, IssuedLinks
from billing.refunds import ByHand, Refunds, TooMuch
from billing.transfers import receive
from core.agent import Agent, NotAllowed, Role
from core.errors import NotFound, PaymentFailed
from core.ids import AgentId, CreditorKey, DebtorId, InvoiceId
from core.lifecycle import RefundState
from core.message import Locale
from core.money import Money
from core.payment import ProviderRefund
from payments.sandbox import Sandbox
from store.events import PAYMENT_BOOKED, PAYMENT_RETURNED
from store.tables.money import payment, sandbox_payment
from store.tables.staff import audit
from tests.billing.house import BLOEM, VELO, Street

LEAD = Agent(AgentId("noor"), CreditorKey("bloem"), "noor@bloem.example", "Noor Bakker", Role.SUPERVISOR)
AGENT = Agent(AgentId("sanne"), CreditorKey("bloem"), "sanne@bloem.example", "Sanne de Wit", Role.AGENT)


async def paid_twice(street: Street, elsewhere: int = 1000) -> tuple[DebtorId, InvoiceId, str]:
    """An invoice of 10 euros, paid online while as much, or a part, came in another way."""
    who = await street.house.debtor("K1")
    key = await street.house.invoice(who, "F1", 1000)
    link = await street.house.link(who, [key])
    checkout = await street.payments.start(link, "ideal", Locale("nl"))
    await street.house.paid_elsewhere(key, elsewhere, "bank:1")
    await street.choose(checkout, "succeed")
    async with street.house.database.read() as tx:
        return who, key, str(await tx.scalar(select(payment.c.id)))


async def shown(street: Street, who: DebtorId) -> Attempt:
    """As an agent sees it."""
    (link,) = await IssuedLinks(street.house.database).of(who)
    (found,) = link.payments
    return found


async def ask(street: Street, who: DebtorId, paid: str, minor: int, cause: str = "c1") -> RefundState:
    return await street.refunds.ask(LEAD, who, paid, Money(minor), cause=cause)


async def test_credit_goes_back_once_however_often_it_is_pressed(on_street: Street) -> None:
    who, key, paid = await paid_twice(on_street)
    assert (await shown(on_street, who)).refundable == Money(1000)
    await asyncio.gather(*(ask(on_street, who, paid, 400) for _ in range(4)))
    assert await ask(on_street, who, paid, 400) is RefundState.DONE
    found = await shown(on_street, who)
    assert (found.returned, found.refundable) == (Money(400), Money(600))
    assert [(each.amount, each.state) for each in found.refunds] == [(Money(400), RefundState.DONE)]
    assert await ask(on_street, who, paid, 600, "c2") is RefundState.DONE
    house = on_street.house
    assert await house.open(key) == 0
    assert await house.accounts() == {"receivable": 0, "revenue": -1000, "bank": 1000, "credit": 0}
    assert await house.events() == [PAYMENT_BOOKED, PAYMENT_RETURNED, PAYMENT_RETURNED]
    async with house.database.read() as tx:
        assert [row.action for row in await tx.execute(select(audit))] == ["refund", "refund"]


async def test_credit_from_elsewhere_opens_no_invoice(on_street: Street) -> None:
    """The payment was wanted to the cent; what is too much came by bank later."""
    house = on_street.house
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 1000)
    link = await house.link(who, [key])
    await on_street.choose(await on_street.payments.start(link, "ideal", Locale("nl")), "succeed")
    async with house.database.begin() as tx:
        now = house.clock.now()
        transfer = await receive(tx, BLOEM, who, [key], Money(300), key="s:1", paid_at=now, now=now)
    async with house.database.read() as tx:
        paid = str(await tx.scalar(select(payment.c.id).where(payment.c.id != transfer)))
    with pytest.raises(ByHand):
        await ask(on_street, who, transfer, 300)
    with pytest.raises(TooMuch):
        await ask(on_street, who, paid, 301)
    assert await ask(on_street, who, paid, 300) is RefundState.DONE
    assert await house.open(key) == 0
    assert await house.accounts() == {"receivable": 0, "revenue": -1000, "bank": 1000, "credit": 0}
    # What the shop gives back at its provider after that was no credit.
    async with house.database.begin() as tx:
        row = (await tx.execute(select(sandbox_payment))).one()
        refunds = {**row.refunds, "by hand": {"id": "sbr_2", "minor": 500}}
        await tx.execute(sandbox_payment.update().values(refunds=refunds))
    await on_street.payments.settle("sandbox", "bloem", row.id)
    assert await house.open(key) == 500
    assert await house.accounts() == {"receivable": 500, "revenue": -1000, "bank": 500, "credit": 0}


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        ("an agent", NotAllowed),
        ("another creditor", NotFound),
        ("another customer", NotFound),
        ("no payment", NotFound),
        ("more than the credit", TooMuch),
        ("nothing", TooMuch),
        ("less than nothing", TooMuch),
        ("dollars", TooMuch),
        ("what is under way", TooMuch),
    ],
)
async def test_what_is_not_paid_back(on_street: Street, case: str, fault: type[Exception]) -> None:
    who, _, paid = await paid_twice(on_street, 400)
    agent, amount = LEAD, Money({"more than the credit": 401, "nothing": 0, "less than nothing": -5}.get(case, 400))
    match case:
        case "an agent":
            agent = AGENT
        case "another creditor":
            agent = Agent(LEAD.id, CreditorKey(VELO.key), LEAD.email, LEAD.name, LEAD.role)
        case "another customer":
            who = await on_street.house.debtor("K2")
        case "no payment":
            paid = "nothing"
        case "dollars":
            amount = Money(400, "USD")
        case "what is under way":
            await ask(on_street, who, paid, 300, "c0")
    before = await on_street.house.accounts()
    with pytest.raises(fault):
        await on_street.refunds.ask(agent, who, paid, amount, cause="c1")
    assert await on_street.house.accounts() == before


class Troubled(Sandbox):
    """Refuses refunds, loses the answer to them, or never hears of them."""

    trouble = ""

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        if self.trouble == "refuses":
            raise PaymentFailed("insufficient_funds", retryable=False)
        if self.trouble == "unheard":
            raise PaymentFailed("TimeoutError", retryable=True)
        made = await super().refund(account, external_id, amount, key=key)
        if self.trouble == "lost answer":
            raise PaymentFailed("TimeoutError", retryable=True)
        if self.trouble == "refused at once":
            return ProviderRefund(made.external_id, RefundState.REFUSED)
        return made


@pytest.fixture
async def troubled(on_street: Street) -> Street:
    bank: Any = on_street.bank
    bank.__class__ = Troubled
    return on_street


async def test_a_refusal_is_seen_and_can_be_tried_again(troubled: Street) -> None:
    who, _, paid = await paid_twice(troubled)
    assert isinstance(troubled.bank, Troubled)
    troubled.bank.trouble = "refuses"
    assert await ask(troubled, who, paid, 1000) is RefundState.REFUSED
    found = await shown(troubled, who)
    assert [(each.state, each.code) for each in found.refunds] == [(RefundState.REFUSED, "insufficient_funds")]
    assert (found.refundable, await troubled.house.events()) == (Money(1000), [PAYMENT_BOOKED])
    troubled.bank.trouble = ""
    assert await ask(troubled, who, paid, 1000, "c2") is RefundState.DONE
    states = [each.state for each in (await shown(troubled, who)).refunds]
    assert states == [RefundState.REFUSED, RefundState.DONE]


@pytest.mark.parametrize("trouble", ["lost answer", "refused at once"])
async def test_what_has_gone_is_what_the_payment_says(troubled: Street, trouble: str) -> None:
    who, _, paid = await paid_twice(troubled)
    assert isinstance(troubled.bank, Troubled)
    troubled.bank.trouble = trouble
    assert await ask(troubled, who, paid, 1000) is RefundState.DONE
    assert (await troubled.house.accounts())["credit"] == 0


async def test_one_that_nobody_hears_of_is_given_up_on(troubled: Street) -> None:
    who, _, paid = await paid_twice(troubled)
    house, bank = troubled.house, troubled.bank
    assert isinstance(bank, Troubled)
    bank.trouble = "unheard"
    assert await ask(troubled, who, paid, 1000) is RefundState.ASKED
    assert (await shown(troubled, who)).refundable == Money(0)
    for hours, given_up in ((12, 0), (11, 0), (2, 1), (2, 0)):
        house.clock.advance(hours=hours)
        assert await troubled.refunds.run_due() == given_up
    (refund,) = (await shown(troubled, who)).refunds
    assert (refund.state, refund.code) == (RefundState.REFUSED, "not_seen")
    # It had been heard after all.
    bank.trouble = ""
    async with house.database.read() as tx:
        external = str(await tx.scalar(select(payment.c.external_id)))
    await bank.refund("bloem", external, Money(1000), key="late")
    assert [each.state for each in (await shown(troubled, who)).refunds] == [RefundState.DONE]
    assert (await house.accounts())["credit"] == 0


async def test_money_that_does_not_reach_its_person_is_credit_again(on_street: Street) -> None:
    who, _, paid = await paid_twice(on_street)
    house = on_street.house
    assert await ask(on_street, who, paid, 1000) is RefundState.DONE
    house.clock.advance(days=3)
    async with house.database.begin() as tx:
        row = (await tx.execute(select(sandbox_payment))).one()
        await tx.execute(sandbox_payment.update().values(refunds={}))
    await on_street.payments.settle("sandbox", "bloem", row.id)
    found = await shown(on_street, who)
    assert [(each.state, each.code) for each in found.refunds] == [(RefundState.REFUSED, "came_back")]
    assert (found.refundable, (await house.accounts())["credit"]) == (Money(1000), -1000)


async def test_a_refund_survives_the_process(on_street: Street) -> None:
    """It was written down, and the provider was never asked."""
    who, _, paid = await paid_twice(on_street)
    house = on_street.house

    class Dead(Refunds):
        async def _ask(self, row: Any, asked: str, amount: Money) -> RefundState:
            return RefundState.ASKED

    dead = Dead(house.database, house.clock, {}, on_street.payments)
    await dead.ask(LEAD, who, paid, Money(1000), cause="c1")
    assert await ask(on_street, who, paid, 1000) is RefundState.ASKED
    house.clock.advance(timedelta(days=2))
    assert await on_street.refunds.run_due() == 1
    assert (await house.accounts())["credit"] == -1000
