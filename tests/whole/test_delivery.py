"""Sending: what is refused for now goes out later with the very same text, what is refused for good gets a person."""

from typing import Any

import pytest
from sqlalchemy import update

from store.tables.talk import outbound
from tests.fakes import telegram, twilio
from tests.whole.people import Person, Phone, Telegrammer, Visitor, act, colleague
from tests.whole.stage import Stage

BUSY = twilio.problem(429, 20429, "Too Many Requests")
DOWN = twilio.problem(503, 20503, "Service unavailable")
GONE = twilio.problem(400, 21211, "Invalid 'To' Phone Number")


async def first(stage: Stage) -> Any:
    return (await stage.rows(outbound))[0]


async def put_off(stage: Stage, person: Person, text: str = "hallo") -> Any:
    """The person writes, and the first answer is refused; its row."""
    await person.write(text)

    async def refused() -> bool:
        rows = await stage.rows(outbound)
        return bool(rows) and rows[0].error is not None and rows[0].state == "queued"

    await stage.until(refused, "an answer that is put off")
    return await first(stage)


@pytest.mark.parametrize("body", [BUSY, DOWN], ids=["429", "503"])
async def test_the_same_text_goes_out_later_and_in_order(stage: Stage, body: dict[str, Any]) -> None:
    phone = Phone(stage)
    stage.twilio.refuse(body["status"], body)
    row = await put_off(stage, phone)
    assert stage.twilio.messages == [], "the second answer waits for the first"
    text = row.rendered[0]["text"]
    # Whatever changes meanwhile, the text does not.
    stage.clock.advance(days=1)
    await stage.later()
    assert stage.twilio.messages[-1]["body"] == text
    assert [row.state for row in await stage.rows(outbound)] == ["sent", "sent"]


async def test_backing_off_takes_longer_each_time(stage: Stage) -> None:
    phone = Phone(stage)
    for _ in range(3):
        stage.twilio.refuse(503, DOWN)
    pauses = []
    row = await put_off(stage, phone)
    for attempt in range(1, 4):
        assert row.attempts == attempt
        pauses.append((row.next_at - stage.clock.now()).total_seconds())
        stage.clock.set(row.next_at)
        stage.effen.outbox.wake()

        async def tried(attempt: int = attempt) -> bool:
            now = await first(stage)
            return now.attempts == attempt + 1 and now.state in ("queued", "sent")

        await stage.until(tried, "another try")
        row = await first(stage)
    assert pauses == [2, 10, 30]
    assert row.state == "sent"
    await stage.settled()


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")  # the library warns of its own error
async def test_telegram_says_how_long_to_wait(stage: Stage) -> None:
    person = Telegrammer(stage)
    stage.telegram.refuse(429, telegram.problem(429, "Too Many Requests: retry after 17", retry_after=17))
    row = await put_off(stage, person)
    assert (row.next_at - stage.clock.now()).total_seconds() == 17
    await stage.later(seconds=17)
    assert (await first(stage)).state == "sent"


async def test_what_is_refused_for_good_is_put_before_a_person(stage: Stage) -> None:
    phone = Phone(stage)
    stage.twilio.refuse(400, GONE)
    await phone.say("hallo")
    assert ((await first(stage)).state, (await first(stage)).error) == ("failed", "21211")
    talk = await phone.conversation()
    assert (talk.state, talk.reason) == ("open", "fault")
    assert talk.summary["undelivered"] == (await first(stage)).id


async def test_an_uncertain_sms_is_settled_by_asking_twilio(stage: Stage) -> None:
    """The line broke after Twilio had taken the message: it is not sent again."""
    phone = Phone(stage)
    stage.twilio.drop()
    await phone.say("hallo")
    assert (await first(stage)).state == "unknown"
    stage.clock.advance(seconds=61)
    await stage.effen.delivery.settle()
    assert (await first(stage)).state == "sent"
    bodies = [message["body"] for message in stage.twilio.messages]
    assert len(bodies) == len(set(bodies)) == 2


async def test_of_an_uncertain_sms_in_parts_the_rest_is_sent(stage: Stage) -> None:
    phone = Phone(stage)
    await phone.say("ik wil een medewerker")
    talk = await phone.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    words = " ".join(f"woord{number:03}" for number in range(150))
    stage.twilio.drop()
    await act(stage, agent, talk.id, "write", text=words)
    row = (await stage.rows(outbound))[-1]
    assert (row.state, row.parts_sent, len(row.rendered)) == ("unknown", 0, 2)
    stage.clock.advance(seconds=61)
    await stage.effen.delivery.settle()
    await stage.later()
    assert (await stage.rows(outbound))[-1].state == "sent"
    second, first = (message["body"] for message in stage.twilio.messages[:2])
    assert f"{first} {second}".split() == words.split()


async def test_an_sms_that_twilio_never_took_is_sent_once(stage: Stage) -> None:
    phone = Phone(stage)
    stage.twilio.refuse(500, twilio.problem(500, 20500, "Internal Server Error"))
    await phone.say("hallo")
    assert (await first(stage)).state == "unknown"
    stage.clock.advance(seconds=61)
    await stage.effen.delivery.settle()
    await stage.later()
    assert (await first(stage)).state == "sent"
    bodies = [message["body"] for message in stage.twilio.messages]
    assert len(bodies) == len(set(bodies)) == 2


async def test_an_uncertain_telegram_message_is_offered_again_with_the_next(stage: Stage) -> None:
    person = Telegrammer(stage)
    stage.telegram.drop()
    await person.say("hallo")
    assert (await first(stage)).state == "unknown"
    stage.clock.advance(minutes=5)
    await stage.effen.delivery.settle()
    await stage.settled()
    assert (await first(stage)).state == "unknown", "Telegram cannot be asked: it is not sent blindly"
    said = await person.say("ben je er nog?")
    assert said[:2] == ["notice.again", "intro.ai"]
    assert "notice.again" not in await person.say("hallo")


async def test_a_web_message_whose_sender_died_is_shown_again_under_the_same_id(stage: Stage) -> None:
    visitor = await Visitor(stage).arrive()
    await visitor.say("hallo")
    row = (await stage.rows(outbound))[-1]
    async with stage.effen.db.begin() as tx:
        died = {"state": "sending", "lease": "its", "lease_until": stage.clock.now(), "parts_sent": 0}
        await tx.execute(update(outbound).where(outbound.c.id == row.id).values(died))
    stage.clock.advance(minutes=2)
    await stage.effen.delivery.settle()
    await stage.later()
    assert (await stage.one(outbound, outbound.c.id == row.id)).state == "sent"
    # The widget shows an id once.
    assert [line["metadata"]["id"] for line in visitor.heard].count(row.id) == 2
