"""Verification: what fits, how often one may guess, and what moves when a person is known."""

import asyncio

import jwt
import pytest

from conversations.holds import holding, place
from core.errors import BadInput
from core.hold import Reason
from core.ids import DebtorId, TurnId
from core.message import Address, Say
from store.database import Database
from store.tables.people import contact_point, hold, verification_attempt
from store.tables.talk import conversation, inbound, outbound
from tests.clock import FakeClock
from tests.conversations.house import CREDITOR, SECRETS, House, Wire


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    house = await House(database, clock, Wire()).furnish()
    await house.debtor("K-1001", phone="+31600000001")
    return house


async def writes(house: House, address: str = "+31600000009", **more: object) -> TurnId:
    turn = await house.receives("hallo", address=address, **more)
    assert turn
    return turn


@pytest.mark.parametrize("number", ["K-1001", "k1001", " K 1001 ", "k.1001"])
@pytest.mark.parametrize("postcode", ["1234 AB", "1234ab"])
async def test_however_it_is_spelled(house: House, number: str, postcode: str) -> None:
    turn = await writes(house)
    assert (await house.identity.verify(turn, number, {"postcode": postcode})).ok
    assert (await house.contact("+31600000009")).verified_until > house.clock.now()


@pytest.mark.parametrize(
    ("number", "postcode"),
    [("K-1001", "4321 BA"), ("K-9999", "1234 AB"), ("", ""), ("K-1001", ""), ("%", "1234 AB"), ("K-100%", "1234 AB")],
)
async def test_unknown_and_wrong_get_the_same_answer(house: House, number: str, postcode: str) -> None:
    found = await house.identity.verify(await writes(house), number, {"postcode": postcode})
    assert (found.ok, found.left, found.locked) == (False, 2, False)


async def test_three_tries_at_one_address(house: House) -> None:
    turn = await writes(house)
    for _ in range(3):
        last = await house.identity.verify(turn, "K-1001", {"postcode": "9999 ZZ"})
    assert (last.ok, last.locked) == (False, True)
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1234 AB"})).locked, "right, and too late"
    house.clock.advance(days=1, minutes=1)
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1234 AB"})).ok


async def test_a_record_is_not_guessed_at_from_many_addresses(house: House) -> None:
    for number in range(5):
        turn = await writes(house, f"+3160000010{number}")
        for _ in range(2):
            await house.identity.verify(turn, "K-1001", {"postcode": "9999 ZZ"})
    fresh = await writes(house, "+31600000200")
    found = await house.identity.verify(fresh, "K-1001", {"postcode": "1234 AB"})
    unknown = await house.identity.verify(await writes(house, "+31600000201"), "K-9999", {"postcode": "1234 AB"})
    assert not found.ok
    assert found == unknown, "nobody learns that there is such a number"


async def test_a_network_is_not_a_guesser_s_either(house: House) -> None:
    for number in range(15):
        turn = await writes(house, f"session-{number}", profile={"remote": "203.0.113.7"})
        for _ in range(2):
            await house.identity.verify(turn, f"K-{number}", {"postcode": "9999 ZZ"})
    fresh = await writes(house, "session-x", profile={"remote": "203.0.113.7"})
    assert (await house.identity.verify(fresh, "K-1001", {"postcode": "1234 AB"})).locked


async def test_the_thread_joins_the_debtor_s_conversation(house: House) -> None:
    earlier = await writes(house, "+31600000001")
    assert (await house.identity.verify(earlier, "K-1001", {"postcode": "1234 AB"})).ok
    home = await house.talk_of(earlier)
    later = await writes(house, "+31600000009")
    thread = await house.talk_of(later)
    assert thread != home
    await house.put(later, Say("talk.thank"), "turn:1:0")
    assert (await house.identity.verify(later, "K-1001", {"postcode": "1234 AB"})).ok
    assert {row.conversation_id for table in (inbound, outbound, contact_point) for row in await house.rows(table)} == {
        home
    }
    left = await house.one(conversation, conversation.c.id == thread)
    assert (left.merged_into, left.state, left.debtor_id) == (home, "resolved", None)
    joined = await house.one(conversation, conversation.c.id == home)
    assert joined.dialogue == f"{thread}:1", "the dialogue goes along"


async def test_a_hold_covers_whoever_is_recognised_and_stays_on_verification(house: House) -> None:
    stranger = await writes(house, "+31600000009")
    known = await writes(house, "+31600000001")
    person = DebtorId((await house.contact("+31600000001")).debtor_id)
    async with house.db.begin() as tx:
        for turn in (stranger, known):
            message = (await tx.execute(inbound.select().where(inbound.c.id == turn))).one()
            await place(tx, message, Reason.HARDSHIP, (), house.clock.now())
            await place(tx, message, Reason.HARDSHIP, (), house.clock.now())
        assert await holding(tx, person)
    assert len(await house.rows(hold)) == 2, "the same cause holds once"
    assert (await house.identity.verify(stranger, "K-1001", {"postcode": "1234 AB"})).ok
    assert {row.debtor_id for row in await house.rows(hold)} == {person}


@pytest.mark.parametrize(
    ("claims", "secret", "ok"),
    [
        pytest.param({"sub": "K-1001"}, None, True, id="good"),
        pytest.param({"sub": "K-9999"}, None, False, id="nobody"),
        pytest.param({"sub": "K-1001", "exp": 1}, None, False, id="expired"),
        pytest.param({"sub": "K-1001", "exp": None}, None, False, id="without an end"),
        pytest.param({"sub": "K-1001"}, "somebody-else-s-secret-of-thirty-two", False, id="forged"),
    ],
)
async def test_the_shop_s_token(house: House, claims: dict[str, object], secret: str | None, ok: bool) -> None:
    content = {"exp": int(house.clock.now().timestamp()) + 10_000_000, **claims}
    content = {name: value for name, value in content.items() if value is not None}
    token = jwt.encode(content, secret or SECRETS["BLOEM_TOKEN_SECRET"], algorithm="HS256")
    assert await house.identity.identify(CREDITOR, "web", Address("s" * 22), token) is ok
    assert bool(await house.rows(contact_point, contact_point.c.verified_until.is_not(None))) is ok


async def test_a_session_belongs_to_one_person(house: House) -> None:
    await house.debtor("K-2", postcode="2222 BB")
    end = int(house.clock.now().timestamp()) + 10_000_000
    one, other = (
        jwt.encode({"sub": number, "exp": end}, SECRETS["BLOEM_TOKEN_SECRET"], algorithm="HS256")
        for number in ("K-1001", "K-2")
    )
    assert await house.identity.identify(CREDITOR, "web", Address("s" * 22), one)
    with pytest.raises(BadInput):
        await house.identity.identify(CREDITOR, "web", Address("s" * 22), other)


async def test_guesses_of_one_moment_are_counted_one_by_one(house: House) -> None:
    turn = await writes(house)
    guesses = (house.identity.verify(turn, "K-1001", {"postcode": f"000{number} XX"}) for number in range(5))
    assert sorted(guess.left for guess in await asyncio.gather(*guesses)) == [0, 0, 0, 1, 2]
    assert len(await house.rows(verification_attempt, verification_attempt.c.scope == "debtor")) == 3
