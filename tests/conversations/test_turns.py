"""Turns whose engine fails, and words that wait for nobody."""

from datetime import timedelta
from typing import Any

import pytest

from conversations import turns
from conversations.turns import Turns
from core.errors import EngineFailed, SendFailed
from core.message import Say
from store.database import Database
from store.tables.talk import conversation, inbound, outbound
from tests.clock import FakeClock
from tests.conversations.house import House, OpenWire, Wire


class Meaning:
    language = "nl"

    def __init__(self, intent: str, care: str | None) -> None:
        self._intent, self._care = intent, care

    def as_json(self) -> dict[str, Any]:
        understood = {"intent": {"name": self._intent}, "care": {"name": self._care}}
        return {**understood, "entities": [], "readings": [], "also": None}

    def for_engine(self) -> dict[str, Any]:
        return {"intent": {"name": self._intent, "confidence": 0.9}, "entities": []}


class Understanding:
    def __init__(self, intent: str, care: str | None) -> None:
        self._meaning = Meaning(intent, care)

    def parse(self, text: str, hint: str | None = None) -> Meaning:
        return self._meaning


class Down:
    async def turn(self, *_: Any, **__: Any) -> Any:
        raise EngineFailed("it is down")


def worker(house: House, intent: str, care: str | None) -> Turns:
    meaning: Any = Understanding(intent, care)
    engine: Any = Down()
    return Turns(house.db, house.clock, house.wake, house.creditors, house.outbox, house.delivery, engine, meaning)


async def test_whoever_is_in_danger_hears_of_help_though_the_engine_is_down(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", timedelta(0))
    house = await House(database, clock, Wire()).furnish()
    await house.receives("ik wil niet meer leven")
    assert await worker(house, "self_harm", "self_harm").run_one()
    keys = [row.key for row in await house.rows(outbound)]
    assert "care.self_harm" in keys and "apology.handoff" not in keys
    talk = await house.one(conversation)
    assert (talk.state, talk.reason, talk.care) == ("open", "self_harm", True)


async def test_no_apology_falls_into_an_agent_s_conversation(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", timedelta(0))
    house = await House(database, clock, Wire()).furnish()
    turn = await house.hears("waar is mijn pakket")

    async def taken_over(*_: Any, **__: Any) -> Any:
        async with house.db.begin() as tx:
            await tx.execute(conversation.update().values(state="open", reason="human", agent_id="somebody"))
        raise EngineFailed("it is down")

    monkeypatch.setattr(Down, "turn", taken_over)
    assert await worker(house, "ask_order_status", None).run_one()
    assert await house.rows(outbound) == []
    assert (await house.one(inbound, inbound.c.id == turn)).outcome == "desk"
    assert (await house.one(conversation)).reason == "human"


async def test_stopping_does_not_wait_for_an_agent(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire("whatsapp")).furnish()
    await house.receives("STOP")
    async with house.db.begin() as tx:
        await tx.execute(conversation.update().values(state="open", reason="human", agent_id="somebody"))
    assert await worker(house, "out_of_scope", None).run_one()
    assert (await house.contact()).opted_out_at is not None
    assert [row.key for row in await house.rows(outbound)] == ["opt_out.done"]


@pytest.mark.parametrize(
    ("channel", "earlier", "states", "sent"),
    [
        pytest.param(OpenWire, False, ["sent"], 1, id="an open line is told with the turn's own commit"),
        pytest.param(OpenWire, True, ["queued", "queued"], 0, id="after what waits before it"),
        pytest.param(Wire, False, ["queued"], 0, id="a provider is called by a sender"),
    ],
)
async def test_who_sends_an_answer(
    database: Database, clock: FakeClock, channel: type[Wire], earlier: bool, states: list[str], sent: int
) -> None:
    wire = channel()
    house = await House(database, clock, wire).furnish()
    if earlier:
        await house.put(await house.hears("hallo"), Say("notice.media"), "earlier")
        async with house.db.begin() as tx:
            await tx.execute(inbound.update().values(state="done"))
    await house.receives("")
    assert await worker(house, "out_of_scope", None).run_one()
    assert (await house.states(), len(wire.sent)) == (states, sent)
    await house.deliver()
    assert (set(await house.states()), len(wire.sent)) == ({"sent"}, len(states))


async def test_an_open_line_that_breaks_costs_nothing(database: Database, clock: FakeClock) -> None:
    """Who comes back reads it in the history."""
    wire = OpenWire(failures=[SendFailed("gone", retryable=False)])
    house = await House(database, clock, wire).furnish()
    await house.receives("")
    assert await worker(house, "out_of_scope", None).run_one()
    (row,) = await house.rows(outbound)
    assert row.state == "sent" and row.rendered
    assert wire.sent == []
