"""What an agent sees of somebody who says to have paid: the claim, and its pictures, which nobody else sees."""

from datetime import date

import pytest

from billing.claims import Claims
from core.ids import ConversationId, DebtorId, InvoiceId, TurnId
from core.money import Money
from store.tables.staff import audit
from tests.billing.test_claims import PNG
from tests.desk.conftest import Server
from tests.desk.test_pages import plain
from tests.desk.world import TULP, World


async def claimed(world: World) -> tuple[ConversationId, DebtorId, str]:
    """A conversation, whose it is, and the id of the picture."""
    who = DebtorId(await world.debtor("Jan Verhoeven", "K-1042"))
    invoice = InvoiceId(await world.invoice(who, "2026-0311", 8995, date(2026, 10, 20)))
    talk = await world.talk(who=who, verified=True)
    claims = Claims(world.db, world.clock)
    config = await world.desk._s.creditors.get("bloem")
    made = await claims.make(
        talk, who, [invoice], paid_on=date(2026, 11, 20), amount=Money(8995), account_end="6789", key="t1",
        creditor=config,
    )  # fmt: skip
    await claims.keep(made.id, TurnId("t1"), [PNG, b"<html><script>alert(1)</script></html>"])
    (seen,) = await claims.of(who)
    return talk, who, seen.proofs[0]


async def test_a_claim_is_seen_with_its_picture(world: World, server: Server) -> None:
    talk, _, picture = await claimed(world)
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    html = await browser.page(f"/desk/c/{talk}")
    page = plain(html)
    assert "Zegt betaald te hebben Wordt gezocht" in page and "89,95" in page and "…6789" in page
    assert "Er is ook iets gestuurd dat geen foto is" in page
    path = f"/desk/c/{talk}/proofs/{picture}"
    assert path in html
    response = await browser.get(path)
    assert (response.status, response.content_type, await response.read()) == (200, "image/png", PNG)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert [(row.action, row.subject) for row in await world.all(audit) if row.action == "look"] == [("look", picture)]


@pytest.mark.parametrize(
    ("case", "status"),
    [("logged out", 303), ("another creditor", 404), ("another talk", 404), ("no picture", 404), ("crisis", 403)],
)  # fmt: skip
async def test_nobody_else_sees_the_picture(world: World, server: Server, case: str, status: int) -> None:
    talk, _, picture = await claimed(world)
    browser = server.browser()
    if case == "another creditor":
        browser = await server.logged_in(await world.agent("Tom Tulp", key=TULP))
    elif case != "logged out":
        browser = await server.logged_in(await world.agent("Sanne de Wit"))
    if case == "another talk":
        talk = await world.talk(who=await world.debtor("Mia Peeters", "K-1043"), verified=True)
    elif case == "crisis":
        async with world.db.begin() as tx:
            await tx.exec_driver_sql("UPDATE conversation SET care = true")
    elif case == "no picture":
        picture = "0"
    response = await browser.get(f"/desk/c/{talk}/proofs/{picture}")
    assert response.status == status
    assert PNG not in await response.read()
