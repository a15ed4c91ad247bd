"""Paying back what was paid too much, from the conversation: a lead, asked to confirm, once."""

from datetime import date

import pytest

from billing.ledger import Account, Kind, Posting, book
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.money import Money
from store.tables.money import payment, refund
from store.tables.staff import audit
from tests.desk.conftest import Browser, Server
from tests.desk.test_pages import plain
from tests.desk.world import TULP, World


async def overpaid(world: World, provider: str = "counter") -> str:
    """50 euros were paid where 40 were open; the conversation."""
    who = DebtorId(await world.debtor("Jan Verhoeven", "K-1042"))
    invoice = InvoiceId(await world.invoice(who, "2026-0311", 5000, date(2026, 10, 20)))
    talk = await world.talk(who=who, verified=True)
    config = await world.desk._s.creditors.get("bloem")
    link = await world.desk._s.links.issue(talk, who, [invoice], key="t1", creditor=config)
    now = world.clock.now()
    await world._insert(
        payment, id="p1", creditor_id="bloem", link_id=link.id, provider=provider, external_id="x1", cause="p1",
        currency="EUR", amount=5000, status="paid", method="ideal", created_at=now, paid_at=now,
    )  # fmt: skip
    sides = [
        Posting(Account.BANK, Money(5000)),
        Posting(Account.RECEIVABLE, Money(-4000), who, invoice),
        Posting(Account.CREDIT, Money(-1000), who),
    ]
    async with world.db.begin() as tx:
        await book(tx, CreditorKey("bloem"), Kind.PAYMENT, sides, cause="payment:p1", at=now)
    return talk


async def pay_back(browser: Browser, talk: str, amount: str, **form: str) -> tuple[int, str, str]:
    fields = {"amount": amount, "confirm": "yes", "key": new_id(), **form}
    response = await browser.post(f"/desk/c/{talk}/payments/p1/refund", fields)
    return response.status, response.headers.get("Location", ""), plain(await response.text())


@pytest.mark.parametrize("language", ["nl", "en", "fr", "de"])
async def test_a_lead_pays_back_once(world: World, server: Server, language: str) -> None:
    talk = await overpaid(world)
    browser = await server.logged_in(await world.agent("Noor Bakker", "supervisor"))
    page = await browser.page(f"/desk/c/{talk}", **{"Accept-Language": language})
    assert "desk." not in plain(page) and f"/desk/c/{talk}/payments/p1/refund" in page
    key = new_id()
    for _ in range(2):
        assert (await pay_back(browser, talk, "7,50", key=key))[:2] == (303, f"/desk/c/{talk}?notice=refund")
    assert (world.bank.asked, world.bank.refunded) == (1, 750)
    done = [(row.action, row.detail) for row in await world.all(audit) if row.action == "refund"]
    assert done == [("refund", {"payment": "p1", "amount": 750})]
    page = plain(await browser.page(f"/desk/c/{talk}?notice=refund", **{"Accept-Language": language}))
    assert "desk." not in page
    if language == "nl":
        assert "€ 7,50 terug" in page and "€ 7,50 terugbetaald" in page
        assert "De terugbetaling is gevraagd." in page and "hoogstens € 2,50 terug" in page


async def test_a_refusal_is_shown(world: World, server: Server) -> None:
    talk = await overpaid(world)
    world.bank.fault = "insufficient_funds"
    browser = await server.logged_in(await world.agent("Noor Bakker", "admin"))
    assert (await pay_back(browser, talk, "10"))[:2] == (303, f"/desk/c/{talk}?notice=refund_refused")
    page = plain(await browser.page(f"/desk/c/{talk}?notice=refund_refused"))
    assert "niet terugbetaald: kijk bij de betaaldienst" in page and "insufficient_funds" in page
    assert "De terugbetaling is niet gelukt." in page


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("10,01", "hoogstens € 10,00 terug"),
        ("", "bijvoorbeeld 12,50"),
        ("tien", "bijvoorbeeld 12,50"),
        ("0", "hoogstens"),
    ],
)
async def test_an_amount_that_cannot_be(world: World, server: Server, amount: str, said: str) -> None:
    talk = await overpaid(world)
    browser = await server.logged_in(await world.agent("Noor Bakker", "supervisor"))
    status, _, page = await pay_back(browser, talk, amount)
    assert (status, said in page, await world.all(refund)) == (400, True, [])


async def test_a_transfer_is_paid_back_by_hand(world: World, server: Server) -> None:
    talk = await overpaid(world, "banktransfer")
    browser = await server.logged_in(await world.agent("Noor Bakker", "supervisor"))
    page = await browser.page(f"/desk/c/{talk}")
    assert "/refund" not in page and "vanaf jullie eigen bankrekening" in plain(page)
    status, _, said = await pay_back(browser, talk, "10")
    assert (status, "vanaf jullie eigen bankrekening" in said) == (400, True)


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("logged out", 401),
        ("another creditor", 404),
        ("another customer", 404),
        ("an agent", 403),
        ("not confirmed", 400),
        ("no key", 400),
        ("forged", 403),
    ],
)
async def test_who_may_not(world: World, server: Server, case: str, status: int) -> None:
    talk, form, browser = await overpaid(world), {}, server.browser()
    if case == "another creditor":
        browser = await server.logged_in(await world.agent("Tom Tulp", "supervisor", TULP))
    elif case != "logged out":
        browser = await server.logged_in(await world.agent("Iemand", "agent" if case == "an agent" else "supervisor"))
    match case:
        case "another customer":
            talk = await world.talk(who=await world.debtor("Mia Peeters", "K-1043"), verified=True)
        case "an agent":
            assert "/refund" not in await browser.page(f"/desk/c/{talk}")
        case "not confirmed":
            form = {"confirm": ""}
        case "no key":
            form = {"key": "x"}
        case "forged":
            form = {"csrf": "forged"}
    assert (await pay_back(browser, talk, "10", **form))[0] == status
    assert (world.bank.asked, await world.all(refund)) == (0, [])
