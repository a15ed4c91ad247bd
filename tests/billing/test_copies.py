"""Copies of invoices: what stands in one, who gets it, and for how long."""

# ruff: noqa: E501 (tables)

import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from pypdf import PdfReader
from sqlalchemy import insert, select, update

from billing import copy_page
from billing.copies import DAYS, Copies, Copy, last_day
from billing.copy_pdf import render
from billing.imports import ubl
from billing.invoice_events import InvoiceEvents, Kind, note
from billing.ledger import Account, Posting, book
from billing.ledger import Kind as BookingKind
from core.clock import Clock
from core.creditor import Brand, Creditor
from core.errors import NotFound
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.lifecycle import LinkState
from core.message import Locale
from core.money import Money
from locales import Renderer
from store.events import BOOKED
from store.tables.invoices import invoice_copy, invoice_event
from store.tables.money import invoice
from store.tables.people import debtor, hold
from store.tables.talk import event
from tests.billing.house import BLOEM, House, Keys
from tests.billing.test_ubl import PDF
from tests.billing.ubl_files import File, Row
from tests.qr_reader import read_pixels

TEXTS = Renderer()


@dataclass
class Desk:
    """The page of copies, open on loopback."""

    house: House
    copies: Copies
    events: InvoiceEvents
    url: str
    http: aiohttp.ClientSession
    hasty: list[str]  # tokens that are asked for too fast

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Any]:
        async with self.http.get(f"{self.url}{path}", headers=headers, allow_redirects=False) as response:
            return response.status, await response.read(), response.headers


@asynccontextmanager
async def _open(house: House, clock: Clock) -> AsyncIterator[Desk]:
    copies, events = Copies(house.database, clock, house.invoices), InvoiceEvents(house.database, clock)
    hasty: list[str] = []
    app = web.Application()
    app.add_routes(
        copy_page.routes(house.database, clock, copies, events, Keys(), lambda _, token: 30 * (token in hasty))
    )
    listening = socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    async with aiohttp.ClientSession() as http:
        yield Desk(house, copies, events, f"http://127.0.0.1:{listening.getsockname()[1]}", http, hasty)
    await runner.cleanup()


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    async with _open(house, house.clock) as opened:
        yield opened


async def load(house: House, file: File, creditor: Creditor = BLOEM) -> tuple[DebtorId, InvoiceId]:
    result = await ubl.load(house.database, house.clock, creditor, file.xml())
    assert not result.bad
    found = await house.invoices.by_number(CreditorKey(creditor.key), file.number)
    assert found is not None
    return found.debtor, found.id


async def issue(desk: Desk, who: DebtorId, key: InvoiceId, cause: str = "turn-1:copy", locale: str = "nl") -> Copy:
    return await desk.copies.issue(who, key, cause=cause, creditor=BLOEM, locale=Locale(locale))


async def text_of(desk: Desk, copy: Copy) -> tuple[str, PdfReader]:
    def speak(key: str, **args: Any) -> str:
        return TEXTS.text(key, copy.locale, **args)

    reader = PdfReader(io.BytesIO(render(await desk.copies.contents(copy), speak, copy.locale, desk.house.clock.now())))
    return "\n".join(page.extract_text() for page in reader.pages).replace("\u00a0", " "), reader


LINES = File(
    rows=[Row("Monstera Łódź", "41.239669"), Row("Uur advies", "61.333", "1.5", unit="HUR", rate="9")],
    extras=[Row("Welkomstkorting", "-5.00")],
)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("nl", ["Kopie van factuur U-1", "Btw 21%", "Staat nog open", "1,5 h", "31 oktober 2026", "€ 144,13"]),
        ("en", ["Copy of invoice U-1", "VAT 21%", "Still open", "1.5 h", "31 October 2026", "€144.13"]),
        ("fr", ["Copie de la facture U-1", "TVA 21", "Reste à payer", "1,5 h", "31 octobre 2026", "144,13 €"]),
        ("de", ["Kopie der Rechnung U-1", "USt. 21", "Noch offen", "1,5 h", "31. Oktober 2026", "144,13 €"]),
    ],
)
async def test_what_stands_in_a_copy(desk: Desk, locale: str, words: list[str]) -> None:
    copy = await issue(desk, *await load(desk.house, LINES), locale=locale)
    text, reader = await text_of(desk, copy)
    for word in [
        *words, "Bloem & <Blad> BV", "KvK 12345678", "NL02 ABNA 0123 4567 89", "Fientje Fictief", "Nergenslaan 1a",
        "1234 AB Nepstad", "RF18 5390 0754 7034", "Monstera Łódź", "Welkomstkorting", "41,24" if locale != "en" else "41.24",
    ]:  # fmt: skip
        assert word in text
    assert reader.metadata is not None and reader.metadata.title == words[0]
    assert reader.metadata.author == "Bloem & <Blad> BV"
    assert str(reader.root_object["/Lang"]) == locale


