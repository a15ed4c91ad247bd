"""Turns whose engine fails, and words that wait for nobody."""

from datetime import timedelta
from typing import Any

import pytest

from conversations import turns
from conversations.engine import Answer
from conversations.handoff import Handoffs
from conversations.turns import Turns
from core.errors import EngineFailed, SendFailed
from core.hold import PRIORITY, Reason
from core.message import Option, Say
from store.database import Database
from store.tables.people import hold
from store.tables.talk import conversation, event, inbound, outbound
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


class Up:
    """Says one thing."""

    async def turn(self, *_: Any, **__: Any) -> Answer:
        return Answer([Say("talk.greet")], None, 5, {})


def worker(house: House, intent: str, care: str | None, engine: Any = None) -> Turns:
    meaning: Any = Understanding(intent, care)
    talks: Any = engine or Down()
    return Turns(house.db, house.clock, house.wake, house.creditors, house.outbox, house.delivery, talks, meaning)


async def introduced(house: House, **values: Any) -> None:
    async with house.db.begin() as tx:
        await tx.execute(conversation.update().values(introduced=True, **values))


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


@pytest.mark.parametrize("state", ["resolved", "pending"], ids=["resolves", "hands back"])
async def test_what_comes_while_an_agent_leaves_is_answered_by_the_bot(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    house = await House(database, clock, Wire()).furnish()
    await house.receives("nog een vraag: waar is mijn pakket")
    await introduced(house, state="open", reason="human", agent_id="somebody")
    noted = Turns._note

    async def left(self: Turns, *args: Any) -> None:
        await noted(self, *args)
        await introduced(house, state=state, agent_id=None)

    monkeypatch.setattr(Turns, "_note", left)
    turns_of = worker(house, "ask_order_status", None, Up())
    assert await turns_of.run_one() and (await house.one(inbound)).state == "received"
    assert await turns_of.run_one()
    assert (await house.one(inbound)).outcome == "answered"
    assert [row.key for row in await house.rows(outbound)] == ["talk.greet"]


@pytest.mark.parametrize(
    ("hours", "heard"),
    [
        pytest.param(0, "pay", id="news that was read"),
        pytest.param(12, "affirm", id="news that waits for the morning"),
    ],
)
async def test_a_yes_is_to_what_was_read(database: Database, clock: FakeClock, hours: int, heard: str) -> None:
    house = await House(database, clock, Wire()).furnish()
    await house.debtor("K-1001", postcode="1111 AA")
    asked = await house.hears("later betalen", address="+31600000009")
    assert (await house.identity.verify(asked, "K-1001", {"postcode": "1111 AA"})).ok
    async with house.db.begin() as tx:
        await tx.execute(inbound.update().values(state="done"))
    clock.advance(hours=hours)
    day = {"amount": {"money": [4990, "EUR"]}, "day": {"date": "2026-12-01"}}
    await house.put(asked, Say("promise.confirm", day, [Option("option.yes", "pay_later")]), "turn:1:0", turn=asked)
    await house.deliver()
    news = {"amount": {"money": [4990, "EUR"]}, "invoices": ["7"], "n": 1}
    pays = [Option("button.pay", "pay"), Option("button.human", "human")]
    await house.put(asked, Say("payment.returned", news, pays), "payment:x", proactive=True)
    await house.deliver()
    await introduced(house)
    got: list[str] = []

    class Hearing(Up):
        async def turn(self, *args: Any, **_: Any) -> Answer:
            got.append(args[3]["intent"]["name"])
            return await super().turn()

    await house.receives("ja", address="+31600000009")
    assert await worker(house, "affirm", None, Hearing()).run_one()
    assert got == [heard]


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
    await introduced(house)
    assert await worker(house, "out_of_scope", None).run_one()
    assert (await house.states(), len(wire.sent)) == (states, sent)
    await house.deliver()
    assert (set(await house.states()), len(wire.sent)) == ({"sent"}, len(states))


async def test_an_open_line_that_breaks_costs_nothing(database: Database, clock: FakeClock) -> None:
    """Who comes back reads it in the history."""
    wire = OpenWire(failures=[SendFailed("gone", retryable=False)])
    house = await House(database, clock, wire).furnish()
    await house.receives("")
    await introduced(house)
    assert await worker(house, "out_of_scope", None).run_one()
    (row,) = await house.rows(outbound)
    assert row.state == "sent" and row.rendered
    assert wire.sent == []


async def test_a_first_message_without_words_is_told_who_answers(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    await house.receives("")
    assert await worker(house, "out_of_scope", None).run_one()
    assert [row.key for row in await house.rows(outbound)] == ["intro.ai", "notice.media"]


async def test_what_the_care_watch_suspects_is_answered_and_put_before_a_person(
    database: Database, clock: FakeClock
) -> None:
    house = await House(database, clock, Wire()).furnish()
    await house.receives("waar blijft mijn pakket, de rekening is er al")
    assert await worker(house, "ask_order_status", "dispute", Up()).run_one()
    talk = await house.one(conversation)
    assert (talk.state, talk.reason, talk.summary["suspected"]) == ("open", "suspected", "dispute")
    placed = await house.one(hold)
    assert (placed.reason, placed.suspected) == ("dispute", True)
    assert [row.key for row in await house.rows(outbound)] == ["intro.ai", "talk.greet"]
    # The bot goes on; the same suspicion is one hold.
    await house.receives("en mijn andere pakket?")
    assert await worker(house, "ask_order_status", "dispute", Up()).run_one()
    assert [row.key for row in await house.rows(outbound)][2:] == ["talk.greet"]
    await house.one(hold)
    # What is said counts: still one hold, and no suspicion any more.
    turn = await house.hears("ik heb het nooit gehad")
    await Handoffs(house.db, house.clock).open(turn, Reason.DISPUTE)
    assert (await house.one(hold)).suspected is False
    assert (await house.one(conversation)).reason == "dispute"


async def test_a_turn_that_is_tried_again_wakes_somebody_once(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    await house.receives("ik wil niet meer leven")

    class Broken:
        async def turn(self, *_: Any, **__: Any) -> Any:
            raise ValueError("a fault of our own")

    for _ in range(3):
        assert await worker(house, "self_harm", "self_harm", Broken()).run_one()
        clock.advance(seconds=2)
    assert len([row for row in await house.rows(event) if row.name == "care.detected"]) == 1


@pytest.mark.parametrize(
    ("reason", "agent", "intent", "care", "keys"),
    [
        pytest.param("request", None, "pay", None, ["talk.greet"], id="a wish that somebody sees to later"),
        pytest.param("callback", None, "pay", None, ["talk.greet"], id="a telephone call to come"),
        pytest.param("request", "sanne", "pay", None, [], id="until an agent has it"),
        pytest.param("human", None, "pay", None, ["notice.desk_waiting", "handoff.when_open"], id="who asked for one"),
        pytest.param("dispute", None, "report_deceased", "report_deceased", ["talk.greet"], id="other care is heard"),
        pytest.param("dispute", None, "inform", "hardship", ["dispute.noted"], id="a suspicion is not"),
        pytest.param("self_harm", None, "dispute/amount", "dispute", ["notice.desk_waiting", "handoff.when_open"],
                     id="no word of money to who is in danger"),
        pytest.param("hardship", None, "request_payment_plan", None, ["talk.greet"], id="a plan, if they ask"),
        pytest.param("hardship", None, "pay", None, ["notice.desk_waiting", "handoff.when_open"], id="nothing else"),
        pytest.param("dispute", None, "inform", None, ["dispute.noted"], id="what was asked is noted"),
        pytest.param("dispute", None, "pay", None, ["notice.desk_waiting", "handoff.when_open"],
                     id="a wish is no answer to it"),
        pytest.param("wrong_person", None, "affirm", None, [], id="who was told goodbye is left alone"),
        pytest.param("wrong_person", None, "human", None, ["talk.greet"], id="unless they want somebody"),
    ],
)  # fmt: skip
async def test_who_answers_while_a_person_is_awaited(
    database: Database, clock: FakeClock, reason: str, agent: str | None, intent: str, care: str | None, keys: list[str]
) -> None:
    house = await House(database, clock, Wire()).furnish()
    turn = await house.hears("een bericht")
    await introduced(house, state="open", reason=reason, priority=PRIORITY[Reason(reason)], agent_id=agent)
    assert await worker(house, intent, care, Up()).run_one()
    assert [row.key for row in await house.rows(outbound)] == keys
    silent = reason == "wrong_person" and not keys
    outcome = "silent" if silent else "answered" if keys == ["talk.greet"] else "desk"
    assert (await house.one(inbound, inbound.c.id == turn)).outcome == outcome


async def test_at_night_who_waits_hears_when_a_person_is_there(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire()).furnish()
    clock.advance(hours=14)
    await house.receives("hallo?")
    await introduced(house, state="open", reason="human")
    assert await worker(house, "greet", None, Up()).run_one()
    assert [row.key for row in await house.rows(outbound)] == ["notice.desk_waiting", "handoff.when_closed"]
    await house.receives("is daar iemand?")
    assert await worker(house, "greet", None, Up()).run_one()
    assert len(await house.rows(outbound)) == 2, "lines of one breath are one message"
    clock.advance(minutes=5)
    await house.receives("hallo??")
    assert await worker(house, "greet", None, Up()).run_one()
    assert len(await house.rows(outbound)) == 4


async def test_a_new_session_of_the_dialogue_knows_what_was_asked(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "ROLL_OVER", 4)
    house = await House(database, clock, Wire()).furnish()
    told: list[Any] = []

    class Listening(Up):
        async def turn(self, *_: Any, **how: Any) -> Answer:
            told.append(how["said"])
            return await super().turn()

    for text in ("hallo", "ja"):
        await house.receives(text)
        assert await worker(house, "greet", None, Listening()).run_one()
    assert [said.key if said else None for said in told] == [None, "talk.greet"]
