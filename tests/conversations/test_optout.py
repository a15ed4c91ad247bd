"""Opting in again, and an address that is somebody else's."""

import pytest

from conversations.optout import OptOuts
from core.ids import TurnId
from store.database import Database
from store.tables.people import debtor
from tests.clock import FakeClock
from tests.conversations.house import House, Wire


async def verified(database: Database, clock: FakeClock, text: str) -> tuple[House, TurnId]:
    house = await House(database, clock, Wire()).furnish()
    await house.debtor("K-1001", marketing_consent=False)
    turn = await house.hears(text)
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1234 AB"})).ok
    return house, turn


@pytest.mark.parametrize(
    ("text", "consents"),
    [("START", False), ("unstop", False), ("Start!", False), ("stuur me maar weer jullie acties", True)],
)
async def test_a_keyword_is_no_consent_to_offers(
    database: Database, clock: FakeClock, text: str, consents: bool
) -> None:
    house, turn = await verified(database, clock, text)
    opt_outs = OptOuts(database, clock)
    await opt_outs.out(turn)
    assert await opt_outs.back(turn) is consents
    assert (await house.contact()).opted_out_at is None
    assert (await house.one(debtor)).marketing_consent is consents


async def test_whoever_is_somebody_else_is_not_verified_any_more(database: Database, clock: FakeClock) -> None:
    house, turn = await verified(database, clock, "ik ben dit niet")
    await OptOuts(database, clock).wrong_person(turn)
    point = await house.contact()
    assert (point.verified_until, point.confirmed_until) == (None, None)
    assert point.opted_out_at == clock.now()
