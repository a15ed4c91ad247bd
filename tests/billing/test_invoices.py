from datetime import date

import pytest
from sqlalchemy import insert

from core.hold import Reason
from store.tables.people import hold
from store.tables.talk import conversation
from tests.billing.house import BLOEM, VELO, House


async def test_open_ones_come_by_due_date_without_the_paid(house: House) -> None:
    who = await house.debtor("K1")
    await house.invoice(who, "F2", 2000, date(2026, 12, 1))
    first = await house.invoice(who, "F1", 1000, date(2026, 11, 1))
    paid = await house.invoice(who, "F3", 500)
    await house.paid_elsewhere(first, 400, "bank:1")
    await house.paid_elsewhere(paid, 500, "bank:2")
    found = await house.invoices.open_of(who)
    assert [(each.number, each.amount.minor, each.open.minor, each.due) for each in found] == [
        ("F1", 1000, 600, date(2026, 11, 1)),
        ("F2", 2000, 2000, date(2026, 12, 1)),
    ]


@pytest.mark.parametrize(
    ("creditor", "number", "found"),
    [
        pytest.param("bloem", "F2026-0042", True, id="as printed"),
        pytest.param("bloem", " f2026-0042 ", True, id="as typed"),
        pytest.param("velo", "F2026-0042", False, id="another creditor's"),
        pytest.param("bloem", "F2026-004", False, id="part of a number"),
    ],
)
async def test_by_number(house: House, creditor: str, number: str, found: bool) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F2026-0042", 1000)
    config = {"bloem": BLOEM, "velo": VELO}[creditor]
    invoice = await house.invoices.by_number(config.key, number)  # type: ignore[arg-type]
    assert (invoice.id if invoice else None) == (key if found else None)


@pytest.mark.parametrize(
    ("held", "disputed"),
    [
        pytest.param({"reason": Reason.DISPUTE, "invoice": "F1"}, {"F1"}, id="a dispute of this invoice"),
        pytest.param({"reason": Reason.DISPUTE}, {"F1", "F2"}, id="a dispute that names none"),
        pytest.param({"reason": Reason.HARDSHIP}, set(), id="hardship disputes nothing"),
        pytest.param({"reason": Reason.DISPUTE, "invoice": "F1", "lifted": True}, set(), id="a person has lifted it"),
        pytest.param({"reason": Reason.DISPUTE, "debtor": "K2"}, set(), id="somebody else's"),
    ],
)
async def test_disputed(house: House, held: dict[str, object], disputed: set[str]) -> None:
    who, other = await house.debtor("K1"), await house.debtor("K2")
    keys = {number: await house.invoice(who, number, 1000) for number in ("F1", "F2")}
    now = house.clock.now()
    async with house.database.begin() as tx:
        talk = {"id": "c1", "creditor_id": "bloem", "state": "open", "dialogue": "d", "created_at": now}
        await tx.execute(insert(conversation).values({**talk, "dialogue_slots": {}, "updated_at": now}))
        row = {"id": "h1", "creditor_id": "bloem", "conversation_id": "c1", "by": "turn:1", "since": now}
        row |= {
            "debtor_id": other if held.get("debtor") else who,
            "invoice_id": keys.get(str(held.get("invoice"))),
            "reason": held["reason"],
            "lifted_at": now if held.get("lifted") else None,
        }
        await tx.execute(insert(hold).values(row))
    assert {each.number for each in await house.invoices.open_of(who) if each.disputed} == disputed
