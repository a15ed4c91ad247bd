"""What comes in is stored once, and its turns are taken one at a time and in order."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from conversations import claim as claims
from conversations import inbox
from conversations.claim import LEASE, LeaseLost
from conversations.contacts import IDLE
from core.lifecycle import TurnState
from store.database import Database
from store.tables.people import contact_point
from store.tables.talk import conversation, inbound
from tests.clock import FakeClock
from tests.conversations.house import House, Wire


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    return await House(database, clock, Wire()).furnish()


async def test_the_same_message_twice_is_one_turn(house: House) -> None:
    assert await house.receives("hallo", external_id="SM1")
    assert await house.receives("hallo", external_id="SM1") is None
    assert len(await house.rows(inbound)) == 1


async def test_told_by_several_webhooks_at_once_it_is_one_turn_in_one_conversation(house: House) -> None:
    turns = await asyncio.gather(*(house.receives("hallo", external_id="SM1") for _ in range(5)))
    assert sum(turn is not None for turn in turns) == 1
    assert len(await house.rows(contact_point)) == len(await house.rows(inbound)) == 1


class Away(Exception):
    """What a driver says of a database that is not there."""


@pytest.mark.parametrize(
    ("kind", "times", "stored"),
    [
        pytest.param(OperationalError, 2, True, id="it restarts"),
        pytest.param(InterfaceError, 1, True, id="a connection is gone"),
        pytest.param(OperationalError, 99, False, id="it stays away"),
        pytest.param(ProgrammingError, 1, False, id="a fault of ours"),
    ],
)
async def test_a_database_that_is_away_for_a_moment_loses_no_message(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: type[OperationalError], times: int, stored: bool
) -> None:
    left = times

    @event.listens_for(house.db.engine.sync_engine, "begin")
    def away(_: object) -> None:
        nonlocal left
        if left:
            left -= 1
            raise kind("BEGIN", {}, Away())

    monkeypatch.setattr(inbox, "AWAY", 1.0)
    if stored:
        assert await house.receives("hallo", external_id="SM1")
    else:
        with pytest.raises(kind):
            await house.receives("hallo", external_id="SM1")
    left = 0
    assert len(await house.rows(inbound)) == stored


async def test_another_address_is_another_conversation(house: House) -> None:
    await house.receives("hallo")
    await house.receives("hallo", address="+31600000002")
    assert len(await house.rows(conversation)) == 2


async def test_what_cannot_be_stored_is_left_out_and_what_is_too_long_is_cut(house: House) -> None:
    await house.receives("a\x00b\ud800" + "c" * 5_000)
    row = await house.one(inbound)
    assert row.text.startswith("ab?c")
    assert (len(row.text), row.flags) == (4_000, {"cut": True})


async def test_one_turn_at_a_time_in_order_of_arrival(house: House) -> None:
    for text in ("een", "twee"):
        await house.receives(text)
    await house.receives("ander", address="+31600000002")
    first, other = await claimed(house), await claimed(house)
    assert first and other
    assert (first.message.text, other.message.text) == ("een", "ander")
    assert await claimed(house) is None, "the second waits for the first"
    async with house.db.begin() as tx:
        await tx.execute(update(inbound).where(inbound.c.id == first.turn).values(state=TurnState.DONE))
    second = await claimed(house)
    assert second and second.message.text == "twee"


async def test_several_workers_at_once_take_a_turn_once(house: House) -> None:
    await house.receives("hallo")
    taken = await asyncio.gather(*(claimed(house) for _ in range(5)))
    assert sum(claim is not None for claim in taken) == 1


async def test_a_worker_that_died_is_replaced_and_its_late_result_dropped(house: House, clock: FakeClock) -> None:
    await house.receives("hallo")
    dead = await claimed(house)
    assert dead and await claimed(house) is None
    clock.advance(LEASE + timedelta(seconds=1))
    heir = await claimed(house)
    assert heir and heir.message.attempts == 2
    with pytest.raises(LeaseLost):
        async with house.db.begin() as tx:
            await claims.renew(tx, dead, clock.now())


@pytest.mark.parametrize("phone", ["+31600000001", "whatsapp:+31600000001"])
async def test_a_number_on_file_is_recognised_and_not_verified(house: House, phone: str) -> None:
    known = await house.debtor("K-1", phone="+31600000001")
    await house.receives("hallo", address=phone)
    contact = await house.contact(phone)
    assert (contact.debtor_id, contact.verified_until) == (known, None)
    assert (await house.one(conversation)).debtor_id is None


async def test_a_number_of_several_people_is_nobody_s(house: House) -> None:
    for number in ("K-1", "K-2"):
        await house.debtor(number, phone="+31600000001")
    await house.receives("hallo")
    assert (await house.contact()).debtor_id is None


async def test_a_verified_web_session_ends_with_idleness(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire("web")).furnish()
    await house.debtor("K-1", phone="+31600000001")
    turn = await house.receives("2026-1", address="session")
    assert turn and (await house.identity.verify(turn, "k1", {"postcode": "1234ab"})).ok
    clock.advance(IDLE - timedelta(minutes=1))
    await house.receives("ik ben er nog", address="session")
    clock.advance(IDLE - timedelta(minutes=1))
    still = await house.contact("session")
    assert still.verified_until > clock.now(), "each message starts the half hour anew"
    clock.advance(minutes=2)
    await house.receives("wie ben ik?", address="session")
    fresh = await house.contact("session")
    assert (fresh.debtor_id, fresh.verified_until) == (None, None)
    assert fresh.conversation_id != still.conversation_id


async def claimed(house: House) -> claims.Claim | None:
    async with house.db.begin() as tx:
        return await claims.take(tx, house.clock.now())
