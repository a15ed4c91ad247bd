"""What was agreed on, in the desk: seen, arranged by an agent above what the bot may, and ended."""

from datetime import date, timedelta

import pytest

from billing.ledger import Account, Kind, Posting, book
from billing.promises import Promises
from conversations.creditors import Creditors
from conversations.holds import holding
from core.ids import DebtorId, InvoiceId, new_id
from core.money import Money
from store.tables.money import instalment, plan, promise
from store.tables.staff import audit
from store.tables.talk import event
from tests.desk.conftest import Server
from tests.desk.test_pages import plain
from tests.desk.world import BLOEM, World


async def test_a_plan_is_arranged_seen_and_ended(world: World, server: Server) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    await world.invoice(who, "2026-0311", 100_001, date(2026, 10, 20))
    talk = await world.talk(who=who, verified=True)
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    assert "Er loopt geen afspraak" in plain(await browser.page(f"/desk/c/{talk}"))
    first = world.clock.now().date() + timedelta(days=3)
    form = {"months": "10", "first": first.isoformat(), "key": new_id()}
    for _ in range(2):
        answer = await browser.post(f"/desk/c/{talk}/plan", form)
        assert (answer.status, answer.headers["Location"]) == (303, f"/desk/c/{talk}?notice=plan")
    parts = await world.all(instalment)
    assert (len(parts), sum(part.amount for part in parts), parts[0].due_on) == (10, 100_001, first)
    assert [row.name for row in await world.all(event)].count("plan.arranged") == 1
    assert "€ 100,01 nog niet" in plain(await browser.page(f"/desk/c/{talk}"))
    assert (await browser.post(f"/desk/c/{talk}/plan", form | {"key": new_id()})).status == 409
    for _ in range(2):
        assert (await browser.post(f"/desk/c/{talk}/plan/end")).status == 303
    (row,) = await world.all(plan)
    assert row.state == "ended"
    assert [row.action for row in await world.all(audit) if "plan" in row.action] == ["plan_arranged", "plan_ended"]


@pytest.mark.parametrize(
    "change",
    [
        {"months": "1"},
        {"months": "61"},
        {"months": "x"},
        {"first": "2026-01-01"},
        {"first": "2099-01-01"},
        {"key": "x"},
    ],
    ids=str,
)
async def test_what_is_no_plan(world: World, server: Server, change: dict[str, str]) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    await world.invoice(who, "2026-0311", 100_000, date(2026, 10, 20))
    talk = await world.talk(who=who, verified=True)
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    form = {"months": "10", "first": world.clock.now().date().isoformat(), "key": new_id()} | change
    assert (await browser.post(f"/desk/c/{talk}/plan", form)).status == 400
    assert await world.all(plan) == []


async def test_a_promise_and_a_credit_are_seen(world: World, server: Server) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    key = InvoiceId(await world.invoice(who, "2026-0311", 5000, date(2026, 10, 20)))
    talk = await world.talk(who=who, verified=True)
    creditor = await Creditors(world.db).get(BLOEM)
    async with world.db.begin() as tx:
        sides = [Posting(Account.BANK, Money(250)), Posting(Account.CREDIT, Money(-250), DebtorId(who))]
        await book(tx, BLOEM, Kind.PAYMENT, sides, cause="x", at=world.clock.now())
    await Promises(world.db, world.clock, holding).make(
        talk, DebtorId(who), [key], world.clock.now().date() + timedelta(days=2), key="t1", creditor=creditor
    )
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    page = plain(await browser.page(f"/desk/c/{talk}"))
    assert "Beloofd te betalen tot en met" in page and "Tegoed € 2,50" in page
    assert [row.state for row in await world.all(promise)] == ["made"]
