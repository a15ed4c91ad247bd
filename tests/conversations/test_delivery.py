"""The outbox: said once, rendered late, sent in order; and what happens when a provider fails."""

from datetime import timedelta
from typing import Any

import pytest

from conversations.delivery import LEASE
from core.errors import SendFailed
from core.ids import TurnId
from core.lifecycle import OutboundState
from core.message import Limits, Option, Receipt, Rendered, Say
from store.database import Database
from store.tables.people import creditor as shop
from store.tables.talk import button, conversation, inbound, outbound
from tests.clock import FakeClock
from tests.conversations.house import AskedWire, House, OpenWire, Wire

TAKEN = Receipt("sms", "SM1", OutboundState.SENT)
LOST = Receipt("sms", "SM1", OutboundState.FAILED, "63016")


async def written(house: House) -> TurnId:
    turn = await house.receives("hallo")
    assert turn
    return turn


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    return await House(database, clock, Wire()).furnish()


async def test_one_cause_says_it_once(house: House) -> None:
    turn = await written(house)
    assert await house.put(turn, Say("talk.thank"), "turn:1:0")
    assert await house.put(turn, Say("talk.thank"), "turn:1:0") is None
    await house.deliver()
    assert len(house.wire.sent) == 1


async def test_messages_leave_in_order_and_a_failure_holds_up_the_next(house: House, clock: FakeClock) -> None:
    turn = await written(house)
    for number, key in enumerate(("talk.thank", "talk.affirm", "talk.deny")):
        await house.put(turn, Say(key), f"turn:1:{number}")
    house.wire.failures = [SendFailed("busy", retryable=True)]
    await house.deliver()
    assert house.wire.sent == []
    first = (await house.rows(outbound))[0]
    clock.advance(minutes=1)
    await house.deliver()
    assert [message.id for message in house.wire.sent] == [row.id for row in await house.rows(outbound)]
    assert house.wire.sent[0].text == first.rendered[0]["text"], "the very text of the first try"


async def test_after_the_last_try_a_person_sees_it(house: House, clock: FakeClock) -> None:
    turn = await written(house)
    await house.put(turn, Say("talk.thank"), "turn:1:0", turn=turn)
    house.wire.failures = [SendFailed("busy", retryable=True) for _ in range(20)]
    for _ in range(12):
        clock.advance(hours=2)
        await house.deliver()
    assert await house.states() == [OutboundState.FAILED]
    talk = await house.one(conversation)
    assert (talk.state, talk.reason) == ("open", "fault")


async def test_whoever_has_opted_out_gets_no_message_of_ours_and_every_answer(house: House) -> None:
    turn = await written(house)
    house.wire.failures = [SendFailed("21610", retryable=False)]
    await house.put(turn, Say("talk.thank"), "turn:1:0")
    await house.deliver()
    assert (await house.contact()).opted_out_at is not None
    await house.put(turn, Say("talk.affirm"), "reminder:1", proactive=True)
    await house.put(turn, Say("talk.deny"), "turn:2:0")
    await house.deliver()
    assert await house.states() == [OutboundState.FAILED, OutboundState.WITHHELD, OutboundState.SENT]


async def test_a_debt_is_told_to_nobody_who_is_not_verified(house: House) -> None:
    turn = await written(house)
    await house.put(turn, Say("payment.received", {"amount": {"money": [4990, "EUR"]}, "invoices": ["7"], "n": 1}), "x")
    await house.deliver()
    (message,) = house.wire.sent
    assert "49" not in message.text and "Bloem" in message.text


