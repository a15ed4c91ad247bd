"""What leads see of a day's money, and of what the shop has not heard."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select

from core.agent import Role
from store.tables.money import booking, posting
from store.tables.staff import audit
from store.tables.webhooks import shop_webhook
from tests.desk.conftest import Server
from tests.desk.test_pages import plain
from tests.desk.world import BLOEM, TULP, World

PAGES = ("/desk/remittance", "/desk/remittance.csv", "/desk/webhooks")


async def paid(world: World) -> None:
    who = await world.debtor("Jan Verhoeven", "=K-1042")
    key = await world.invoice(who, "F2026-0042", 4995, date(2026, 11, 1))
    async with world.db.begin() as tx:
        row = {"id": "b1", "creditor_id": BLOEM, "cause": "bank:1", "kind": "payment", "at": world.clock.now()}
        await tx.execute(insert(booking).values(**row))
        common = {"booking_id": "b1", "currency": "EUR"}
        side = {"account": "receivable", "debtor_id": who, "invoice_id": key, "minor": -4995}
        await tx.execute(insert(posting).values(**common, account="bank", minor=4995))
        await tx.execute(insert(posting).values(**common, **side))


async def unheard(world: World, creditor: str = BLOEM) -> str:
    who = await world.debtor("Jan Verhoeven", f"K-{creditor}", creditor)  # type: ignore[arg-type]
    now = world.clock.now()
    row: dict[str, Any] = {"id": f"msg_{creditor}", "creditor_id": creditor, "debtor_id": who, "cause": creditor}
    row |= {"event": "invoice.paid", "body": "{}", "state": "failed", "attempts": 10, "error": "503"}
    async with world.db.begin() as tx:
        await tx.execute(insert(shop_webhook).values(**row, next_at=now, created_at=now, ended_at=now))
    return f"msg_{creditor}"


@pytest.mark.parametrize("role", Role)
async def test_who_may_see_it(world: World, server: Server, role: Role) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit", role))
    allowed = role in (Role.SUPERVISOR, Role.ADMIN)
    identifier = await unheard(world)
    for page in PAGES:
        assert (await browser.get(page)).status == (200 if allowed else 403)
    answer = await browser.post(f"/desk/webhooks/{identifier}/again")
    assert answer.status == (303 if allowed else 403)
    assert ('href="/desk/remittance"' in await browser.page("/desk")) is allowed


@pytest.mark.parametrize("language", ["nl", "en", "fr", "de"])
async def test_a_day(world: World, server: Server, language: str) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit", "supervisor"))
    await paid(world)
    shown = plain(await browser.page("/desk/remittance?day=2026-11-24", **{"Accept-Language": language}))
    assert "=K-1042" in shown and "F2026-0042" in shown and "49" in shown
    empty = await browser.page("/desk/remittance?day=2026-11-23", **{"Accept-Language": language})
    assert "F2026-0042" not in empty
    other = await server.logged_in(await world.agent("Tess Tulp", "admin", TULP))
    assert "F2026-0042" not in await other.page("/desk/remittance?day=2026-11-24")


async def test_the_file(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit", "admin")
    browser = await server.logged_in(sanne)
    await paid(world)
    answer = await browser.get("/desk/remittance.csv?day=2026-11-24")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="remittance-bloem-2026-11-24.csv"'
    lines = (await answer.text()).splitlines()
    assert lines[1] == "2026-11-24T10:00:00+01:00,payment,,,,,'=K-1042,F2026-0042,49.95,EUR"
    async with world.db.read() as tx:
        rows = await tx.execute(select(audit.c.agent_id, audit.c.subject).where(audit.c.action == "remittance"))
        assert [tuple(row) for row in rows] == [(sanne.id, "2026-11-24")]


@pytest.mark.parametrize("day", ["gisteren", "2026-02-30", "9999-12-31", "0001-01-01", "20261124000000"])
async def test_what_is_no_day(world: World, server: Server, day: str) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit", "admin"))
    for page in PAGES[:2]:
        assert (await browser.get(f"{page}?day={day}")).status == 404


async def test_sent_again_from_the_desk(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit", "admin")
    browser = await server.logged_in(sanne)
    ours, theirs = await unheard(world), await unheard(world, TULP)
    page = await browser.page("/desk/webhooks")
    assert "invoice.paid" in page and "503" in page and page.count("/again") == 1
    assert (await browser.post(f"/desk/webhooks/{theirs}/again")).status == 404
    answer = await browser.post(f"/desk/webhooks/{ours}/again")
    assert answer.headers["Location"] == "/desk/webhooks?notice=webhook_again"
    assert "/again" not in plain(await browser.page(answer.headers["Location"]))
    assert (await browser.post(f"/desk/webhooks/{ours}/again")).status == 409
    assert (await browser.post(f"/desk/webhooks/{ours}/again", csrf="x")).status == 403
    async with world.db.read() as tx:
        states = {row.id: row.state for row in await tx.execute(select(shop_webhook))}
    assert states == {ours: "queued", theirs: "failed"}
