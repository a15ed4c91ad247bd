"""What agents do to conversations, and what of it reaches the person, the audit and whoever is looking."""

import asyncio

import pytest

from conversations.desking import NotYours, SentBefore, Taken, Unreachable, WindowClosed
from core.agent import NotAllowed
from core.errors import BadInput, NotFound
from core.hold import Reason
from core.ids import new_id
from core.lifecycle import ConversationState
from core.message import MAX_TEXT
from store.tables.people import hold
from store.tables.staff import audit
from store.tables.talk import conversation, outbound
from tests.clock import FakeClock
from tests.desk.world import TULP, World


async def deeds(world: World) -> list[tuple[str, str]]:
    return [(row.action, row.subject) for row in await world.all(audit)]


async def said(world: World) -> list[tuple[str, str, dict[str, str]]]:
    return [(row.author, row.key, row.args) for row in await world.all(outbound)]


@pytest.mark.parametrize("state", ["open", "pending", "snoozed", "resolved"])
async def test_taking_from_any_state(world: World, state: str) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(state=ConversationState(state))
    await world.desking.take(talk, sanne)
    row = await world.row(talk)
    assert (row.state, row.agent_id, row.form) == ("open", sanne.id, None)
    assert row.opened_at is not None
    assert await said(world) == [("system", "agent.joined", {"name": "Sanne"})]
    assert await deeds(world) == [("take", talk)]
    await world.desking.take(talk, sanne)
    assert len(await said(world)) == 1


async def test_of_two_who_take_at_once_one_gets_it(world: World) -> None:
    agents = [await world.agent(name) for name in ("Sanne de Wit", "Karim Haddad")]
    for _ in range(5):
        talk = await world.talk()
        results = await asyncio.gather(*(world.desking.take(talk, each) for each in agents), return_exceptions=True)
        row = await world.row(talk)
        (loser,) = [result for result in results if isinstance(result, BaseException)]
        assert isinstance(loser, Taken)
        winner = next(each for each in agents if each.id == row.agent_id)
        assert loser.name == winner.first_name
        assert [row for row in await world.all(audit) if row.subject == talk and row.agent_id != winner.id] == []


async def test_only_a_supervisor_relieves_a_colleague(world: World) -> None:
    sanne, karim = await world.agent("Sanne de Wit"), await world.agent("Karim Haddad")
    chief = await world.agent("Noor Smit", "supervisor")
    talk = await world.talk(agent=sanne.id)
    with pytest.raises(NotAllowed):
        await world.desking.take(talk, karim, sanne.id)
    with pytest.raises(Taken):  # it is no longer with whom the page said
        await world.desking.take(talk, chief, karim.id)
    await world.desking.take(talk, chief, sanne.id)
    assert (await world.row(talk)).agent_id == chief.id


