"""Domain events reach their subscribers at least once, in order, and are never given up."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from app import creditor_files
from app.alerts import Alerts
from app.events import Events
from app.repository import DEMO
from conversations.creditors import Creditors
from core.creditor import Alerts as Woken
from core.errors import SendFailed
from core.hold import Reason
from store.database import Database
from store.events import CARE_DETECTED, emit
from store.tables.talk import event
from tests.clock import FakeClock
from tests.conversations.house import PUBLIC_URL, House, Wire


class Ear:
    """Notes what it hears; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: list[int] = []
        self.failures = failures

    async def __call__(self, payload: Mapping[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.heard.append(payload["n"])


async def emitted(database: Database, clock: FakeClock, *numbers: int) -> None:
    async with database.begin() as tx:
        for number in numbers:
            await emit(tx, "tested", {"n": number}, clock.now())


async def test_in_order_and_once(database: Database, clock: FakeClock) -> None:
    ear = Ear()
    events = Events(database, clock, {"tested": [ear]})
    await emitted(database, clock, 1, 2, 3)
    assert await events.run_one()
    assert not await events.run_one()
    assert ear.heard == [1, 2, 3]


async def test_a_failure_is_tried_again_however_long_it_lasts(database: Database, clock: FakeClock) -> None:
    ear = Ear(failures=30)
    events = Events(database, clock, {"tested": [ear]})
    await emitted(database, clock, 1)
    for _ in range(31):
        await events.run_one()
        clock.advance(hours=1, minutes=1)
    assert ear.heard == [1]
    async with database.read() as tx:
        assert await tx.scalar(select(event.c.attempts)) == 31


async def test_nobody_listens_is_handled_too(database: Database, clock: FakeClock) -> None:
    await emitted(database, clock, 1)
    events = Events(database, clock, {})
    assert await events.run_one()
    assert not await events.run_one()


@pytest.mark.parametrize("reason", list(Reason))
async def test_who_is_woken_by_sms(database: Database, clock: FakeClock, reason: Reason) -> None:
    house = await House(database, clock, Wire()).furnish()
    await wake_by_phone(house)
    turn = await house.receives("…")
    assert turn
    alerts = Alerts(database, Creditors(database), house.wire, "", "effen@example.test", PUBLIC_URL)
    talk = await house.talk_of(turn)
    await alerts.care_detected({"conversation_id": talk, "turn_id": turn, "reason": reason})
    urgent = [message for message in house.wire.sent if message.address == "+31600000099"]
    assert bool(urgent) is (reason is Reason.SELF_HARM)
    assert all(f"/desk/c/{talk}" in message.text for message in urgent)


async def test_an_sms_that_fails_wakes_somebody_later(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    await wake_by_phone(house)
    turn = await house.receives("…")
    assert turn
    alerts = Alerts(database, Creditors(database), house.wire, "", "effen@example.test", PUBLIC_URL)
    events = Events(database, clock, {CARE_DETECTED: [alerts.care_detected]})
    house.wire.failures = [SendFailed("busy", retryable=True)]
    async with database.begin() as tx:
        payload = {"conversation_id": await house.talk_of(turn), "turn_id": turn, "reason": Reason.SELF_HARM}
        await emit(tx, CARE_DETECTED, payload, clock.now())
    await events.run_one()
    assert house.wire.sent == []
    clock.advance(minutes=5)
    await events.run_one()
    assert len(house.wire.sent) == 1


async def wake_by_phone(house: House) -> None:
    config = creditor_files.read(DEMO / "creditor.yml")
    await creditor_files.apply(
        house.db, house.clock, config.model_copy(update={"alerts": Woken(urgent="+31600000099")})
    )
