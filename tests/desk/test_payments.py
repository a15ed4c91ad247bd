"""What an agent sees of the bank account, and what her clicks book."""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from billing.statements.xml import MAX_BYTES
from core.agent import Role
from payments.references import creditor_reference
from store.tables.bank import bank_decision, bank_line
from store.tables.money import payment, posting
from store.tables.staff import audit
from tests.billing.statements.written import Entry, Stmt, Tx, one, written
from tests.desk.conftest import Browser, Server
from tests.desk.test_pages import NASTY, plain
from tests.desk.world import TULP, World

IBAN = "NL91ABNA0417164300"


async def upload(browser: Browser, content: bytes | None, **form: str) -> ClientResponse:
    data = FormData()
    for name, value in ({"csrf": browser.csrf} | form).items():
        data.add_field(name, value)
    if content is not None:
        data.add_field("statement", BytesIO(content), filename="camt053.xml", content_type="application/xml")
    address = f"{browser.url}/desk/payments/statement"
    return await browser.http.post(address, data=data, allow_redirects=False)


def lines(page: str) -> list[str]:
    return re.findall(r'<li id="l-(\w+)"', page)


async def _open(world: World) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in await world.all(posting):
        if row.invoice_id:
            sums[row.invoice_id] = sums.get(row.invoice_id, 0) + row.minor
    return sums


async def _waiting(world: World, browser: Browser, txs: Sequence[Tx]) -> list[str]:
    assert (await upload(browser, one(*txs))).status == 200
    return lines(await browser.page("/desk/payments"))


