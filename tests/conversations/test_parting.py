"""A number that changes hands, or that two customers share: nobody's conversation becomes somebody else's."""

import pytest

from core.message import Say
from store.database import Database
from store.tables.talk import conversation, inbound, outbound
from tests.clock import FakeClock
from tests.conversations.house import House, Wire


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    return await House(database, clock, Wire()).furnish()


async def done(house: House) -> None:
    async with house.db.begin() as tx:
        await tx.execute(inbound.update().values(state="done"))


async def test_another_debtor_on_the_same_phone(house: House) -> None:
    await house.debtor("K-1001", postcode="1111 AA")
    b = await house.debtor("K-2002", postcode="2222 BB")
    first = await house.hears("ik ben A", address="+31600000009")
    assert (await house.identity.verify(first, "K-1001", {"postcode": "1111 AA"})).ok
    a_talk = await house.talk_of(first)
    await done(house)
    house.clock.advance(days=400)
    later = await house.hears("ik ben B", address="+31600000009")
    assert (await house.identity.verify(later, "K-2002", {"postcode": "2222 BB"})).ok
    talks = {row.debtor_id: row.id for row in await house.rows(conversation, conversation.c.debtor_id.is_not(None))}
    assert talks.get(b) and talks[b] != a_talk, "B has a conversation of their own"
    assert await house.talk_of(first) == a_talk, "A's messages stay A's"
    assert await house.talk_of(later) == talks[b]


async def test_and_where_the_other_has_a_conversation(house: House) -> None:
    await house.debtor("K-1001", postcode="1111 AA")
    await house.debtor("K-2002", postcode="2222 BB")
    first = await house.hears("ik ben A", address="+31600000009")
    assert (await house.identity.verify(first, "K-1001", {"postcode": "1111 AA"})).ok
    a_talk = await house.talk_of(first)
    other = await house.hears("ik ben B", address="+31600000010")
    assert (await house.identity.verify(other, "K-2002", {"postcode": "2222 BB"})).ok
    await done(house)
    house.clock.advance(days=400)
    later = await house.hears("ik ben B", address="+31600000009")
    assert (await house.identity.verify(later, "K-2002", {"postcode": "2222 BB"})).ok
    assert await house.talk_of(first) == a_talk, "A's messages stay A's"


async def test_nothing_that_is_for_the_first_goes_to_the_second(house: House) -> None:
    await house.debtor("K-1001", postcode="1111 AA")
    await house.debtor("K-2002", postcode="2222 BB")
    first = await house.hears("ik ben A", address="+31600000009")
    assert (await house.identity.verify(first, "K-1001", {"postcode": "1111 AA"})).ok
    a_talk = await house.talk_of(first)
    await done(house)
    house.clock.advance(days=400)
    later = await house.hears("ik ben B", address="+31600000009")
    assert (await house.identity.verify(later, "K-2002", {"postcode": "2222 BB"})).ok
    assert (await house.one(conversation, conversation.c.id == a_talk)).contact_point_id is None
    assert (await house.one(conversation, conversation.c.id == await house.talk_of(later))).contact_point_id


async def test_what_may_not_have_reached_the_first_is_not_offered_to_the_second(house: House) -> None:
    await house.debtor("K-1001", postcode="1111 AA")
    await house.debtor("K-2002", postcode="2222 BB")
    first = await house.hears("ik ben A")
    assert (await house.identity.verify(first, "K-1001", {"postcode": "1111 AA"})).ok
    await house.put(first, Say("balance.none"), "a balance", turn=first)
    async with house.db.begin() as tx:
        await tx.execute(outbound.update().values(state="unknown"))
    await done(house)
    later = await house.hears("ik ben B")
    assert (await house.identity.verify(later, "K-2002", {"postcode": "2222 BB"})).ok
    point = (await house.contact()).id
    async with house.db.begin() as tx:
        await house.outbox.offer_again(tx, await house.talk_of(later), point)
    assert len(await house.rows(outbound)) == 1
    async with house.db.begin() as tx:
        await house.outbox.offer_again(tx, await house.talk_of(first), point)
    assert [row.key for row in await house.rows(outbound)] == ["balance.none", "notice.again", "balance.none"]
