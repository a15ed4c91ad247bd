"""What is over is erased, and nothing else."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from conversations.retention import DEFAULTS, Retention, days_of, keep
from core.errors import BadInput
from core.ids import TurnId
from core.lifecycle import TurnState
from core.message import Option, Say
from store.database import Database
from store.tables.bank import bank_decision, bank_line, bank_statement
from store.tables.invoices import invoice_copy, invoice_event
from store.tables.money import invoice
from store.tables.people import creditor as creditors
from store.tables.people import verification_attempt
from store.tables.talk import button, conversation, inbound, outbound
from tests.clock import FakeClock
from tests.conversations.house import House, Wire


class Engine:
    """Counts as an engine whose store had one dialogue that was over."""

    async def forget(self, before: datetime) -> int:
        self.before = before
        return 1


async def talked(house: House, address: str) -> TurnId:
    turn = await house.receives("ik kan niet betalen", address=address)
    assert turn
    await house.put(turn, Say("talk.not_understood", options=[Option("option.pay", "pay")]), f"turn:{turn}:0")
    await house.deliver()
    async with house.db.begin() as tx:
        await tx.execute(update(inbound).where(inbound.c.id == turn).values(state=TurnState.DONE, intent="hardship"))
    return turn


async def test_old_messages_lose_their_words_and_young_ones_keep_them(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    await talked(house, "+31600000001")
    crisis = await talked(house, "+31600000002")
    async with house.db.begin() as tx:
        talk = await house.talk_of(crisis)
        await tx.execute(update(conversation).where(conversation.c.id == talk).values(care=True))
    await house.identity.verify(crisis, "K-1", {"postcode": "9999 ZZ"})
    clock.advance(days=DEFAULTS["care"] + 1)
    await talked(house, "+31600000003")
    retention = Retention(database, clock, Engine())  # type: ignore[arg-type]
    await retention.run()
    texts = [row.text for row in sorted(await house.rows(inbound), key=lambda row: row.seq)]
    assert texts == ["ik kan niet betalen", "", "ik kan niet betalen"], "a crisis is kept for a shorter time"
    clock.advance(days=DEFAULTS["messages"] - DEFAULTS["care"])
    await retention.run()
    rows = sorted(await house.rows(inbound), key=lambda row: row.seq)
    assert [row.text for row in rows] == ["", "", "ik kan niet betalen"]
    assert [row.intent for row in rows] == [None, None, "hardship"]
    said = sorted(await house.rows(outbound), key=lambda row: row.seq)
    assert [row.rendered is None for row in said] == [True, True, False]
    assert len(await house.rows(button)) == 1
    assert await house.rows(verification_attempt) == []


async def test_who_paid_by_bank_is_forgotten_and_the_amount_stays(database: Database, clock: FakeClock) -> None:
    await House(database, clock, Wire()).furnish()
    async with database.begin() as tx:
        creditor = (await tx.execute(select(creditors.c.id))).scalars().first()
        common = {"creditor_id": creditor, "currency": "EUR", "created_at": clock.now()}
        statement = {"account": "x", "number": "1", "sequence": "", "content_hash": "h", "opening": 0, "closing": 1}
        await tx.execute(insert(bank_statement).values(id="s1", by="command", **statement, **common))
        line = {"statement_id": "s1", "position": 0, "identity": "i", "content": "c", "twin": False, "kind": "payment"}
        said = {"text": "huur", "name": "F. Fictief", "iban": "NL91ABNA0417164300", "reference": "r", "end_to_end": "e"}
        kept = {"amount": 500, "booked_on": clock.now().date(), "bank_reference": "B1"}
        await tx.execute(insert(bank_line).values(id="l1", **line, **said, **kept, **common))
        decided = {"outcome": "aside", "rule": "person", "note": "F. is een buurvrouw", "at": clock.now()}
        await tx.execute(insert(bank_decision).values(line_id="l1", number=1, **decided))
    for days, erased in ((DEFAULTS["statements"], False), (1, True)):
        clock.advance(days=days)
        await Retention(database, clock, Engine()).run()  # type: ignore[arg-type]
        async with database.read() as tx:
            row = (await tx.execute(select(bank_line))).one()
            note = await tx.scalar(select(bank_decision.c.note))
        assert [row.name, row.iban, row.reference, row.end_to_end, note] == (
            [None] * 5 if erased else ["F. Fictief", "NL91ABNA0417164300", "r", "e", "F. is een buurvrouw"]
        )
        assert (row.text, row.amount, row.bank_reference) == ("" if erased else "huur", 500, "B1")


async def test_what_waits_is_not_erased(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    await house.receives("hallo")
    clock.advance(timedelta(days=10_000))
    await Retention(database, clock, Engine()).run()  # type: ignore[arg-type]
    assert (await house.one(inbound)).text == "hallo"


async def test_how_long_is_a_setting(database: Database) -> None:
    await keep(database, "messages", 90)
    await keep(database, "messages", 60)
    assert await days_of(database) == {**DEFAULTS, "messages": 60}


@pytest.mark.parametrize(("data", "days"), [("secrets", 1), ("messages", 0)])
async def test_a_setting_that_makes_no_sense(database: Database, data: str, days: int) -> None:
    with pytest.raises(BadInput):
        await keep(database, data, days)


async def test_pages_of_copies_and_the_history_of_invoices(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    now, key = clock.now(), await house.debtor("K-9")
    async with database.begin() as tx:
        of = {"creditor_id": "bloem", "debtor_id": key, "number": "F-1", "currency": "EUR", "amount": 1}
        days = {"issue_date": now.date(), "due_date": now.date(), "created_at": now, "updated_at": now}
        await tx.execute(insert(invoice).values(id="i", **of, **days))
        for name in ("old", "young"):
            over = now if name == "old" else now + timedelta(days=2)
            page = {"creditor_id": "bloem", "invoice_id": "i", "locale": "nl", "expires_at": over, "created_at": now}
            await tx.execute(insert(invoice_copy).values(id=name, token=name, cause=name, **page))
            event = {"invoice_id": "i", "kind": "viewed", "cause": name, "at": over}
            await tx.execute(insert(invoice_event).values(id=name, **event))

    async def left() -> list[list[str]]:
        async with database.read() as tx:
            return [list((await tx.execute(select(table.c.id))).scalars()) for table in (invoice_copy, invoice_event)]

    retention = Retention(database, clock, Engine())  # type: ignore[arg-type]
    clock.advance(days=DEFAULTS["copies"] + 1)
    await retention.run()
    assert [sorted(ids) for ids in await left()] == [["young"], ["old", "young"]]
    clock.advance(days=DEFAULTS["history"] - DEFAULTS["copies"])
    await retention.run()
    assert await left() == [[], ["young"]]