@pytest.mark.parametrize(
    ("wire", "after"),
    [
        pytest.param(AskedWire(taken=TAKEN), OutboundState.SENT, id="asked, and it was taken"),
        pytest.param(AskedWire(taken=LOST), OutboundState.FAILED, id="asked, and it was taken and failed"),
        pytest.param(AskedWire(), OutboundState.QUEUED, id="asked, and it was not"),
        pytest.param(OpenWire(), OutboundState.QUEUED, id="harmless twice"),
        pytest.param(Wire("telegram"), OutboundState.UNKNOWN, id="nobody can tell"),
    ],
)
@pytest.mark.parametrize("how", ["timed out", "killed"])
async def test_a_doubt_is_settled_and_never_by_sending_blindly(
    database: Database, clock: FakeClock, wire: Wire, after: OutboundState, how: str
) -> None:
    wire.sent, wire.failures = [], []
    house = await House(database, clock, wire).furnish()
    turn = await written(house)
    await house.put(turn, Say("talk.thank"), "turn:1:0")
    if how == "timed out":
        wire.failures = [SendFailed("timeout", retryable=True, uncertain=True)]
        await house.deliver()
    else:  # after the text was stored, and perhaps sent
        async with house.db.begin() as tx:
            row = await house.delivery._claim(tx, clock.now())
            assert row and await house.making.made(tx, row, clock.now())
    clock.advance(LEASE + timedelta(minutes=2))
    await house.delivery.settle()
    assert await house.states() == [after]


async def test_what_nobody_can_tell_is_offered_again_with_the_next_message(
    database: Database, clock: FakeClock
) -> None:
    house = await House(database, clock, Wire("telegram")).furnish()
    turn = await written(house)
    house.wire.failures = [SendFailed("timeout", retryable=True, uncertain=True)]
    await house.put(turn, Say("talk.thank"), "turn:1:0", turn=turn)
    await house.deliver()
    for _ in range(2):
        async with house.db.begin() as tx:
            contact = await house.contact()
            await house.outbox.offer_again(tx, await house.talk_of(turn), contact.id)
    await house.deliver()
    assert [row.key for row in await house.rows(outbound)] == ["talk.thank", "notice.again", "talk.thank"]


@pytest.mark.parametrize(
    ("receipts", "state"),
    [
        pytest.param(["delivered", "read"], "read", id="in order"),
        pytest.param(["read", "delivered"], "read", id="out of order"),
        pytest.param(["delivered", "delivered"], "delivered", id="twice"),
        pytest.param(["delivered", "sent"], "delivered", id="late"),
        pytest.param(["failed"], "failed", id="refused later"),
    ],
)
async def test_receipts_only_raise_a_state(house: House, receipts: list[str], state: str) -> None:
    turn = await written(house)
    await house.put(turn, Say("talk.thank"), "turn:1:0")
    await house.deliver()
    for receipt in receipts:
        await house.outbox.receipt(Receipt("sms", "sms-1", OutboundState(receipt)))
    assert await house.states() == [state]


async def test_a_receipt_for_nothing_of_ours_changes_nothing(house: House) -> None:
    await house.outbox.receipt(Receipt("sms", "of-somebody-else", OutboundState.READ))
    assert await house.states() == []


async def test_buttons_are_opaque_and_numbered(house: House) -> None:
    turn = await written(house)
    say = Say("talk.not_understood", options=[Option("option.pay", "pay"), Option("option.human", "human")])
    await house.put(turn, say, "turn:1:0")
    await house.deliver()
    rows = await house.rows(button)
    assert sorted(row.position for row in rows) == [1, 2]
    assert all(len(row.id) >= 22 for row in rows)
    assert "1. " in house.wire.sent[0].text, "a channel without buttons"


@pytest.mark.parametrize(
    ("channel", "state"),
    [
        pytest.param(Wire, "unknown", id="a provider may have taken it"),
        pytest.param(OpenWire, "queued", id="twice is once: it is tried again later"),
    ],
)
async def test_a_fault_of_our_own_ends_in_a_state(
    database: Database, clock: FakeClock, channel: type[Wire], state: str
) -> None:
    wire = channel()
    house = await House(database, clock, wire).furnish()
    turn = await house.hears("hallo")
    await house.put(turn, Say("notice.media"), "one")
    broken: Any = [KeyError("a shape that nobody expected")]
    wire.failures = broken
    assert await house.delivery.run_one()
    (row,) = await house.rows(outbound)
    assert (row.state, row.error, row.lease) == (state, "KeyError", None)
    assert (row.next_at > clock.now()) is (state == "queued")


