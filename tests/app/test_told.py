"""What a conversation is told of money that went back."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from app.told import Told
from conversations.outbox import Outbox
from core.message import Locale
from core.money import Money
from locales import Renderer
from store.database import Database
from store.tables.money import payment
from store.tables.people import contact_point
from store.tables.talk import conversation, outbound
from store.wake import LocalWake
from tests.billing.house import BLOEM, House
from tests.clock import FakeClock


@pytest.mark.parametrize(
    ("kind", "key", "buttons"),
    [
        ("refund", "payment.refunded", ["button.human"]),
        ("chargeback", "payment.returned", ["button.pay", "button.human"]),
    ],
)
async def test_money_that_went_back_is_told_once(
    database: Database, clock: FakeClock, kind: str, key: str, buttons: list[str]
) -> None:
    house = House.of(database, clock)
    await house.creditor(BLOEM)
    who = await house.debtor("K1")
    link = await house.link(who, [await house.invoice(who, "F1", 1000)])
    now = clock.now()
    common = {"creditor_id": "bloem", "created_at": now}
    async with database.begin() as tx:
        talk = {"id": "t1", "debtor_id": who, "state": "pending", "dialogue": "d1", "contact_point_id": "c1"}
        await tx.execute(insert(conversation).values(**talk, **common, updated_at=now))
        point = {"id": "c1", "channel": "sms", "address": "+31600000001", "conversation_id": "t1", "debtor_id": who}
        await tx.execute(insert(contact_point).values(**point, **common))
        paid = {"id": "p1", "link_id": link.id, "provider": "mollie", "cause": "x", "currency": "EUR", "amount": 1000}
        await tx.execute(insert(payment).values(**paid, **common, status="paid"))
    told = Told(database, clock, Outbox(database, clock, LocalWake()), house.invoices)
    payload = {"payment_id": "p1", "link_id": link.id, "kind": kind, "minor": 250, "cause": f"{kind}:p1:0"}
    await told.returned(payload)
    await told.returned(payload)
    async with database.read() as tx:
        (said,) = list(await tx.execute(select(outbound)))
    assert (said.key, said.proactive, [each["title"] for each in said.options]) == (key, True, buttons)
    text = Renderer().text(key, Locale("nl"), amount=Money(250), invoices=["F1"], n=1)
    assert "2,50" in text and "F1" in text


@pytest.mark.parametrize(("hours", "told"), [(1, ["account.released"]), (-1, [])], ids=["verified", "no longer"])
async def test_a_released_account_is_told_once_to_who_is_verified(
    database: Database, clock: FakeClock, hours: int, told: list[str]
) -> None:
    house = House.of(database, clock)
    await house.creditor(BLOEM)
    who = await house.debtor("K1")
    now = clock.now()
    async with database.begin() as tx:
        talk = {"id": "t1", "debtor_id": who, "state": "pending", "dialogue": "d1", "contact_point_id": "c1"}
        await tx.execute(insert(conversation).values(**talk, creditor_id="bloem", created_at=now, updated_at=now))
        point = {"id": "c1", "channel": "sms", "address": "+31600000001", "conversation_id": "t1", "debtor_id": who}
        until = {"verified_until": now + timedelta(hours=hours)}
        await tx.execute(insert(contact_point).values(**point, **until, creditor_id="bloem", created_at=now))
    teller = Told(database, clock, Outbox(database, clock, LocalWake()), house.invoices)
    for _ in range(2):
        await teller.released({"debtor_id": who, "webhook_id": "msg_1"})
    async with database.read() as tx:
        said = list(await tx.execute(select(outbound)))
    assert [each.key for each in said] == told
    assert all(each.proactive for each in said)