async def test_a_statement_is_uploaded_and_its_doubtful_lines_are_listed(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    jan = await world.debtor("Jan Verhoeven", "K-1")
    first = await world.invoice(jan, "F-2026-001", 5000, date(2026, 11, 1))
    await world.invoice(jan, "F-2026-002", 7500, date(2026, 11, 2))
    assert "niets" not in plain(await browser.page("/desk/payments"))
    content = one(
        Tx(5000, "J Verhoeven", IBAN, reference=creditor_reference("F-2026-001")),
        Tx(7510, "VERHOEVEN J", "NL20INGB0001234567", text="huur " + NASTY),
        Tx(123, "Onbekende BV"),
        Tx(-99, "Leverancier"),
    )
    page = await (await upload(browser, content)).text()
    assert "Geboekt 1, voorstel 1, onbekend 1, eigen afschrijvingen 1, al bekend 0" in plain(page)
    assert len(lines(page)) == 2 and NASTY not in page
    words = plain(page)
    assert "Voorstel: factuur F-2026-002 van Jan Verhoeven, open € 75,00" in words
    assert "€ 75,10" in words and "rekening eindigt op 4567" in words and "NL20" not in words
    assert "Onbekende BV" in words and "Leverancier" not in words
    assert (await _open(world))[first] == 0
    again = await (await upload(browser, content)).text()
    assert "was al ingelezen" in again and lines(again) == lines(page)


async def test_a_suggestion_is_confirmed_once(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    browser = await server.logged_in(sanne)
    invoice = await world.invoice(await world.debtor("Jan Verhoeven", "K-1"), "F-1", 7500, date(2026, 11, 2))
    (line,) = await _waiting(world, browser, [Tx(7400, "J. Verhoeven")])
    for _ in range(2):
        answer = await browser.post(f"/desk/payments/{line}/confirm", seen="0")
        assert (answer.status, answer.headers["Location"]) == (303, "/desk/payments?notice=payment_booked")
    assert (await _open(world))[invoice] == 100
    (decision,) = await world.all(bank_decision)
    assert (decision.outcome, decision.rule, decision.agent_id, decision.invoice_id) == (
        "booked", "name", sanne.id, invoice,
    )  # fmt: skip
    assert [(row.action, row.subject) for row in await world.all(audit)][-1] == ("payment_booked", line)
    assert lines(await browser.page("/desk/payments?notice=payment_booked")) == []


async def test_a_suggestion_of_two_invoices_is_booked_on_both(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    jan = await world.debtor("Jan Verhoeven", "K-1")
    invoices = [await world.invoice(jan, f"F-{n}", 5000 + n, date(2026, 11, n)) for n in (1, 2)]
    (line,) = await _waiting(world, browser, [Tx(10_003, "Oma", text="F-1 en F-2")])
    assert "factuur F-1, F-2 van Jan Verhoeven, open € 100,03" in plain(await browser.page("/desk/payments"))
    assert (await browser.post(f"/desk/payments/{line}/confirm", seen="0")).status == 303
    assert await _open(world) == dict.fromkeys(invoices, 0)
    assert [row for row in await world.all(posting) if row.account == "credit"] == []


async def test_an_invoice_is_chosen_by_its_number(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    invoice = await world.invoice(await world.debtor("Jan Verhoeven", "K-1"), "F-1", 7500, date(2026, 11, 2))
    (line,) = await _waiting(world, browser, [Tx(10_000, "Oma Verhoeven-Smit")])
    wrong = await browser.post(f"/desk/payments/{line}/choose", seen="0", number="F-2")
    assert wrong.status == 400 and "geen factuur" in await wrong.text()
    assert await world.all(bank_decision) == []
    assert (await browser.post(f"/desk/payments/{line}/choose", seen="0", number=" f-1 ")).status == 303
    assert (await _open(world))[invoice] == 0
    assert [row.minor for row in await world.all(posting) if row.account == "credit"] == [-2500]


async def test_what_was_put_aside_can_be_booked_later(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    invoice = await world.invoice(await world.debtor("Jan Verhoeven", "K-1"), "F-1", 500, date(2026, 11, 2))
    (line,) = await _waiting(world, browser, [Tx(123, "Gemeente")])
    for reason in (" ", "x" * 201):
        refused = await browser.post(f"/desk/payments/{line}/aside", seen="0", reason=reason)
        assert refused.status == 400
    for _ in range(2):
        assert (await browser.post(f"/desk/payments/{line}/aside", seen="0", reason="subsidie")).status == 303
    assert lines(await browser.page("/desk/payments")) == []
    page = await browser.page("/desk/payments?tab=aside")
    assert lines(page) == [line] and "Sanne de Wit legde dit apart: subsidie" in plain(page)
    stale = await browser.post(f"/desk/payments/{line}/choose", seen="0", number="F-1")
    assert stale.status == 409
    assert (await browser.post(f"/desk/payments/{line}/choose", seen="1", number="F-1")).status == 303
    assert (await _open(world))[invoice] == 377
    assert lines(await browser.page("/desk/payments?tab=aside")) == []


async def test_of_two_agents_at_once_one_wins_and_the_other_is_told(world: World, server: Server) -> None:
    jan = await world.debtor("Jan Verhoeven", "K-1")
    invoices = [await world.invoice(jan, f"F-{n}", 500, date(2026, 11, n)) for n in (1, 2)]
    agents = [await world.agent("Sanne de Wit"), await world.agent("Karim Haddad")]
    browsers = [await server.logged_in(agent) for agent in agents]
    (line,) = await _waiting(world, browsers[0], [Tx(500, "Oma")])
    answers = await asyncio.gather(
        *(
            browser.post(f"/desk/payments/{line}/choose", seen="0", number=f"F-{n}")
            for n, browser in enumerate(browsers, 1)
        )
    )
    assert sorted(answer.status for answer in answers) == [303, 409]
    winner = next(n for n, answer in enumerate(answers) if answer.status == 303)
    told = plain(await answers[1 - winner].text())
    assert f"{agents[winner].name} was je voor" in told
    assert await _open(world) == {invoices[winner]: 0, invoices[1 - winner]: 500}
    assert len(await world.all(bank_decision)) == len(await world.all(payment)) == 1


async def test_what_went_back_is_booked_by_a_person_where_nobody_knew(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    invoice = await world.invoice(await world.debtor("Jan Verhoeven", "K-1"), "F-1", 500, date(2026, 11, 2))
    out, back = await _waiting(world, browser, [Tx(500, "Oma"), Tx(-500, "Oma", IBAN, reason="AC04")])
    assert "Teruggeboekt (AC04)" in plain(await browser.page("/desk/payments"))
    for line, expected in ((out, 0), (back, 500)):
        assert (await browser.post(f"/desk/payments/{line}/choose", seen="0", number="F-1")).status == 303
        assert (await _open(world))[invoice] == expected


@pytest.mark.parametrize("role", Role)
async def test_who_may(world: World, server: Server, role: Role) -> None:
    leader = await server.logged_in(await world.agent("Lena", "supervisor"))
    (line,) = await _waiting(world, leader, [Tx(500, "Oma")])
    browser = await server.logged_in(await world.agent("Iemand", role))
    allowed = role in (Role.AGENT, Role.SUPERVISOR, Role.ADMIN)
    assert ("/desk/payments" in await browser.page("/desk")) is allowed
    answers = [
        await browser.get("/desk/payments"),
        await upload(browser, one(Tx(1), number="x")),
        await browser.post(f"/desk/payments/{line}/choose", seen="0", number="F-1"),
        await browser.post(f"/desk/payments/{line}/aside", seen="0", reason="x"),
    ]
    assert [answer.status for answer in answers] == ([200, 200, 400, 303] if allowed else [403] * 4)
    assert len(await world.all(bank_line)) == (2 if allowed else 1)


async def test_another_creditors_line_is_not_there(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    (line,) = await _waiting(world, browser, [Tx(500, "Oma")])
    other = await server.logged_in(await world.agent("Tom", key=TULP))
    assert lines(await other.page("/desk/payments")) == []
    for what in ("confirm", "choose", "aside"):
        answer = await other.post(f"/desk/payments/{line}/{what}", seen="0", number="F-1", reason="x")
        assert answer.status == 404
    assert await world.all(bank_decision) == []


@pytest.mark.parametrize("what", ["confirm", "choose", "aside"])
async def test_a_form_is_ours(world: World, server: Server, what: str) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    (line,) = await _waiting(world, browser, [Tx(500, "Oma")])
    address = f"/desk/payments/{line}/{what}"
    forged = await browser.post(address, csrf="forged", seen="0", number="F-1", reason="x")
    stranger = await server.browser().post(address, seen="0", number="F-1", reason="x")
    assert (forged.status, stranger.status) == (403, 401)
    assert await world.all(bank_decision) == []


REFUSED: dict[str, tuple[bytes | None, int, str]] = {
    "no file": (None, 400, "Kies eerst een bestand"),
    "empty": (b"", 400, "Kies eerst een bestand"),
    "no xml": (b"hallo", 400, "geen leesbare XML (regel 1)"),
    "balance": (written(Stmt([Entry([Tx(1)])], closing=7)), 400, "komen beginsaldo en boekingen uit op € 1.000,01"),
    "another account": (written(Stmt([], account=IBAN)), 400, f"het is van rekening {IBAN}"),
    "large": (b" " * (MAX_BYTES + 1), 400, "groter dan 16 MB"),
    "larger": (b" " * (MAX_BYTES + 1024**2), 413, ""),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_is_refused(world: World, server: Server, name: str) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    content, status, why = REFUSED[name]
    answer = await upload(browser, content)
    assert answer.status == status
    assert why in plain(await answer.text())
    assert await world.all(bank_line) == []


async def test_an_upload_is_ours(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    assert (await upload(browser, one(Tx(1)), csrf="forged")).status == 403
    assert (await upload(server.browser(), one(Tx(1)))).status == 401
    assert await world.all(bank_line) == []


@pytest.mark.parametrize("language", ["nl", "en", "fr", "de"])
async def test_every_kind_of_line_in_every_language(world: World, server: Server, language: str) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    jan = await world.debtor("Jan Verhoeven", "K-1")
    for number, minor in (("17", 900), ("F-2026-002", 7500)):
        await world.invoice(jan, number, minor, date(2026, 11, 2))
    entries = [
        Entry([Tx(901, text="17")]),
        Entry([Tx(7510, "J. Verhoeven")]),
        Entry([Tx(5, "Oma", IBAN)]),
        Entry([Tx(5)], reversal=True),
        Entry([Tx(-5, reason="MD06")]),
    ]
    assert (await upload(browser, written(Stmt(entries)))).status == 200
    assert (await upload(browser, written(Stmt(entries, number="again")))).status == 200
    rules: list[Any] = [row.suggested_rule for row in await world.all(bank_line)]
    assert {"number", "name", None} <= set(rules)
    page = await browser.page("/desk/payments", **{"Accept-Language": language})
    assert len(lines(page)) == 10 and f'lang="{language}"' in page
    assert "desk." not in plain(page)