async def test_what_nobody_verified_may_read_is_told_once_and_in_full_after_verification(
    database: Database, clock: FakeClock
) -> None:
    wire = Wire(name="web")
    house = await House(database, clock, wire).furnish()
    await house.debtor("K-1001")
    turn = await house.hears("hallo", address="somewhere")
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1234 AB"})).ok
    clock.advance(minutes=31)
    for number, key in enumerate(("payment.settled_all", "payment.thanks")):
        await house.put(turn, Say(key), f"payment:1:booked:{number}")
    await house.put(turn, Say("reminder.upcoming"), "reminder:1", proactive=True)
    await house.deliver()
    assert [row.key for row in await house.rows(outbound, outbound.c.state == "sent")] == ["notice.message_waiting"]
    # On the web whoever writes now starts afresh; verified again, it is their conversation.
    later = await house.hears("wat is er?", address="somewhere")
    await house.deliver()
    assert len(wire.sent) == 1
    assert (await house.identity.verify(later, "K-1001", {"postcode": "1234 AB"})).ok
    await house.deliver()
    sent = await house.rows(outbound, outbound.c.state == "sent")
    assert [row.key for row in sent] == ["payment.settled_all", "payment.thanks", "notice.message_waiting"]
    assert len(wire.sent) == 3
    await house.deliver()
    assert len(wire.sent) == 3


@pytest.mark.parametrize(
    ("key", "failures", "sent"),
    [
        pytest.param("talk.deny", 2, [], id="an answer waits a moment for the one before it"),
        pytest.param("talk.deny", 5, ["talk.deny"], id="and not for minutes"),
        pytest.param("care.self_harm_again", 2, ["care.self_harm_again"], id="what is urgent waits for none"),
    ],
)
async def test_who_waits_for_a_retry(house: House, clock: FakeClock, key: str, failures: int, sent: list[str]) -> None:
    turn = await written(house)
    await house.put(turn, Say("talk.thank"), "turn:1:0")
    house.wire.failures = [SendFailed("busy", retryable=True) for _ in range(failures)]
    for _ in range(failures):
        await house.deliver()
        clock.set((await house.rows(outbound))[0].next_at)
    clock.set(clock.now() - timedelta(seconds=1) if failures == 2 else clock.now() - timedelta(minutes=9))
    help_lines = {"lines": {"key": "care.self_harm.lines.NL"}} if key.startswith("care") else {}
    await house.put(turn, Say(key, help_lines), "turn:2:0")
    await house.deliver()
    assert [row.key for row in await house.rows(outbound, outbound.c.state == "sent")] == sent


@pytest.mark.parametrize("delivered", [False, True])
async def test_a_part_that_does_not_arrive_is_seen(database: Database, clock: FakeClock, delivered: bool) -> None:
    house = await House(database, clock, Wire(limits=Limits(text=40))).furnish()
    turn = await written(house)
    words = " ".join(f"woord{number:02}" for number in range(12))
    await house.put(turn, Say("agent.text", {"text": words}), "agent:1", turn=turn, author="agent")
    await house.deliver()
    row = await house.one(outbound)
    assert row.parts_sent == len(house.wire.sent) == 3
    if delivered:
        await house.outbox.receipt(Receipt("sms", row.provider_id, OutboundState.DELIVERED))
    await house.outbox.receipt(Receipt("sms", "sms-1", OutboundState.DELIVERED))
    await house.outbox.receipt(Receipt("sms", "sms-2", OutboundState.FAILED, "30007"))
    row = await house.one(outbound)
    assert (row.state, row.error) == ("delivered" if delivered else "failed", "30007")
    talk = await house.one(conversation)
    assert (talk.state, talk.reason) == ("open", "fault")