async def test_the_code_pays_what_is_open(desk: Desk) -> None:
    who, key = await load(desk.house, LINES)
    await desk.house.paid_elsewhere(key, 4413, "bank:1")
    text, reader = await text_of(desk, await issue(desk, who, key))
    assert "Betaald of verrekend € -44,13" in text and "Staat nog open € 100,00" in text
    (image,) = reader.pages[0].images
    assert image.image is not None
    said = read_pixels(np.asarray(image.image.convert("L")))
    assert said.split("\n")[5:10] == ["Bloem & <Blad> BV", "NL02ABNA0123456789", "EUR100.00", "", "RF18539007547034"]


async def charged(house: House, who: DebtorId, key: InvoiceId) -> None:
    sides = [Posting(Account.COSTS, Money(4000), who, key), Posting(Account.FEES, Money(-4000))]
    async with house.database.begin() as tx:
        await book(tx, CreditorKey("bloem"), BookingKind.CHARGE, sides, cause="charge:1", at=house.clock.now())


async def disputed(house: House, who: DebtorId, key: InvoiceId) -> None:
    talk, since = await house.talk(who), house.clock.now()
    async with house.database.begin() as tx:
        row = {"id": new_id(), "creditor_id": "bloem", "reason": "dispute", "debtor_id": who, "conversation_id": talk}
        await tx.execute(insert(hold).values(**row, by="turn:1", since=since))


async def settled(house: House, who: DebtorId, key: InvoiceId) -> None:
    await house.paid_elsewhere(key, 14413, "bank:1")


async def corrected(house: House, who: DebtorId, key: InvoiceId) -> None:
    async with house.database.begin() as tx:
        await tx.execute(update(invoice).values(amount=20000))


@pytest.mark.parametrize(
    ("happened", "there", "not_there", "codes"),
    [
        pytest.param(charged, ["Kosten en rente € 40,00", "Staat nog open € 184,13"], [], 1, id="costs on top"),
        pytest.param(disputed, ["We zoeken eerst uit"], ["Maak over"], 0, id="disputed"),
        pytest.param(settled, ["Deze factuur is betaald", "Staat nog open € 0,00"], ["Maak over"], 0, id="paid"),
        pytest.param(corrected, ["Monstera Łódź, Uur advies"], ["Welkomstkorting", "Btw"], 1, id="lines that fit no more"),
    ],
)  # fmt: skip
async def test_what_happened_since(
    desk: Desk, happened: Any, there: list[str], not_there: list[str], codes: int
) -> None:
    await desk.house.debtor("K1")
    who, key = await load(desk.house, LINES)
    await happened(desk.house, who, key)
    text, reader = await text_of(desk, await issue(desk, who, key))
    assert [word for word in there if word not in text] == []
    assert [word for word in not_there if word in text] == []
    assert len(reader.pages[0].images) == codes


async def test_an_invoice_that_a_csv_file_brought(desk: Desk) -> None:
    who = await desk.house.debtor("K1")
    key = await desk.house.invoice(who, "F-1", 4990, date(2026, 12, 1), description="Kamerplanten")
    text, _ = await text_of(desk, await issue(desk, who, key))
    assert "Kamerplanten" in text and "€ 49,90" in text and "Aantal" not in text


async def test_many_lines_take_more_pages(desk: Desk) -> None:
    file = File(rows=[Row(f"Plant nummer {number}", "1.00") for number in range(120)])
    text, reader = await text_of(desk, await issue(desk, *await load(desk.house, file)))
    assert len(reader.pages) > 2
    assert all(f"Plant nummer {number}" in text for number in range(120))
    assert text.count("Omschrijving") == len(reader.pages) - (reader.pages[-1].extract_text().count("Plant") == 0)


