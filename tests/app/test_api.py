"""What a creditor's own systems tell us: with its key alone, and twice is once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from app.accounts import Accounts
from app.api import Api
from app.web import guarded
from billing.debits import Debits
from billing.risk import Risks
from billing.shop.notices import ShopNotices
from conversations.creditors import Creditors
from store.database import Database
from store.tables.money import direct_debit, letter, risk
from store.tables.people import debtor
from store.tables.talk import event
from store.wake import LocalWake
from tests.billing.house import BLOEM, VELO, House
from tests.clock import FakeClock

KEY, OTHER = "k" * 32, "o" * 32
DEBIT = {"invoice_number": "F1", "amount": "49.90", "reason": "AM04", "iban_end": "6789"}


@dataclass
class Line:
    house: House
    client: TestClient[web.Request, web.Application]

    async def tell(self, body: Any, key: str | None = KEY, idempotency: str | None = "d1") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        headers |= {"Idempotency-Key": idempotency} if idempotency is not None else {}
        given = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self.client.post("/api/v1/direct-debits", headers=headers, **given) as response:
            return response.status, await response.json()

    async def risk(self, body: Any, key: str = KEY, number: str = "K1") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {key}"}
        what = {"headers": headers} if body is None else {"headers": headers, "json": body}
        call = self.client.delete if body is None else self.client.put
        async with call(f"/api/v1/debtors/{number}/risk", **what) as response:
            return response.status, await response.text()

    async def letter(self, body: Any, key: str = KEY) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {key}"}
        async with self.client.post("/api/v1/letters", headers=headers, json=body) as response:
            return response.status, await response.text()

    async def letters(self) -> list[tuple[str, int, date | None]]:
        async with self.house.database.read() as tx:
            rows = await tx.execute(select(letter))
            return [(row.kind, row.costs, row.received_on) for row in rows]

    async def block(self, method: str, key: str = KEY, number: str = "K1") -> int:
        headers = {"Authorization": f"Bearer {key}"}
        async with self.client.request(method, f"/api/v1/debtors/{number}/block", headers=headers) as response:
            return response.status

    async def blocked_at(self) -> datetime | None:
        async with self.house.database.read() as tx:
            found: datetime | None = await tx.scalar(select(debtor.c.blocked_at).where(debtor.c.id == "bloem-K1"))
            return found

    async def classes(self) -> list[tuple[str, bool]]:
        """Each class that was told, and whether it stands."""
        async with self.house.database.read() as tx:
            rows = await tx.execute(select(risk).order_by(risk.c.id))
            return [(row.name, row.withdrawn_at is None) for row in rows]

    async def known(self) -> list[Any]:
        async with self.house.database.read() as tx:
            return list(await tx.execute(select(direct_debit)))

    async def told(self) -> list[Any]:
        async with self.house.database.read() as tx:
            return list(await tx.scalars(select(event.c.payload).where(event.c.name == "direct_debit.failed")))


def api(accounts: Accounts, database: Database, clock: FakeClock) -> Api:
    debits, risks, notices = Debits(database), Risks(database, clock), ShopNotices(database, clock, LocalWake())
    return Api(database, accounts, clock, Creditors(database), debits, risks, notices)


@pytest.fixture
async def line(database: Database, clock: FakeClock) -> AsyncIterator[Line]:
    house = House.of(database, clock)
    await house.creditor(BLOEM.model_copy(update={"api_key": "${BLOEM_KEY}"}))
    await house.creditor(VELO.model_copy(update={"api_key": "${VELO_KEY}"}))
    who = await house.debtor("K1")
    await house.invoice(who, "F1", 4990)
    accounts = Accounts(Creditors(database), {"BLOEM_KEY": KEY, "VELO_KEY": OTHER})
    await accounts.refresh()
    app = web.Application(middlewares=[guarded])
    app.add_routes(api(accounts, database, clock).routes())
    async with TestClient(TestServer(app)) as client:
        yield Line(house, client)


async def test_a_failed_debit_is_told_once(line: Line) -> None:
    first = await line.tell(DEBIT)
    assert first[0] == 202
    assert await line.tell(DEBIT) == first
    (row,) = await line.known()
    assert (row.id, row.amount, row.reason, row.iban_end) == (first[1]["id"], 4990, "AM04", "6789")
    assert await line.told() == [
        {
            "creditor_id": "bloem",
            "debtor_id": "bloem-K1",
            "invoice_id": "bloem-F1",
            "amount": 4990,
            "currency": "EUR",
            "reason": "AM04",
            "iban_end": "6789",
            "cause": "api:bloem:d1",
        }
    ]
    status, problem = await line.tell(DEBIT | {"reason": "AC04"})
    assert (status, problem["status"]) == (409, 409) and "key" in problem["detail"]
    assert (await line.tell(DEBIT, idempotency="d2"))[0] == 202
    assert len(await line.known()) == 2


@pytest.mark.parametrize("key", [None, "", "k" * 31, "x" * 32, KEY + "k", "é" * 32])
async def test_nobody_else_is_heard(line: Line, key: str | None) -> None:
    status, problem = await line.tell(DEBIT, key)
    assert (status, problem["status"]) == (401, 401)
    assert await line.known() == []


async def test_another_creditors_invoice_is_unknown(line: Line) -> None:
    assert (await line.tell(DEBIT, OTHER))[0] == 404
    assert await line.known() == []


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        pytest.param(b"{", 400, "JSON", id="no JSON"),
        pytest.param([], 400, "the body", id="no object"),
        pytest.param({"amount": "1"}, 400, "invoice_number", id="fields are missing"),
        pytest.param(DEBIT | {"iban": "NL02ABNA0123456789"}, 400, "iban", id="a field too many"),
        pytest.param(DEBIT | {"iban_end": "NL02ABNA0123456789"}, 400, "iban_end", id="a whole account"),
        pytest.param(DEBIT | {"reason": "no money"}, 400, "reason", id="no code"),
        pytest.param(DEBIT | {"amount": "veel"}, 400, "1234.56", id="no amount"),
        pytest.param(DEBIT | {"amount": 49.9}, 400, "amount", id="a float"),
        pytest.param(DEBIT | {"amount": "-1"}, 400, "amount", id="less than nothing"),
        pytest.param(DEBIT | {"currency": "USD"}, 400, "EUR", id="another currency"),
        pytest.param(DEBIT | {"amount": "49.91"}, 409, "open", id="more than is open"),
        pytest.param(DEBIT | {"invoice_number": "F9"}, 404, "F9", id="no such invoice"),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(line: Line, body: Any, status: int, named: str) -> None:
    answered, problem = await line.tell(body)
    assert (answered, named in problem["detail"]) == (status, True), problem
    assert "NL02" not in problem["detail"]
    assert (await line.known(), await line.told()) == ([], [])


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 101])
async def test_a_key_makes_twice_once(line: Line, key: str | None) -> None:
    status, problem = await line.tell(DEBIT, idempotency=key)
    assert status == 400 and "Idempotency-Key" in problem["detail"]


async def test_a_key_that_two_share_is_nobodys(line: Line, database: Database) -> None:
    accounts = Accounts(Creditors(database), {"BLOEM_KEY": KEY, "VELO_KEY": KEY})
    await accounts.refresh()
    app = web.Application(middlewares=[guarded])
    app.add_routes(api(accounts, database, line.house.clock).routes())
    async with TestClient(TestServer(app)) as client:
        line.client = client
        assert (await line.tell(DEBIT))[0] == 401


RISK = {"class": "high", "source": "Bureau Fictief", "date": "2026-11-20", "expires": "2027-05-01"}


async def test_a_risk_class_is_told_replaced_and_taken_back(line: Line) -> None:
    assert await line.risk(RISK) == (204, "")
    assert await line.risk(RISK | {"class": "low"}) == (204, "")
    assert await line.classes() == [("high", False), ("low", True)]
    for _ in range(2):
        assert await line.risk(None) == (204, "")
    assert await line.classes() == [("high", False), ("low", False)]


@pytest.mark.parametrize(
    ("change", "key", "number", "status", "named"),
    [
        pytest.param({"class": "dire"}, KEY, "K1", 400, "class", id="no such class"),
        pytest.param({"source": ""}, KEY, "K1", 400, "source", id="from nobody"),
        pytest.param({"date": "soon"}, KEY, "K1", 400, "date", id="no date"),
        pytest.param({"date": "2026-11-25"}, KEY, "K1", 400, "date", id="from tomorrow"),
        pytest.param({"expires": "2026-11-24"}, KEY, "K1", 400, "expires", id="over already"),
        pytest.param({"score": 512}, KEY, "K1", 400, "score", id="a field too many"),
        pytest.param({}, KEY, "K9", 404, "K9", id="no such customer"),
        pytest.param({}, OTHER, "K1", 404, "K1", id="another creditor's customer"),
        pytest.param({}, "x" * 32, "K1", 401, "api_key", id="nobody's key"),
    ],
)
async def test_what_is_wrong_with_a_class(
    line: Line, change: dict[str, Any], key: str, number: str, status: int, named: str
) -> None:
    answered, text = await line.risk(RISK | change, key, number)
    assert (answered, named in text) == (status, True), text
    assert await line.classes() == []


LETTER = {
    "invoice_number": "F1",
    "kind": "fourteen_days",
    "sent_at": "2026-11-02T09:00:00+01:00",
    "channel": "post",
    "costs": "40.00",
    "content_hash": "sha256:" + "0f" * 32,
}


async def test_a_letter_is_recorded_once_and_received_later(line: Line) -> None:
    assert await line.letter(LETTER) == (201, "")
    assert await line.letter(LETTER) == (204, "")
    assert await line.letters() == [("fourteen_days", 4000, None)]
    assert (await line.letter(LETTER | {"received_on": "2026-11-04"}))[0] == 201
    assert (await line.letter(LETTER | {"costs": "41.00"}))[0] == 409
    assert await line.letters() == [("fourteen_days", 4000, date(2026, 11, 4))]


@pytest.mark.parametrize(
    ("change", "key", "status", "named"),
    [
        pytest.param({"kind": "love"}, KEY, 400, "kind", id="no such kind"),
        pytest.param({"sent_at": "soon"}, KEY, 400, "soon", id="no moment"),
        pytest.param({"sent_at": "2026-12-02T09:00"}, KEY, 400, "sent_at", id="not sent yet"),
        pytest.param({"costs": "veel"}, KEY, 400, "1234.56", id="no amount"),
        pytest.param({"content_hash": "abc"}, KEY, 400, "SHA-256", id="no hash"),
        pytest.param({"invoice_number": "F9"}, KEY, 400, "F9", id="no such invoice"),
        pytest.param({}, OTHER, 400, "F1", id="another creditor's invoice"),
        pytest.param({}, "x" * 32, 401, "api_key", id="nobody's key"),
    ],
)
async def test_what_is_wrong_with_a_letter(
    line: Line, change: dict[str, Any], key: str, status: int, named: str
) -> None:
    answered, text = await line.letter(LETTER | change, key)
    assert (answered, named in text) == (status, True), text
    assert await line.letters() == []


async def test_a_blocked_account_keeps_its_first_day_until_it_is_released(line: Line, clock: FakeClock) -> None:
    assert await line.block("PUT") == 204
    since = await line.blocked_at()
    clock.advance(timedelta(days=1))
    assert (await line.block("PUT"), await line.blocked_at()) == (204, since)
    assert [await line.block("PUT", key, number) for key, number in ((OTHER, "K1"), (KEY, "K9"))] == [404, 404]
    assert await line.block("DELETE", "x" * 32) == 401
    assert await line.blocked_at() == since is not None
    for _ in range(2):
        assert (await line.block("DELETE"), await line.blocked_at()) == (204, None)
