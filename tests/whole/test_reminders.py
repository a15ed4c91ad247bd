"""A reminder three days before the due date: to a contact point that its person has verified, and only when it may."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from store.tables.money import invoice
from store.tables.talk import inbound, outbound
from tests.fakes.twilio import problem
from tests.whole.people import Phone, Telegrammer, Visitor
from tests.whole.stage import Stage

pytestmark = pytest.mark.slow

# 2026-0042 is due three days after the stage's Tuesday morning.


async def verified(stage: Stage, channel: str = "whatsapp") -> Phone | Telegrammer:
    person = Telegrammer(stage) if channel == "telegram" else Phone(stage, channel=channel, number="+31600000001")
    for text in ("wat moet ik nog betalen?", "2026-0042", "1234 AB"):
        await person.say(text)
    return person


async def tick(stage: Stage) -> list[str]:
    """The scheduler's round; the keys of what was said."""
    before = await stage.last()
    await stage.effen.tick()
    await stage.settled()
    return await stage.said(before)


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "telegram"])
async def test_a_verified_person_is_reminded_once(stage: Stage, channel: str) -> None:
    person = await verified(stage, channel)
    assert await tick(stage) == ["reminder.upcoming"]
    assert await tick(stage) == []
    text = (await person.texts())[-1]
    assert "49,90" in text and "2026-0042" in text
    (sent,) = await stage.rows(outbound, outbound.c.proactive.is_(True))
    assert (sent.state, sent.author) == ("sent", "bot")


async def test_whatsapps_approved_template_goes_out_when_the_window_has_closed(stage: Stage) -> None:
    await verified(stage)
    stage.twilio.contents["HX00000000000000000000000000000001"] = {"types": {"twilio/text": {"body": "approved"}}}
    await due_in(stage, days=5)
    stage.clock.advance(days=2)
    assert await tick(stage) == ["reminder.upcoming"]
    assert stage.twilio.calls[-1]["ContentSid"] == "HX00000000000000000000000000000001"


async def test_nobody_is_reminded_without_proof(stage: Stage) -> None:
    phone = Phone(stage, channel="whatsapp", number="+31600000001")
    await phone.say("hallo")
    assert (await phone.contact()).debtor_id is not None, "recognised"
    assert await tick(stage) == []


async def test_a_chat_is_not_a_place_for_reminders(stage: Stage) -> None:
    visitor = await Visitor(stage).arrive()
    for text in ("wat moet ik nog betalen?", "2026-0042", "1234 AB"):
        await visitor.say(text)
    assert await tick(stage) == []


@pytest.mark.parametrize(
    "trouble", ["ik ben mijn baan kwijt", "ik heb dit nooit besteld", "ik wil niet meer leven", "ik sta onder bewind"]
)
async def test_a_hold_stops_reminders(stage: Stage, trouble: str) -> None:
    person = await verified(stage)
    await person.say(trouble)
    assert len(await stage.holds()) == 1
    assert await tick(stage) == []


async def test_a_hold_from_an_unverified_phone_stops_reminders_too(stage: Stage) -> None:
    await verified(stage, "whatsapp")
    await Phone(stage, channel="sms", number="+31600000001").say("ik ben mijn baan kwijt")
    assert await tick(stage) == []


async def test_who_has_opted_out_is_reminded_where_she_has_not(stage: Stage) -> None:
    phone = await verified(stage, "whatsapp")
    await phone.say("stop")
    assert await tick(stage) == []
    await verified(stage, "telegram")
    assert await tick(stage) == ["reminder.upcoming"]
    assert stage.telegram.messages[-1]["text"].count("49,90") == 1


@pytest.mark.parametrize("heard", ["opted_out", "held"])
async def test_what_is_heard_before_a_reminder_is_delivered_stops_it(stage: Stage, heard: str) -> None:
    phone = await verified(stage, "sms")
    stage.twilio.refuse(503, problem(503, 20503))
    await stage.effen.reminders.run()

    async def refused() -> bool:
        return bool(await stage.rows(outbound, outbound.c.proactive.is_(True), outbound.c.error.is_not(None)))

    await stage.until(refused, "a refusal")
    if heard == "opted_out":
        assert isinstance(phone, Phone)
        await phone.write("STOP", OptOutType="STOP")
    else:
        await Phone(stage, channel="whatsapp", number="+31600000001").write("ik ben mijn baan kwijt")

    async def understood() -> bool:
        return all(row.state == "done" for row in await stage.rows(inbound))

    await stage.until(understood, "the message to be understood")
    await stage.later(minutes=5)
    (row,) = await stage.rows(outbound, outbound.c.proactive.is_(True))
    assert (row.state, row.error) == ("withheld", heard)


@pytest.mark.parametrize(
    ("moment", "reminded"),
    [
        (datetime(2026, 11, 24, 5, 59, tzinfo=UTC), False),  # 06:59 in Amsterdam
        (datetime(2026, 11, 24, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 18, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 19, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 29, 12, 0, tzinfo=UTC), False),  # a Sunday
        (datetime(2026, 12, 25, 12, 0, tzinfo=UTC), False),  # Christmas, a Friday
        (datetime(2026, 11, 28, 12, 0, tzinfo=UTC), True),  # a Saturday
    ],
    ids=str,
)
async def test_quiet_hours_sundays_and_holidays(stage: Stage, moment: datetime, reminded: bool) -> None:
    await verified(stage, "sms")
    stage.clock.set(moment)
    await due_in(stage, days=3)
    assert await tick(stage) == (["reminder.upcoming"] if reminded else [])


async def test_a_paid_invoice_is_not_reminded(stage: Stage) -> None:
    await verified(stage)
    await due_in(stage, days=3, number="2026-0063")
    await due_in(stage, days=30)
    assert await tick(stage) == []


async def due_in(stage: Stage, days: int, number: str = "2026-0042") -> None:
    due = (stage.clock.now() + timedelta(days=days)).date()
    async with stage.effen.db.begin() as tx:
        await tx.execute(update(invoice).where(invoice.c.number == number).values(due_date=due))
