"""What a creditor's own systems tell us: with its key alone, and twice is once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from app.accounts import Accounts
from app.api import Api
from app.web import guarded
from billing.debits import Debits
from conversations.creditors import Creditors
from store.database import Database
from store.tables.money import direct_debit
from store.tables.talk import event
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

    async def known(self) -> list[Any]:
        async with self.house.database.read() as tx:
            return list(await tx.execute(select(direct_debit)))

    async def told(self) -> list[Any]:
        async with self.house.database.read() as tx:
            return list(await tx.scalars(select(event.c.payload).where(event.c.name == "direct_debit.failed")))


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
    app.add_routes(Api(accounts, clock, Debits(database)).routes())
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
    app.add_routes(Api(accounts, line.house.clock, Debits(database)).routes())
    async with TestClient(TestServer(app)) as client:
        line.client = client
        assert (await line.tell(DEBIT))[0] == 401
