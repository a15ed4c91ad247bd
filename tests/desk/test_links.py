"""A customer's payment links at the desk: how far each came and when, what was paid, and taking one back."""

from datetime import date, datetime

import pytest

from billing.links import Link
from core.ids import ConversationId, DebtorId, InvoiceId
from core.lifecycle import LinkState
from core.money import Money
from store.tables.money import payment, payment_link
from store.tables.staff import audit
from tests.desk.conftest import Browser, Server
from tests.desk.test_pages import plain
from tests.desk.world import TULP, World


async def issued(world: World) -> tuple[ConversationId, DebtorId, Link]:
    who = DebtorId(await world.debtor("Jan Verhoeven", "K-1042"))
    invoice = InvoiceId(await world.invoice(who, "2026-0311", 8995, date(2026, 10, 20)))
    talk = await world.talk(who=who, verified=True)
    config = await world.desk._s.creditors.get("bloem")
    link = await world.desk._s.links.issue(talk, who, [invoice], key="t1", creditor=config, amount=Money(5000))
    return talk, who, link


async def attempted(world: World, link: Link, status: str, paid_at: datetime | None = None) -> None:
    now = world.clock.now()
    await world._insert(
        payment, id=f"p-{status}", creditor_id="bloem", link_id=link.id, provider="sandbox", cause=status,
        currency="EUR", amount=5000, status=status, method="ideal", created_at=now, paid_at=paid_at,
        refunded=1000 if paid_at else 0,
    )  # fmt: skip


async def revoke(browser: Browser, talk: str, link: str, **form: str) -> tuple[int, str]:
    response = await browser.post(f"/desk/c/{talk}/links/{link}/revoke", {"confirm": "yes", **form})
    return response.status, response.headers.get("Location", "")


@pytest.mark.parametrize("language", ["nl", "en", "fr", "de"])
async def test_every_state_and_payment_in_every_language(world: World, server: Server, language: str) -> None:
    talk, _, link = await issued(world)
    for state in LinkState:
        world.clock.advance(minutes=1)
        async with world.db.begin() as tx:
            row = (await tx.execute(payment_link.select())).one()
            times = {**row.times, state: world.clock.now().isoformat()}
            await tx.execute(payment_link.update().values(state=state, times=times))
    for status in ("open", "pending", "failed", "cancelled", "expired"):
        await attempted(world, link, status)
    await attempted(world, link, "paid", world.clock.now())
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    html = await browser.page(f"/desk/c/{talk}", **{"Accept-Language": language})
    assert "desk." not in plain(html) and "/revoke" not in html and "2026-0311" in html
    if language == "nl":
        page = plain(html)
        assert "€ 50,00 Ingetrokken 2026-0311 Gemaakt 10:01 Verstuurd 10:02 Bekeken 10:03 Betaling begonnen" in page
        assert "€ 50,00 iDEAL: betaald 10:08 · € 10,00 terug" in page


async def test_a_link_is_taken_back_once(world: World, server: Server) -> None:
    talk, _, link = await issued(world)
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    assert f"/desk/c/{talk}/links/{link.id}/revoke" in await browser.page(f"/desk/c/{talk}")
    for _ in range(2):
        assert await revoke(browser, talk, link.id) == (303, f"/desk/c/{talk}?notice=link_revoked")
    page = await browser.page(f"/desk/c/{talk}?notice=link_revoked")
    assert "De betaallink is ingetrokken." in plain(page) and "/revoke" not in page
    done = [(row.action, row.subject) for row in await world.all(audit) if row.action == "revoke_link"]
    assert done == [("revoke_link", link.id)]


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("logged out", 401),
        ("another creditor", 404),
        ("another customer", 404),
        ("no link", 404),
        ("crisis", 403),
        ("a marketer", 403),
        ("a slip", 400),
        ("forged", 403),
        ("paid", 409),
        ("expired", 409),
    ],
)
async def test_what_is_not_taken_back(world: World, server: Server, case: str, status: int) -> None:
    talk, _, link = await issued(world)
    browser, key, form = server.browser(), str(link.id), {}
    if case == "another creditor":
        browser = await server.logged_in(await world.agent("Tom Tulp", key=TULP))
    elif case != "logged out":
        browser = await server.logged_in(await world.agent("Iemand", "marketer" if case == "a marketer" else "agent"))
    match case:
        case "another customer":
            talk = await world.talk(who=await world.debtor("Mia Peeters", "K-1043"), verified=True)
        case "no link":
            key = "0"
        case "crisis":
            async with world.db.begin() as tx:
                await tx.exec_driver_sql("UPDATE conversation SET care = true")
        case "a slip":
            form = {"confirm": "no"}
        case "forged":
            form = {"csrf": "forged"}
        case "paid" | "expired":
            await world.desk._s.links.mark(link.id, LinkState(case))
    before = (await world.all(payment_link))[0].state
    assert (await revoke(browser, talk, key, **form))[0] == status
    assert (await world.all(payment_link))[0].state == before
