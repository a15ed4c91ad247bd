"""Whom a hold holds: who said it, once they have shown who they are, and whoever else may be meant; which invoices."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert

from conversations.handoff import hand_over, watch
from conversations.holds import holding, place
from core.hold import Reason
from core.ids import DebtorId, TurnId
from core.lifecycle import ConversationState
from store.database import Database
from store.tables.money import invoice
from store.tables.people import contact_point, hold
from store.tables.talk import conversation, inbound
from tests.clock import FakeClock
from tests.conversations.house import CREDITOR, House, Wire

PHONE = "+31600000009"


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    return await House(database, clock, Wire()).furnish()


async def message(house: House, turn: TurnId) -> Any:
    return await house.one(inbound, inbound.c.id == turn)


async def calls(house: House, turn: TurnId, reason: Reason, **summary: Any) -> None:
    """The message is handed over."""
    row = await message(house, turn)
    async with house.db.begin() as tx:
        await hand_over(tx, row, reason, house.clock.now(), summary)


async def proves(house: House, turn: TurnId, number: str, postcode: str = "1234 AB") -> None:
    assert (await house.identity.verify(turn, number, {"postcode": postcode})).ok


async def done(house: House) -> None:
    async with house.db.begin() as tx:
        await tx.execute(inbound.update().values(state="done"))


async def held(house: House, *people: str) -> list[bool]:
    async with house.db.read() as tx:
        return [await holding(tx, DebtorId(each)) for each in people]


async def owes(house: House, debtor: str, *numbers: str) -> None:
    now = house.clock.now()
    common = {"creditor_id": CREDITOR, "debtor_id": debtor, "currency": "EUR", "amount": 5000, "description": "x"}
    days = {"issue_date": date(2026, 11, 1), "due_date": date(2026, 11, 20), "created_at": now, "updated_at": now}
    async with house.db.begin() as tx:
        for number in numbers:
            await tx.execute(insert(invoice).values(id=number, number=number, **common, **days))


async def lapsed(house: House) -> tuple[str, str, TurnId]:
    """A was verified on this number, long ago; B has written there just now."""
    a, b = await house.debtor("A"), await house.debtor("B")
    first = await house.hears("ik ben A", address=PHONE)
    await proves(house, first, "A")
    await done(house)
    house.clock.advance(days=400)
    return a, b, await house.hears("ik ben mijn baan kwijt", address=PHONE)


async def test_on_a_number_that_changed_hands_it_holds_who_proves_to_have_said_it(house: House) -> None:
    a, b, later = await lapsed(house)
    await calls(house, later, Reason.HARDSHIP, wish="x")
    opened = house.clock.now()
    house.clock.advance(minutes=10)
    await proves(house, later, "B")
    assert await held(house, a, b) == [True, True]
    talks = {row.debtor_id: row for row in await house.rows(conversation)}
    theirs, old = talks[b], talks[a]
    assert (theirs.state, theirs.reason, theirs.priority, theirs.opened_at) == ("open", Reason.HARDSHIP, 60, opened)
    assert theirs.summary == {"wish": "x", "turn": later}
    assert theirs.id == (await message(house, later)).conversation_id
    assert (old.state, old.reason, old.priority, old.summary, old.opened_at) == ("pending", None, 0, None, None)


async def test_also_where_they_have_a_conversation_already(house: House) -> None:
    a, b, later = await lapsed(house)
    elsewhere = await house.hears("ik ben B", address="+31600000010")
    await proves(house, elsewhere, "B")
    home = await house.talk_of(elsewhere)
    await calls(house, later, Reason.HARDSHIP)
    await proves(house, later, "B")
    assert await held(house, a, b) == [True, True]
    assert (await house.one(hold, hold.c.debtor_id == b)).conversation_id == home
    talk = await house.one(conversation, conversation.c.id == home)
    assert (talk.state, talk.reason, talk.summary) == ("open", Reason.HARDSHIP, {"turn": later})


async def test_what_the_first_has_said_stays_theirs(house: House) -> None:
    a, b = await house.debtor("A"), await house.debtor("B")
    first = await house.hears("ik ben mijn baan kwijt", address=PHONE)
    await proves(house, first, "A")
    await calls(house, first, Reason.HARDSHIP)
    await done(house)
    house.clock.advance(days=400)
    later = await house.hears("ik ben B", address=PHONE)
    await proves(house, later, "B")
    assert await held(house, a, b) == [True, False]
    talks = {row.debtor_id: row.state for row in await house.rows(conversation)}
    assert talks == {a: ConversationState.OPEN, b: ConversationState.PENDING}


async def test_a_conversation_that_waited_already_goes_on_to_wait(house: House) -> None:
    a, b = await house.debtor("A"), await house.debtor("B")
    first = await house.hears("ik ben A", address=PHONE)
    await proves(house, first, "A")
    await calls(house, first, Reason.REQUEST, wish="A's")
    await done(house)
    house.clock.advance(days=400)
    later = await house.hears("ik ben mijn baan kwijt", address=PHONE)
    async with house.db.begin() as tx:
        row = (await tx.execute(inbound.select().where(inbound.c.id == later))).one()
        await watch(tx, row, Reason.HARDSHIP, (), house.clock.now(), suspected=True)
    await proves(house, later, "B")
    assert await held(house, a, b) == [True, True]
    talks = {row.debtor_id: (row.state, row.summary) for row in await house.rows(conversation)}
    assert talks == {a: ("open", {"wish": "A's"}), b: ("open", {"turn": later, "suspected": "hardship"})}


async def test_a_crisis_is_for_the_few_in_both(house: House) -> None:
    a, b, later = await lapsed(house)
    await calls(house, later, Reason.SELF_HARM)
    await proves(house, later, "B")
    assert {row.debtor_id: row.care for row in await house.rows(conversation)} == {a: True, b: True}


async def test_a_number_on_file_for_another(house: House) -> None:
    x, y = await house.debtor("X", phone=PHONE), await house.debtor("Y")
    turn = await house.hears("deze factuur klopt niet", address=PHONE)
    await calls(house, turn, Reason.DISPUTE)
    await proves(house, turn, "Y")
    assert sorted(row.debtor_id for row in await house.rows(hold)) == sorted([x, y])
    assert await held(house, x, y) == [True, True]


async def test_a_number_on_file_for_several(house: House) -> None:
    x, y = await house.debtor("X", phone=PHONE), await house.debtor("Y", phone=PHONE)
    turn = await house.hears("deze factuur klopt niet", address=PHONE)
    await calls(house, turn, Reason.DISPUTE)
    assert await held(house, x, y) == [True, True], "it may be either"
    await proves(house, turn, "Y")
    assert sorted(row.debtor_id for row in await house.rows(hold)) == sorted([x, y])


@pytest.mark.parametrize("reason", [Reason.DISPUTE, Reason.REPORT_DECEASED, Reason.UNDER_ADMINISTRATION])
@pytest.mark.parametrize("parted", [False, True])
async def test_again_is_no_more_of_them(house: House, reason: Reason, parted: bool) -> None:
    if parted:
        x, y, turn = await lapsed(house)
    else:
        x, y = await house.debtor("X", phone=PHONE), await house.debtor("B")
        turn = await house.hears("hallo", address=PHONE)
    await calls(house, turn, reason)
    for _ in range(2):
        await proves(house, turn, "B")
        assert sorted(row.debtor_id for row in await house.rows(hold)) == sorted([x, y])


async def test_what_stands_from_another_does_not_swallow_what_is_said_now(house: House) -> None:
    a, b = await house.debtor("A"), await house.debtor("B")
    first = await house.hears("ik ben A", address=PHONE)
    await proves(house, first, "A")
    row = await message(house, first)
    async with house.db.begin() as tx:
        await place(tx, row, Reason.HARDSHIP, (), house.clock.now(), suspected=True)
    await done(house)
    house.clock.advance(days=400)
    later = await house.hears("ik ben mijn baan kwijt", address=PHONE)
    await calls(house, later, Reason.HARDSHIP)
    await proves(house, later, "B")
    stands = {(row.debtor_id, row.suspected) for row in await house.rows(hold)}
    assert stands == {(a, True), (a, False), (b, False)}


def named(*numbers: str) -> list[dict[str, str]]:
    return [{"entity": "invoice_number", "value": number} for number in numbers]


ONE, TWO, BOTH, NONE = named("F1"), named("F2"), named("F1", "F2"), named()


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        pytest.param((ONE, True), (TWO, False), {("F1", True), ("F2", False)}, id="another than was suspected"),
        pytest.param((ONE, True), (ONE, False), {("F1", False)}, id="what was suspected"),
        pytest.param((ONE, True), (BOTH, False), {("F1", False), ("F2", False)}, id="that, and another"),
        pytest.param((NONE, True), (TWO, False), {(None, False)}, id="one of all"),
        pytest.param((TWO, True), (NONE, False), {("F2", True), (None, False)}, id="all"),
        pytest.param((ONE, False), (TWO, True), {("F1", False), ("F2", True)}, id="suspected of another"),
        pytest.param((ONE, False), (ONE, True), {("F1", False)}, id="suspected of what was said"),
        pytest.param((ONE, False), (BOTH, True), {("F1", False), ("F2", True)}, id="and of another"),
        pytest.param((ONE, False), (NONE, True), {("F1", False)}, id="suspected of what was said, unnamed"),
    ],
)
@pytest.mark.parametrize("one_turn", [False, True])
async def test_a_dispute_holds_what_is_named(
    house: House,
    one_turn: bool,
    first: tuple[Sequence[Any], bool],
    second: tuple[Sequence[Any], bool],
    stands: set[tuple[str | None, bool]],
) -> None:
    who = await house.debtor("A")
    await owes(house, who, "F1", "F2")
    turn = await house.hears("ik ben A", address=PHONE)
    await proves(house, turn, "A")
    for said, suspected in (first, second):
        row = await message(house, turn)
        async with house.db.begin() as tx:
            await place(tx, row, Reason.DISPUTE, said, house.clock.now(), suspected=suspected)
        if not one_turn:
            turn = await house.hears("nog iets", address=PHONE)
    assert {(row.invoice_id, row.suspected) for row in await house.rows(hold)} == stands
    assert len(await house.rows(hold)) == len(stands)


async def test_a_hold_of_another_s_invoice_is_one_of_all_theirs(house: House) -> None:
    """Somebody else writes while the first is still known here."""
    a, b = await house.debtor("A"), await house.debtor("B")
    await owes(house, a, "F1", "F2")
    first = await house.hears("ik ben A", address=PHONE)
    await proves(house, first, "A")
    await done(house)
    later = await house.hears("die facturen kloppen niet", address=PHONE)
    row = await message(house, later)
    async with house.db.begin() as tx:
        await place(tx, row, Reason.DISPUTE, BOTH, house.clock.now())
    await proves(house, later, "B")
    found = {(row.debtor_id, row.invoice_id) for row in await house.rows(hold)}
    assert found == {(a, "F1"), (a, "F2"), (b, None)}
    assert (await house.one(contact_point)).debtor_id == b