@pytest.mark.parametrize(
    ("rows", "buyer", "there", "not_there"),
    [
        pytest.param([Row("x" * 1_900, "1.00")], "Fientje", "Staat nog open", "?", id="a word without end"),
        pytest.param([Row("Plant", "1.00")], "Fientje 🌱 محمد", "Fientje", "?", id="letters that the font lacks"),
        pytest.param([Row("Plant", "999999999.99", "99")], "Fientje", "Staat nog open", "Of scan", id="too much for a code"),
        pytest.param([Row("Plant", "1.00")] * 301, "Fientje", "Btw 21%", "Aantal", id="more lines than fit"),
        pytest.param([Row("**Plant** [x](http://x.example)", "1.00")], "Fientje", "**Plant** [x]", "?", id="no markup"),
    ],
)  # fmt: skip
async def test_odd_contents(desk: Desk, rows: list[Row], buyer: str, there: str, not_there: str) -> None:
    copy = await issue(desk, *await load(desk.house, File(rows=rows, buyer=buyer)))
    text, _ = await text_of(desk, copy)
    assert there in text and not_there not in text


async def test_a_page_and_its_file(desk: Desk) -> None:
    who, key = await load(desk.house, File("2026/0042 é"))
    copy = await issue(desk, who, key)
    assert len(copy.token) >= 22  # 128 bits
    status, body, headers = await desk.get(f"/i/{copy.token}")
    assert status == 200 and f'href="/i/{copy.token}/copy.pdf"'.encode() in body
    assert b"[nl:copy.page_until] 2026-" in body and b"5971" not in body and b"Fientje" not in body
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    for path in (f"/i/{copy.token}", f"/i/{copy.token}/copy.pdf"):
        _, _, headers = await desk.get(path)
        assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")
        assert headers["Referrer-Policy"] == "no-referrer"
    status, body, headers = await desk.get(f"/i/{copy.token}/copy.pdf")
    assert (status, headers["Content-Type"]) == (200, "application/pdf")
    assert body.startswith(b"%PDF-")
    disposition = headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="nl-copy.file-2026-0042.pdf"; ')
    assert disposition.endswith("2026%2F0042%20%C3%A9.pdf")


@pytest.mark.parametrize("corrected_since", [False, True], ids=["as printed", "no longer right"])
async def test_what_the_creditor_has_printed(desk: Desk, corrected_since: bool) -> None:
    who, key = await load(desk.house, File(pdf=PDF))
    if corrected_since:
        await corrected(desk.house, who, key)
    copy = await issue(desk, who, key)
    _, body, _ = await desk.get(f"/i/{copy.token}/copy.pdf")
    assert (body == PDF) is not corrected_since


async def test_a_copy_is_over_after_some_days(desk: Desk) -> None:
    copy = await issue(desk, *await load(desk.house, File()))
    told = last_day(copy.expires_at, BLOEM)
    assert told == desk.house.clock.now().astimezone(BLOEM.zone).date() + timedelta(days=DAYS)
    # To the end of the day that the person was told.
    desk.house.clock.advance(seconds=(copy.expires_at - desk.house.clock.now()).total_seconds() - 60)
    assert desk.house.clock.now().astimezone(BLOEM.zone).date() == told
    assert (await desk.get(f"/i/{copy.token}"))[0] == 200
    desk.house.clock.advance(minutes=1)
    for path in (f"/i/{copy.token}", f"/i/{copy.token}/copy.pdf"):
        status, body, headers = await desk.get(path)
        assert (status, headers["Cache-Control"]) == (410, "no-store")
        assert b"[nl:copy.page_over]" in body and b"U-1" not in body and b"Bloem &amp; &lt;Blad&gt;" in body


async def test_nobody_knows_other_addresses(desk: Desk) -> None:
    status, body, headers = await desk.get("/i/nothing", **{"Accept-Language": "fr"})
    assert (status, headers["Cache-Control"]) == (404, "no-store")
    assert b"[fr:copy.page_unknown]" in body


async def test_who_asks_too_fast_waits(desk: Desk) -> None:
    copy = await issue(desk, *await load(desk.house, File()))
    desk.hasty.append(copy.token)
    for path in (f"/i/{copy.token}", f"/i/{copy.token}/copy.pdf"):
        status, body, headers = await desk.get(path)
        assert (status, headers["Retry-After"]) == (429, "30")
        assert b"copy.page_slow" in body
    assert await desk.events.of(DebtorId("K1")) == []


async def test_a_copy_is_its_debtors_and_one_a_cause(desk: Desk) -> None:
    who, key = await load(desk.house, File())
    other = await desk.house.debtor("K2")
    first = await issue(desk, who, key)
    assert await issue(desk, who, key) == first
    assert (await issue(desk, who, key, "turn-2:copy")).token != first.token
    with pytest.raises(NotFound):
        await issue(desk, other, key, "turn-3:copy")
    with pytest.raises(NotFound):
        await desk.copies.issue(
            who, key, cause="x", creditor=BLOEM.model_copy(update={"key": "velo"}), locale=Locale("nl")
        )
    async with desk.house.database.read() as tx:
        assert len((await tx.execute(select(invoice_copy))).all()) == 2


