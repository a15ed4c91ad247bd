"""What one message must not do to another: keep it waiting, send it twice, or reach who came after."""

import pytest
from sqlalchemy import select

from core.errors import SendFailed
from core.lifecycle import OutboundState
from core.message import Say
from store.database import Database
from store.tables.people import contact_point
from store.tables.talk import outbound
from tests.clock import FakeClock
from tests.conversations.house import AskedWire, House, OpenWire, Wire


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    return await House(database, clock, Wire()).furnish()


async def test_one_that_cannot_be_made_keeps_nobody_waiting(house: House) -> None:
    turn = await house.hears("hallo")
    await house.put(turn, Say("talk.no_such_key"), "turn:1:0", turn=turn)
    other = await house.hears("hallo", address="+31600000002")
    await house.put(other, Say("talk.thank"), "turn:2:0")
    await house.deliver()
    assert [m.address for m in house.wire.sent] == ["+31600000002"]


async def test_two_who_settle_the_same_doubt_send_it_once(database: Database, clock: FakeClock) -> None:
    wire = AskedWire()
    house = await House(database, clock, wire).furnish()
    turn = await house.hears("hallo")
    await house.put(turn, Say("talk.thank"), "turn:1:0")
    wire.failures = [SendFailed("timeout", retryable=True, uncertain=True)]
    await house.deliver()
    clock.advance(minutes=5)
    async with house.db.begin() as tx:
        joined = select(outbound, contact_point.c.channel).join(contact_point)
        row = (await tx.execute(joined)).one()  # what a second process has listed too
    await house.delivery.settle()  # asked: not taken; queued again
    async with house.db.begin() as tx:
        assert await house.delivery._claim(tx, clock.now())  # and is being sent
    await house.delivery._inquire(wire, row)  # the second process hears "not found" as well
    assert await house.states() == [OutboundState.SENDING], "nobody sends it a second time"


async def test_an_agent_s_words_do_not_reach_who_came_after(database: Database, clock: FakeClock) -> None:
    wire = OpenWire("web")
    house = await House(database, clock, wire).furnish()
    await house.debtor("K-1001", postcode="1111 AA")
    session = "s" * 22
    first = await house.hears("ik ben A", address=session)
    assert (await house.identity.verify(first, "K-1001", {"postcode": "1111 AA"})).ok
    a_talk = await house.talk_of(first)
    clock.advance(hours=2)
    stranger = await house.hears("wie ben ik", address=session)
    assert await house.talk_of(stranger) != a_talk
    async with house.db.begin() as tx:
        await house.outbox.put(
            tx, a_talk, Say("agent.text", {"text": "Beste A, je factuur"}), cause="agent:1", author="agent"
        )
    await house.deliver()
    assert wire.sent == []


async def test_an_answer_does_not_wait_for_what_may_not_be_said_at_night(house: House) -> None:
    await house.debtor("K-1001", postcode="1111 AA")
    turn = await house.hears("ik ben A")
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1111 AA"})).ok
    house.clock.advance(hours=13)  # 22:00 UTC
    amount = {"money": [4990, "EUR"]}
    await house.put(
        turn,
        Say("reminder.upcoming", {"invoice": "7", "amount": amount, "due": {"date": "2026-11-30"}}),
        "r",
        proactive=True,
    )
    await house.deliver()
    asked = await house.hears("hoeveel?")
    await house.put(asked, Say("talk.thank"), "turn:2:0", turn=asked)
    await house.deliver()
    assert len(house.wire.sent) == 1
