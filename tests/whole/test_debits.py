"""A direct debit that fails: said with its reason, a link and another account, to who may hear it and when."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from store.events import DIRECT_DEBIT_FAILED, emit
from store.tables.money import direct_debit, iban_change, invoice, payment_link
from store.tables.people import contact_point, creditor, hold
from store.tables.talk import conversation, outbound
from tests.desk.test_pages import plain
from tests.whole.people import Phone, Visitor, colleague, logged_in
from tests.whole.stage import Stage
from tests.whole.test_paying import pay_at_the_bank
from tests.whole.test_reminders import verified

pytestmark = pytest.mark.slow

IBAN = "NL91 ABNA 0417 1643 00"
KEY = "a-key-of-the-shop-of-thirty-two-characters"


async def report(stage: Stage, reason: str, key: str = "d1", *, wait: bool = True) -> int:
    """The shop tells of a failed debit by the API, and everything that follows is done."""
    async with stage.effen.db.begin() as tx:
        config = (await tx.execute(select(creditor.c.config))).scalar_one()
        await tx.execute(update(creditor).values(config={**config, "api_key": KEY}))
    stage.effen.accounts.api["bloem"] = KEY  # as it will be in some seconds
    body = {"invoice_number": "2026-0057", "amount": "18.75", "reason": reason, "iban_end": "6789"}
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key}
    async with stage.http.post(f"{stage.url}/api/v1/direct-debits", json=body, headers=headers) as response:
        status = response.status
    if wait:
        await stage.settled()
    return status


@pytest.mark.parametrize(
    ("locale", "greeting", "problem", "yes"),
    [
        ("nl", "wat moet ik nog betalen?", "de incasso is mislukt, ik heb een andere rekening", "ja dat klopt"),
        ("en", "what do I still owe?", "the direct debit failed because I closed that account", "yes that's right"),
    ],
)
async def test_from_the_failed_debit_to_another_account(
    stage: Stage, locale: str, greeting: str, problem: str, yes: str
) -> None:
    person = Phone(stage, channel="whatsapp", number="+31600000001")
    for text in (greeting, "2026-0042", "1234 AB"):
        await person.say(text)
    before = await stage.last()
    assert [await report(stage, "AC04") for _ in range(2)] == [202, 202]
    assert await stage.said(before) == ["debit.failed"], "twice is once"
    text = (await person.texts())[-1]
    assert ("opgeheven" in text and "18,75" in text) if locale == "nl" else ("closed" in text and "18.75" in text)
    assert "AC04" not in text and "2026-0057" in text
    assert await person.say(problem) == ["debit.latest"]
    assert await person.tap("option.other_account") == ["debit.ask_iban"]
    assert await person.say("NL91 ABNA 0417 1643 01") == ["debit.wrong_iban"]
    assert await person.say(IBAN) == ["debit.confirm_iban"]
    assert (await person.say(yes))[0] == "debit.iban_noted"
    assert not any("0417" in text for text in await person.texts()), "only its end is shown"
    assert (await stage.one(iban_change)).requested_at == stage.clock.now()
    (talk,) = await stage.talks()
    assert (talk.state, talk.reason) == ("open", "request")
    page = plain(await (await colleague(stage)).page(f"/desk/c/{talk.id}"))
    assert "NL91ABNA0417164300" in page
    link = (await stage.rows(payment_link))[0]
    assert link.amount == 1875
    await pay_at_the_bank(stage, link.token)
    assert (await stage.said())[-2] == "payment.received"


async def test_what_a_statement_tells_is_said_in_the_same_way(stage: Stage) -> None:
    await verified(stage, "telegram")
    late = await stage.one(invoice, invoice.c.number == "2026-0057")
    before = await stage.last()
    payload = {
        "creditor_id": "bloem", "debtor_id": late.debtor_id, "invoice_id": late.id, "amount": 1875, "currency": "EUR",
        "reason": "AM04", "iban_end": None, "cause": "statement:1",
    }  # fmt: skip
    async with stage.effen.db.begin() as tx:
        await emit(tx, DIRECT_DEBIT_FAILED, payload, stage.clock.now())
    stage.effen.wake.ring("event")
    await stage.settled()
    assert await stage.said(before) == ["debit.failed"]
    assert "option.other_account" not in str((await stage.rows(outbound))[-1].options)
    assert (await stage.one(direct_debit)).reason == "AM04"


@pytest.mark.parametrize("case", ["recognised", "opted out", "lapsed web chat", "nobody"])
async def test_who_may_not_hear_of_it_is_not_written_to(stage: Stage, case: str) -> None:
    if case == "recognised":
        await Phone(stage, channel="whatsapp", number="+31600000001").say("hallo")
    elif case == "opted out":
        person = await verified(stage, "whatsapp")
        async with stage.effen.db.begin() as tx:
            await tx.execute(update(contact_point).values(opted_out_at=stage.clock.now()))
    elif case == "lapsed web chat":
        visitor = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
        await visitor.say("hallo")
        stage.clock.advance(hours=2)
    before = await stage.last()
    assert await report(stage, "AM04") == 202
    assert await stage.said(before) == []
    if case == "opted out":
        # Whoever writes gets an answer.
        assert await person.say("wat is er met de incasso gebeurd?") == ["debit.latest"]


async def test_a_hold_and_the_night_are_kept(stage: Stage) -> None:
    await verified(stage, "sms")
    stage.clock.set(datetime(2026, 11, 24, 21, tzinfo=UTC))
    before = await stage.last()
    assert await report(stage, "AM04", wait=False) == 202

    async def queued() -> bool:
        rows = await stage.rows(outbound, outbound.c.seq > before)
        return bool(rows) and rows[0].next_at > stage.clock.now()

    await stage.until(queued, "for the message to be put off")
    talk = (await stage.talks())[0]
    async with stage.effen.db.begin() as tx:
        await tx.execute(
            hold.insert().values(
                id="h1", creditor_id="bloem", conversation_id=talk.id, debtor_id=talk.debtor_id, reason="hardship",
                by="agent:1", since=stage.clock.now(),
            )
        )  # fmt: skip
    stage.clock.set(datetime(2026, 11, 25, 9, tzinfo=UTC))
    await stage.later()
    (row,) = await stage.rows(outbound, outbound.c.seq > before)
    assert (row.state, row.error) == ("withheld", "held")


async def test_a_death_is_no_occasion_for_a_bill(stage: Stage) -> None:
    await verified(stage, "whatsapp")
    before = await stage.last()
    assert await report(stage, "MD07") == 202
    assert await stage.said(before) == []
    assert await stage.holds() == [("report_deceased", "K-1001")]
    (talk,) = await stage.talks()
    assert (talk.state, talk.reason) == ("open", "report_deceased")


async def test_a_death_is_heard_of_somebody_who_never_wrote(stage: Stage) -> None:
    assert await report(stage, "MD07") == 202
    assert await stage.holds() == [("report_deceased", "K-1001")]
    (talk,) = await stage.rows(conversation)
    assert (talk.state, talk.reason, talk.contact_point_id) == ("open", "report_deceased", None)
    person = await verified(stage, "sms")
    assert len(await stage.holds()) == 1
    assert (await person.conversation()).reason == "report_deceased", "whoever writes finds the person who was told"


async def test_a_debit_that_nobody_could_be_told_of_is_listed_at_the_desk(stage: Stage) -> None:
    assert await report(stage, "AM04") == 202
    browser = await colleague(stage)
    words = plain(await browser.page("/desk/debits"))
    assert "€ 18,75" in words and "2026-0057" in words and "K-1001" in words
    await verified(stage, "sms")
    await report(stage, "AM04", "d2")
    assert words.count("2026-0057") == plain(await browser.page("/desk/debits")).count("2026-0057") == 1


@pytest.mark.parametrize("approved", [True, False])
async def test_when_whatsapps_window_has_closed(stage: Stage, approved: bool) -> None:
    await verified(stage, "whatsapp")
    if approved:
        stage.twilio.contents["HX3"] = {"types": {"twilio/text": {"body": "approved"}}}
        async with stage.effen.db.begin() as tx:
            config = (await tx.execute(select(creditor.c.config))).scalar_one()
            config["channels"]["whatsapp"]["templates"]["direct_debit_failed"] = "HX3"
            await tx.execute(update(creditor).values(config=config))
    stage.clock.advance(days=2)
    # What is known of a creditor is looked at again after some seconds.
    stage.effen.creditors._kept.clear()
    before = await stage.last()
    assert await report(stage, "AM04") == 202
    assert await stage.said(before) == (["debit.failed"] if approved else [])
    (talk,) = await stage.talks()
    if approved:
        assert stage.twilio.calls[-1]["ContentSid"] == "HX3"
    else:
        assert (talk.state, talk.summary["unreached"]) == ("open", "whatsapp")
