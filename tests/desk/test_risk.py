"""The risk class in the desk: seen with its reason, decided with another, and taken back."""

from datetime import date

import pytest

from billing.risk import Risks
from core.ids import DebtorId
from store.tables.money import risk
from tests.desk.conftest import Server
from tests.desk.test_pages import plain
from tests.desk.world import TULP, World


async def test_a_class_is_seen_decided_and_taken_back(world: World, server: Server) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    await world.invoice(who, "2026-0311", 8995, date(2026, 10, 20))
    talk = await world.talk(who=who, verified=True)
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    page = plain(await browser.page(f"/desk/c/{talk}"))
    assert "Risicoklasse Geen geen regel is bereikt te laat betaald: 0" in page
    response = await browser.post(f"/desk/c/{talk}/risk", {"class": "high", "note": "zie <gesprek>"})
    assert (response.status, response.headers["Location"]) == (303, f"/desk/c/{talk}?notice=risk")
    page = await browser.page(f"/desk/c/{talk}?notice=risk")
    assert "zie &lt;gesprek&gt;" in page and "Hoog besloten in de desk" in plain(page)
    response = await browser.post(f"/desk/c/{talk}/risk", {"class": "rules"})
    assert response.status == 303
    assert "Risicoklasse Geen geen regel is bereikt" in plain(await browser.page(f"/desk/c/{talk}"))
    (row,) = await world.all(risk)
    assert row.withdrawn_at is not None


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"class": "dire", "note": "x"}, 400),
        ({"note": "x"}, 400),
        ({"class": "high", "note": " "}, 400),
        ({"class": "high", "note": "x" * 501}, 400),
        ({"class": "high", "note": "x", "csrf": "forged"}, 403),
    ],
)
async def test_what_is_no_decision(world: World, server: Server, form: dict[str, str], status: int) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    talk = await world.talk(who=who, verified=True)
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    assert (await browser.post(f"/desk/c/{talk}/risk", form)).status == status
    assert await world.all(risk) == []


async def test_another_creditors_agent_decides_nothing(world: World, server: Server) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    talk = await world.talk(who=who, verified=True)
    browser = await server.logged_in(await world.agent("Tom Tulp", key=TULP))
    assert (await browser.post(f"/desk/c/{talk}/risk", {"class": "high", "note": "x"})).status == 404
    config = await world.desk._s.creditors.get("bloem")
    assert (await Risks(world.db, world.clock).of(config, DebtorId(who))).by == "none"
