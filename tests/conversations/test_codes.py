"""A one-time code: who needs none, where it goes, how long it works, and that nobody guesses it."""

import re
from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import update

from conversations.codes import Codes
from core.errors import SendFailed
from core.ids import CreditorKey, TurnId
from core.message import Address
from locales import Renderer
from store.database import Database
from store.tables.people import contact_point, debtor, one_time_code
from tests.clock import FakeClock
from tests.conversations.house import CREDITOR, SECRETS, House, Wire

PHONE = "+31600000001"


class Desk:
    """A person whose number is on file, writing from somewhere."""

    def __init__(self, house: House, sms: Wire) -> None:
        self.house = house
        self.sms = sms
        self.codes = Codes(house.db, house.clock, house.creditors, sms, Renderer(), "secret")

    async def writes(self, address: str = "somewhere", *, phone: str | None = PHONE, **point: Any) -> TurnId:
        who = await self.house.debtor(f"K-{len(await self.house.rows(debtor))}", phone=phone)
        turn = await self.house.hears("hallo", address=address)
        until = self.house.clock.now() + timedelta(hours=2)
        values = {"debtor_id": who, "verified_until": until} | point
        async with self.house.db.begin() as tx:
            await tx.execute(update(contact_point).where(contact_point.c.address == address).values(**values))
        return turn

    def last(self) -> str:
        found = re.search(r"\d{6}", self.sms.sent[-1].text)
        assert found
        return found[0]


@pytest.fixture
async def desk(database: Database, clock: FakeClock) -> Desk:
    return Desk(await House(database, clock, Wire(name="telegram")).furnish(), Wire(name="sms"))


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_code_goes_to_the_number_on_file_and_works_once(desk: Desk) -> None:
    turn = await desk.writes()
    assert not await desk.codes.confirmed(turn)
    assert await desk.codes.send(turn) and await desk.codes.send(turn)  # a turn that is tried again
    (sent,) = desk.sms.sent
    assert (sent.address, sent.account) == (PHONE, CREDITOR)
    (row,) = await desk.house.rows(one_time_code)
    assert desk.last() not in str(row)
    assert not any(word in sent.text.lower() for word in ("factuur", "betal", "€", "afspraak", "schuld"))
    assert not await desk.codes.check(turn, other(desk.last()))
    assert await desk.codes.check(turn, desk.last())
    assert await desk.codes.confirmed(turn)
    assert not await desk.codes.check(turn, desk.last())
    desk.house.clock.advance(minutes=31)
    assert not await desk.codes.confirmed(turn)


@pytest.mark.parametrize(
    ("channel", "address", "phone", "confirmed"),
    [
        ("whatsapp", f"whatsapp:{PHONE}", PHONE, True),
        ("whatsapp", "whatsapp:+31600000009", PHONE, False),
        ("sms", PHONE, PHONE, True),
        ("sms", "+31600000009", PHONE, False),
        ("telegram", PHONE, PHONE, False),  # a chat id that happens to look so
        ("web", PHONE, PHONE, False),
        ("sms", "+31600000009", None, False),
    ],
)
async def test_who_writes_from_the_number_on_file_needs_none(
    desk: Desk, channel: str, address: str, phone: str | None, confirmed: bool
) -> None:
    turn = await desk.writes(address, phone=phone, channel=channel)
    assert await desk.codes.confirmed(turn) is confirmed


@pytest.mark.parametrize("minutes", [9, 10])
async def test_it_works_for_ten_minutes(desk: Desk, minutes: int) -> None:
    turn = await desk.writes()
    await desk.codes.send(turn)
    desk.house.clock.advance(minutes=minutes)
    assert await desk.codes.check(turn, desk.last()) is (minutes < 10)


async def test_three_guesses_and_no_more(desk: Desk) -> None:
    turn = await desk.writes()
    await desk.codes.send(turn)
    for _ in range(3):
        assert not await desk.codes.check(turn, other(desk.last()))
    assert not await desk.codes.check(turn, desk.last())


async def test_only_the_last_code_counts_and_only_where_it_was_asked_for(desk: Desk) -> None:
    first = await desk.writes()
    await desk.codes.send(first)
    old = desk.last()
    desk.house.clock.advance(minutes=1)
    second = await desk.house.hears("nog een", address="somewhere")
    await desk.codes.send(second)
    elsewhere = await desk.writes("elsewhere")
    assert not await desk.codes.check(elsewhere, desk.last())
    assert old == desk.last() or not await desk.codes.check(second, old)
    assert await desk.codes.check(second, desk.last())


async def test_nobodys_telephone_is_flooded(desk: Desk) -> None:
    turn = await desk.writes()
    sent = []
    for hour in range(3):
        for number in range(4):
            another = await desk.house.hears(f"{hour}{number}", address="somewhere")
            sent.append(await desk.codes.send(another))
        desk.house.clock.advance(hours=1, minutes=1)
    assert sent == [True, True, True, False] * 2 + [False] * 4
    assert len(desk.sms.sent) == 6 and turn


@pytest.mark.parametrize(
    ("phone", "failure", "sent"),
    [
        pytest.param(None, None, False, id="no number on file"),
        pytest.param(PHONE, SendFailed("21610", retryable=False), False, id="opted out at the provider"),
        pytest.param(PHONE, SendFailed("timeout", retryable=True, uncertain=True), True, id="it may have gone"),
    ],
)
async def test_what_cannot_be_sent(desk: Desk, phone: str | None, failure: SendFailed | None, sent: bool) -> None:
    turn = await desk.writes(phone=phone)
    desk.sms.failures += [failure] if failure else []
    assert await desk.codes.send(turn) is sent


@pytest.mark.parametrize("before", ["nobody", "by what they know"])
async def test_the_shops_token_is_proof_enough(desk: Desk, before: str) -> None:
    house = desk.house
    turn = await desk.writes("somewhere") if before != "nobody" else await house.hears("hallo", address="somewhere")
    if before == "nobody":
        await house.debtor("K-0")
    await house.rows(debtor)
    number = next(row.customer_number for row in await house.rows(debtor) if row.customer_number.startswith("K-"))
    (secret,) = [value for name, value in SECRETS.items() if "TOKEN_SECRET" in name]
    exp = int((house.clock.now() + timedelta(hours=1)).timestamp())
    token = jwt.encode({"sub": number, "exp": exp}, secret, "HS256")
    assert await house.identity.identify(CreditorKey(CREDITOR), "telegram", Address("somewhere"), token)
    assert await desk.codes.confirmed(turn)
    house.clock.advance(hours=1)
    assert not await desk.codes.confirmed(turn)
