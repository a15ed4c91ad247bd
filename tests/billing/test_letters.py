"""Letters by file and by command: recorded once, received once, and never changed."""

import hashlib
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.letters import record
from billing.fees import FeeBook
from billing.imports import letters
from core.errors import BadInput, Conflict
from core.money import Money
from store.tables.money import letter
from tests.billing.house import BLOEM, VELO, House

HEADER = "invoice_number,kind,sent_at,channel,received_on,costs,content_hash"
HASH = hashlib.sha256(b"letter").hexdigest()
GOOD = f"F1,fourteen_days,2026-11-02T09:00,post,,40.00,{HASH}"


async def load(house: House, *lines: str, **how: Any) -> tuple[int, int, list[tuple[int, str]]]:
    content = "\n".join([HEADER, *lines]).encode()
    result = await letters.load(house.database, house.clock, BLOEM, content, **how)
    return result.loaded, result.unchanged, result.bad


async def kept(house: House) -> list[tuple[str, int, date | None]]:
    async with house.database.read() as tx:
        return [(row.kind, row.costs, row.received_on) for row in await tx.execute(select(letter))]


@pytest.fixture
async def fees(house: House) -> FeeBook:
    async def nobody(*_: Any, **__: Any) -> bool:
        return False

    return FeeBook(house.database, house.clock, house.invoices, nobody)


async def test_costs_rest_on_the_receipt(house: House, fees: FeeBook) -> None:
    who = await house.debtor("K1")
    await house.invoice(who, "F1", 10000, date(2026, 11, 1))
    assert await load(house, GOOD) == (1, 0, [])
    assert await load(house, GOOD) == (0, 1, [])
    assert await fees.run(BLOEM) == 0
    received = GOOD.replace("post,,", "post,2026-11-04,")
    assert await load(house, received) == (1, 0, [])
    assert await kept(house) == [("fourteen_days", 4000, date(2026, 11, 4))]
    assert await fees.run(BLOEM) == 1
    (found,) = await fees.explain(who, BLOEM)
    assert (found.charged, found.costs) == (True, Money(4000))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace("F1", "F9"), "there is no invoice “F9”"),
        (GOOD.replace("F1", "V1"), "there is no invoice “V1”"),
        (GOOD.replace("fourteen_days", "threat"), "kind: “threat” is none of"),
        (GOOD.replace("post", "pigeon"), "channel: “pigeon” is none of"),
        (GOOD.replace("2026-11-02", "2026-11-25"), "sent_at: a letter is recorded when it has been sent"),
        (GOOD.replace("post,,", "post,2026-11-01,"), "received_on: a letter cannot arrive before"),
        (GOOD.replace("post,,", "post,2026-11-25,"), "received_on: a letter is received today at the latest"),
        (GOOD.replace("40.00", "-1"), "costs: "),
        (GOOD.replace("40.00", "40,00,"), "cells under"),
        (GOOD.replace(HASH, "abc"), "content_hash: “abc” is no SHA-256"),
    ],
)
async def test_what_is_no_letter(house: House, line: str, reason: str) -> None:
    await house.invoice(await house.debtor("K1"), "F1", 10000, date(2026, 11, 1))
    await house.invoice(await house.debtor("K1", VELO), "V1", 10000, date(2026, 11, 1))
    loaded, _, bad = await load(house, line)
    assert (loaded, len(bad)) == (0, 1) and reason in bad[0][1]
    assert await kept(house) == []


@pytest.mark.parametrize(
    "change",
    [
        ("40.00", "45.00"),
        ("post", "email"),
        ("fourteen_days", "reminder"),
        ("T09:00", "T10:00"),
        ("post,,", "post,2026-11-05,"),
    ],
)
async def test_what_was_sent_does_not_change(house: House, change: tuple[str, str]) -> None:
    await house.invoice(await house.debtor("K1"), "F1", 10000, date(2026, 11, 1))
    await load(house, GOOD.replace("post,,", "post,2026-11-04,"))
    before = await kept(house)
    line = GOOD.replace(*change)
    loaded, _, bad = await load(house, line)
    assert (loaded, len(bad)) == (0, 1)
    assert await kept(house) == before


async def test_one_letter_about_two_invoices_and_a_dry_run(house: House) -> None:
    who = await house.debtor("K1")
    await house.invoice(who, "F1", 10000, date(2026, 11, 1))
    await house.invoice(who, "F2", 10000, date(2026, 11, 1))
    both = (GOOD, GOOD.replace("F1", "F2"))
    assert await load(house, *both, dry_run=True) == (2, 0, [])
    assert await kept(house) == []
    loaded, _, bad = await load(house, *both, GOOD)
    assert loaded == 2 and "stands on line 2 already" in bad[0][1]


async def test_by_command(house: House) -> None:
    await house.invoice(await house.debtor("K1"), "F1", 10000, date(2026, 11, 1))
    given = {
        "invoice_number": "F1",
        "kind": "fourteen_days",
        "sent_at": "2026-11-02T09:00",
        "channel": "post",
        "received_on": None,
        "costs": "40.00",
    }

    async def run(**changes: Any) -> bool:
        how = {"content": b"letter", "digest": None}
        return await record(house.database, house.clock, "bloem", given | changes, **how)  # type: ignore[arg-type]

    assert (await run(), await run(), await run(received_on="2026-11-04")) == (True, False, True)
    assert await load(house, GOOD) == (0, 1, [])  # the same file's hash
    with pytest.raises(Conflict):
        await run(received_on="2026-11-05")
    with pytest.raises(BadInput):
        await run(sent_at="yesterday")
    assert await kept(house) == [("fourteen_days", 4000, date(2026, 11, 4))]