async def test_what_was_made_for_a_number_that_changed_hands_is_made_anew(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire(limits=Limits(text=40))).furnish()
    await house.debtor("K-1001", postcode="1111 AA")
    await house.debtor("K-2002", postcode="2222 BB")
    first = await house.hears("ik ben A", address="+31600000009")
    assert (await house.identity.verify(first, "K-1001", {"postcode": "1111 AA"})).ok
    human = Option("button.human", "human")
    await house.put(first, Say("payment.credit", {"credit": {"money": [500, "EUR"]}}, [human]), "payment:1:booked:0")
    send = house.wire.send
    failed: list[Rendered] = []

    async def one_then_busy(message: Rendered) -> str:
        if house.wire.sent and not failed:
            failed.append(message)
            raise SendFailed("busy", retryable=True)
        return await send(message)

    house.wire.send = one_then_busy  # type: ignore[method-assign]
    await house.deliver()
    assert len(house.wire.sent) == 1 and failed
    async with database.begin() as tx:
        await tx.execute(inbound.update().values(state="done"))
    clock.advance(minutes=5)
    later = await house.hears("ik ben B", address="+31600000009")
    assert (await house.identity.verify(later, "K-2002", {"postcode": "2222 BB"})).ok
    await house.deliver()
    assert len(house.wire.sent) == 1
    third = await house.hears("ik ben A, nieuw nummer", address="+31600000010")
    assert (await house.identity.verify(third, "K-1001", {"postcode": "1111 AA"})).ok
    await house.deliver()
    anew = house.wire.sent[1:]
    assert {message.address for message in anew} == {"+31600000010"}
    row = await house.one(outbound)
    assert [message.text for message in anew] == [part["text"] for part in row.rendered], "from its first part on"
    await house.outbox.receipt(Receipt("sms", "sms-2", OutboundState.FAILED, "30007"))
    assert (await house.one(outbound)).state == "failed", "its parts are known by what they are called now"


@pytest.mark.parametrize(("days", "again"), [pytest.param(6, True, id="a week"), pytest.param(8, False, id="longer")])
async def test_what_may_not_have_arrived_is_offered_again_while_it_is_news(
    database: Database, clock: FakeClock, days: int, again: bool
) -> None:
    house = await House(database, clock, Wire("telegram")).furnish()
    turn = await written(house)
    house.wire.failures = [SendFailed("timeout", retryable=True, uncertain=True)]
    await house.put(turn, Say("talk.thank"), "turn:1:0", turn=turn)
    await house.deliver()
    clock.advance(days=days)
    async with house.db.begin() as tx:
        await house.outbox.offer_again(tx, await house.talk_of(turn), (await house.contact()).id)
    await house.deliver()
    assert bool(house.wire.sent) is again


WAKES = [
    pytest.param("agent.text", {"author": "agent"}, "agent:1", True, id="what an agent wrote"),
    pytest.param("payment.settled_all", {}, "payment:1:booked:0", True, id="news of money"),
    pytest.param("payment.thanks", {"proactive": True}, "payment:1:booked:0", True, id="of a transfer"),
    pytest.param("talk.thank", {}, "again:1", True, id="what was said again"),
    pytest.param("reminder.upcoming", {"proactive": True}, "reminder:1", False, id="a reminder"),
    pytest.param("agent.joined", {"author": "system"}, "take:1", False, id="who has joined"),
]


@pytest.mark.parametrize("state", ["resolved", "pending"])
@pytest.mark.parametrize(("key", "how", "cause", "wakes"), WAKES)
async def test_who_wakes_a_person_when_it_cannot_be_delivered(
    house: House, key: str, how: dict[str, Any], cause: str, wakes: bool, state: str
) -> None:
    await house.debtor("K-1001")
    turn = await written(house)
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1234 AB"})).ok
    of_a_reminder = {"invoice": "7", "amount": {"money": [1, "EUR"]}, "due": {"date": "2026-12-01"}}
    args = {"text": "Wij regelen het", "name": "Sanne"} | (of_a_reminder if key.startswith("reminder") else {})
    await house.put(turn, Say(key, args), cause, **how)
    await house.deliver()
    row = await house.one(outbound)
    assert row.state == "sent"
    for again in (False, True):
        async with house.db.begin() as tx:
            await tx.execute(conversation.update().values(state=state, summary=None, reason=None))
        await house.outbox.receipt(Receipt("sms", "sms-1", OutboundState.FAILED, "63016"))
        talk = await house.one(conversation)
        woken = wakes and not again  # the same news twice wakes nobody
        assert talk.state == ("open" if woken else state)
        assert (talk.reason, talk.summary) == (("fault", {"undelivered": row.id}) if woken else (None, None))