async def test_a_light_brand_has_dark_letters(desk: Desk) -> None:
    await desk.house.change(BLOEM.model_copy(update={"brand": Brand(color="#ffee00")}))
    copy = await issue(desk, *await load(desk.house, File()))
    assert b"color: #000000; background: #ffee00" in (await desk.get(f"/i/{copy.token}"))[1]
    assert (await desk.get(f"/i/{copy.token}/copy.pdf"))[0] == 200


async def kinds(desk: Desk, who: DebtorId) -> list[Kind]:
    return [event.kind for event in await desk.events.of(who)]


async def test_viewed_once_a_page(desk: Desk) -> None:
    who, key = await load(desk.house, File())
    copy = await issue(desk, who, key)
    async with desk.http.head(f"{desk.url}/i/{copy.token}") as response:
        assert response.status == 200
    assert await kinds(desk, who) == []
    for _ in range(3):
        await desk.get(f"/i/{copy.token}")
    assert await kinds(desk, who) == [Kind.VIEWED]
    link = await desk.house.link(who, [key])
    assert [await desk.house.links.mark(link.id, LinkState.VIEWED) for _ in range(2)] == [True, False]
    assert await kinds(desk, who) == [Kind.VIEWED, Kind.VIEWED]


async def test_paid_when_nothing_is_open(desk: Desk) -> None:
    who, key = await load(desk.house, File())

    async def pay(minor: int, cause: str) -> None:
        await desk.house.paid_elsewhere(key, minor, cause)
        for payload in await booked(desk.house):
            await desk.events.booked(payload)

    await pay(5970, "bank:1")
    assert await kinds(desk, who) == []
    await pay(1, "bank:2")
    assert await kinds(desk, who) == [Kind.PAID]
    await pay(-100, "bank:3")  # taken back
    await pay(100, "bank:4")
    assert await kinds(desk, who) == [Kind.PAID, Kind.PAID]


async def booked(house: House) -> list[dict[str, Any]]:
    async with house.database.read() as tx:
        rows = await tx.execute(select(event.c.payload).where(event.c.name == BOOKED).order_by(event.c.seq))
        return list(rows.scalars())


@pytest.mark.parametrize(
    ("cause", "args", "expected"),
    [
        pytest.param("turn-1:1", {"page": {"page": "COPY"}, "number": "U-1"}, [Kind.SENT], id="a copy"),
        pytest.param("reminder:INVOICE:upcoming", {"invoice": "U-1"}, [Kind.SENT], id="a reminder"),
        pytest.param("reminder:nobody:upcoming", {}, [], id="a reminder of nothing"),
        pytest.param("turn-1:1", {"number": "U-1"}, [], id="another message"),
    ],
)
async def test_sent_with_a_message(desk: Desk, cause: str, args: dict[str, Any], expected: list[Kind]) -> None:
    who = await desk.house.debtor("K1")
    _, key = await load(desk.house, File())
    copy = await issue(desk, who, key)
    if "page" in args:
        args = {**args, "page": {"page": copy.id}}
    await desk.house.said("out-1", who, args, cause.replace("INVOICE", key))
    for _ in range(2):
        await desk.events.message_sent({"outbound_id": "out-1"})
    await desk.events.message_sent({"outbound_id": "gone"})
    assert await kinds(desk, who) == expected


async def test_events_are_of_one_debtor_and_in_order(desk: Desk) -> None:
    who, key = await load(desk.house, File())
    other, another = await load(desk.house, replace(File(), number="U-2", customer="K2"))
    for place in range(20):
        desk.house.clock.advance(minutes=1)
        async with desk.house.database.begin() as tx:
            await note(tx, [key, another], Kind.VIEWED, f"copy:{place % 15}", desk.house.clock.now())
    found = await desk.events.of(who)
    assert {event.number for event in found} == {"U-1"} and len(found) == 12
    assert [event.at for event in found] == sorted(event.at for event in found)
    async with desk.house.database.read() as tx:
        assert len((await tx.execute(select(invoice_event))).all()) == 30
        assert len((await tx.execute(select(debtor))).all()) == 2
    assert [event.number for event in await desk.events.of(other)] == ["U-2"] * 12
