"""What a conversation is told of a transfer: from the bank's statement to the outbox."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, select

from app.told import Told
from billing import letters
from billing.fees import FeeBook
from billing.law import Kind
from billing.statements.statements import Statements
from conversations.holds import holding
from conversations.outbox import Outbox
from core.ids import CreditorKey
from core.money import Money
from payments.references import creditor_reference
from store.database import Database
from store.events import PAYMENT_BOOKED, PAYMENT_RETURNED
from store.tables.people import contact_point
from store.tables.talk import conversation, event, outbound
from store.wake import LocalWake
from tests.billing.house import BLOEM, House
from tests.billing.statements.written import Tx, one
from tests.clock import FakeClock

RF = creditor_reference("F-2026-001")


@pytest.mark.parametrize(
    ("paid", "keys"),
    [
        pytest.param(
            [5000],
            ["payment.received", "payment.relieved", "payment.settled_all"],
            id="in time, though costs were charged before the bank told of it",
        ),
        pytest.param([5000], ["payment.received", "payment.settled_all"], id="all of it"),
        pytest.param([4000], ["payment.received", "payment.part_left"], id="a part"),
        pytest.param([5100], ["payment.received", "payment.settled_all", "payment.credit"], id="too much"),
        pytest.param(
            [5000, 5000],
            ["payment.received", "payment.settled_all", "payment.received", "payment.settled_all", "payment.credit"],
            id="twice",
        ),
        pytest.param([5000, -5000], ["payment.received", "payment.part_left"], id="returned: by the debit's own words"),
    ],
)
async def test_a_transfer_is_told_once(
    database: Database, clock: FakeClock, paid: Sequence[int], keys: list[str]
) -> None:
    house = House.of(database, clock)
    await house.creditor(BLOEM)
    who = await house.debtor("K1")
    key = await house.invoice(who, "F-2026-001", 5000)
    if "payment.relieved" in keys:  # the statement's day is the last free one
        async with database.begin() as tx:
            about = {"content_hash": "sha256:0", "channel": "email", "costs": Money(4000)}
            sent_at, received_on = datetime(2026, 11, 9, 9, tzinfo=UTC), date(2026, 11, 9)
            await letters.record(tx, key, Kind.FOURTEEN_DAYS, **about, sent_at=sent_at, received_on=received_on)  # type: ignore[arg-type]
        assert await FeeBook(database, clock, house.invoices, holding).run(BLOEM) == 1
    common = {"creditor_id": "bloem", "created_at": clock.now()}
    async with database.begin() as tx:
        talk = {"id": "t1", "debtor_id": who, "state": "pending", "dialogue": "d1", "contact_point_id": "c1"}
        await tx.execute(insert(conversation).values(**talk, **common, updated_at=clock.now()))
        point = {"id": "c1", "channel": "sms", "address": "+31600000001", "conversation_id": "t1", "debtor_id": who}
        await tx.execute(insert(contact_point).values(**point, **common))
    txs = [Tx(minor, reference=RF, reason="AM04" if minor < 0 else None) for minor in paid]
    await Statements(database, clock).load(CreditorKey("bloem"), one(*txs), "command")
    told = Told(database, clock, Outbox(database, clock, LocalWake()), house.invoices)
    async with database.read() as tx:
        happened = list(await tx.execute(select(event).order_by(event.c.seq)))
    hear = {PAYMENT_BOOKED: told.booked, PAYMENT_RETURNED: told.returned}
    for each in [*happened, *happened]:
        if each.name in hear:
            await hear[each.name](each.payload)
    async with database.read() as tx:
        said = list(await tx.execute(select(outbound).order_by(outbound.c.seq)))
    assert [row.key for row in said] == keys
    assert {row.proactive for row in said} == {True}, "the bank tells at any hour"
    if "payment.credit" in keys:
        assert said[-1].args == {"credit": {"money": [sum(paid) - 5000, "EUR"]}}