async def test_one_message_of_which_many_parts_fail_wakes_a_person_once(database: Database, clock: FakeClock) -> None:
    house = await House(database, clock, Wire(limits=Limits(text=40))).furnish()
    turn = await written(house)
    words = " ".join(f"woord{number:02}" for number in range(12))
    await house.put(turn, Say("agent.text", {"text": words}), "agent:1", author="agent")
    await house.deliver()
    for number in (1, 2, 3):
        await house.outbox.receipt(Receipt("sms", f"sms-{number}", OutboundState.FAILED, "30007"))
        assert (await house.one(conversation)).state == ("open" if number == 1 else "resolved")
        async with house.db.begin() as tx:
            await tx.execute(conversation.update().values(state="resolved"))


async def test_an_answer_that_is_found_to_have_failed_is_put_before_a_person(
    database: Database, clock: FakeClock
) -> None:
    wire = AskedWire(taken=LOST, failures=[SendFailed("timeout", retryable=True, uncertain=True)])
    house = await House(database, clock, wire).furnish()
    turn = await written(house)
    await house.put(turn, Say("talk.thank"), "turn:1:0", turn=turn)
    await house.deliver()
    clock.advance(minutes=2)
    await house.delivery.settle()
    row = await house.one(outbound)
    assert (row.state, row.error, row.provider_id) == ("failed", "63016", "SM1")
    talk = await house.one(conversation)
    assert (talk.state, talk.reason, talk.summary["undelivered"]) == ("open", "fault", row.id)


@pytest.mark.parametrize(
    ("hours", "states"),
    [
        pytest.param(25, ["unknown", "failed"], id="a template: its text is not to be found"),
        pytest.param(1, ["failed", "failed"], id="a text of ours"),
    ],
)
@pytest.mark.parametrize("how", ["timed out", "killed"])
async def test_a_template_of_which_nobody_can_tell_is_not_sent_again(
    database: Database, clock: FakeClock, hours: int, states: list[str], how: str
) -> None:
    wire = AskedWire(name="whatsapp", taken=LOST)
    house = await House(database, clock, wire).furnish()
    async with database.begin() as tx:
        config = (await tx.execute(shop.select())).one().config
        config["channels"]["whatsapp"] = {"number": "+31", "templates": {"account_released": "HX1"}}
        await tx.execute(shop.update().values(config=config))
    await house.debtor("K-1001")
    turn = await written(house)
    assert (await house.identity.verify(turn, "K-1001", {"postcode": "1234 AB"})).ok
    clock.advance(hours=hours)
    await house.put(turn, Say("account.released"), "account:1", proactive=True)
    await house.put(turn, Say("talk.thank"), "turn:1:0")
    if how == "timed out":
        wire.failures = [SendFailed("timeout", retryable=True, uncertain=True) for _ in range(2)]
        await house.deliver()
    else:
        async with database.begin() as tx:
            for _ in range(2):
                row = await house.delivery._claim(tx, clock.now())
                assert row and await house.making.made(tx, row, clock.now())
                await tx.execute(outbound.update().where(outbound.c.id == row.id).values(state="unknown"))
    assert [bool(row.rendered[0]["template"]) for row in await house.rows(outbound)] == [hours == 25, False]
    for _ in range(3):
        clock.advance(LEASE + timedelta(minutes=2))
        await house.delivery.settle()
        await house.deliver()
    assert await house.states() == states
    assert wire.sent == []