async def test_an_answer_goes_to_the_outbox_once(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk, key = await world.talk(agent=sanne.id, channel="sms"), new_id()
    await asyncio.gather(*(world.desking.write(talk, sanne, " Dag Jan! ", key) for _ in range(3)))
    (row,) = await world.all(outbound)
    assert (row.author, row.agent_id, row.key, row.args) == ("agent", sanne.id, "agent.text", {"text": "Dag Jan!"})
    assert (row.contact_point_id, row.proactive) == ((await world.row(talk)).contact_point_id, False)
    assert await deeds(world) == [("write", talk)]


async def test_another_text_with_a_used_key_is_not_lost(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk, other, key = await world.talk(agent=sanne.id), await world.talk(agent=sanne.id), new_id()
    await world.desking.write(talk, sanne, "one", key)
    for where, text in ((talk, "two"), (other, "one")):
        with pytest.raises(SentBefore):
            await world.desking.write(where, sanne, text, key)
    assert len(await said(world)) == 1


@pytest.mark.parametrize("text", ["", "  \n", "x" * (MAX_TEXT + 1)], ids=["empty", "blank", "too long"])
async def test_no_message_of(world: World, text: str) -> None:
    sanne = await world.agent("Sanne de Wit")
    with pytest.raises(BadInput):
        await world.desking.write(await world.talk(agent=sanne.id), sanne, text, new_id())


async def test_nowhere_to_answer(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(agent=sanne.id)
    async with world.db.begin() as tx:
        await tx.execute(conversation.update().values(contact_point_id=None))
    with pytest.raises(Unreachable):
        await world.desking.write(talk, sanne, "hi", new_id())


@pytest.mark.parametrize(("channel", "taken"), [("whatsapp", False), ("sms", True), ("telegram", True)])
async def test_a_day_later_whatsapp_takes_no_answer(world: World, clock: FakeClock, channel: str, taken: bool) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk, key = await world.talk(agent=sanne.id, channel=channel), new_id()
    clock.advance(hours=23, minutes=59)
    await world.desking.write(talk, sanne, "Dag!", key)
    clock.advance(minutes=1)
    await world.desking.write(talk, sanne, "Dag!", key)  # a click that is told twice has been heard
    if taken:
        await world.desking.write(talk, sanne, "Nog iets", new_id())
    else:
        with pytest.raises(WindowClosed):
            await world.desking.write(talk, sanne, "Nog iets", new_id())
    assert len(await said(world)) == len(await deeds(world)) == (2 if taken else 1)


@pytest.mark.parametrize("state", ["open", "pending", "resolved"])
@pytest.mark.parametrize("has_it", ["nobody", "a colleague"])
async def test_not_in_a_conversation_that_is_not_yours(world: World, state: str, has_it: str) -> None:
    sanne, karim = await world.agent("Sanne de Wit"), await world.agent("Karim Haddad")
    talk = await world.talk(state=ConversationState(state), agent=karim.id if has_it != "nobody" else None)
    before = await world.row(talk)
    for deed in (
        world.desking.write(talk, sanne, "hi", new_id()),
        world.desking.hand_back(talk, sanne),
        world.desking.resolve(talk, sanne),
    ):
        with pytest.raises(NotYours):
            await deed
    assert await world.row(talk) == before
    assert await said(world) == [] and await deeds(world) == []


async def test_handing_back_starts_a_new_dialogue_with_the_slots(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(agent=sanne.id, reason=Reason.HARDSHIP)
    await world.holds(talk, Reason.HARDSHIP)
    before = await world.row(talk)
    await world.desking.hand_back(talk, sanne)
    row = await world.row(talk)
    assert (row.state, row.agent_id, row.form, row.dialogue_events) == ("pending", None, None, 0)
    assert (row.reason, row.priority, row.summary, row.opened_at) == (None, 0, None, None)
    assert row.dialogue_slots == before.dialogue_slots == {"wanted": "pay"}
    assert row.dialogue != before.dialogue and len(row.dialogue) <= 80
    assert await said(world) == [("system", "intro.ai_again", {"creditor": "Bloem & Blad BV"})]
    (held,) = await world.all(hold)
    assert held.lifted_at is None


async def test_resolving_lets_the_bot_introduce_itself_anew(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(agent=sanne.id)
    await world.desking.resolve(talk, sanne)
    row = await world.row(talk)
    assert (row.state, row.agent_id, row.introduced) == ("resolved", None, False)
    assert await said(world) == []
    assert await deeds(world) == [("resolve", talk)]


async def test_a_hold_is_lifted_by_a_person_once(world: World, clock: FakeClock) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(reason=Reason.HARDSHIP)
    identifier, other = await world.holds(talk, Reason.HARDSHIP), await world.holds(talk, Reason.DISPUTE)
    assert await world.desking.lift_hold(identifier, sanne) == talk
    at = clock.now()
    clock.advance(hours=1)
    await world.desking.lift_hold(identifier, sanne)
    rows = {row.id: row for row in await world.all(hold)}
    assert (rows[identifier].lifted_at, rows[identifier].lifted_by) == (at, f"agent:{sanne.id}")
    assert rows[other].lifted_at is None
    assert await deeds(world) == [("lift_hold", identifier)]


async def test_nobody_lifts_what_she_may_not_read(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    crisis = await world.holds(await world.talk(care=True), Reason.SELF_HARM)
    theirs = await world.holds(await world.talk(key=TULP), Reason.HARDSHIP)
    for identifier, error in ((crisis, NotAllowed), (theirs, NotFound), (new_id(), NotFound)):
        with pytest.raises(error):
            await world.desking.lift_hold(identifier, sanne)
    assert [row.lifted_at for row in await world.all(hold)] == [None, None]
