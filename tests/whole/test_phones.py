"""What is particular to WhatsApp, SMS and Telegram: buttons, pictures, opting out, receipts."""

import json
import re

import aiohttp
import pytest
from sqlalchemy import func, select

from core.lifecycle import OutboundState
from store.tables import metadata
from store.tables.money import payment_link
from store.tables.talk import inbound, outbound
from tests.fakes.telegram import SECRET
from tests.qr_reader import read_png
from tests.whole.people import Phone, Telegrammer, twilio_says
from tests.whole.stage import Stage

PAY = {"nl": "ik wil betalen", "en": "I want to pay"}


async def verified(person: Phone | Telegrammer, pay: str) -> list[str]:
    await person.say(pay)
    await person.say("2026-0088")
    return await person.say("1071 XX")


@pytest.mark.parametrize("locale", ["nl", "en"])
async def test_whatsapp_shows_buttons_and_the_qr_code_as_a_picture(stage: Stage, locale: str) -> None:
    phone = Phone(stage, channel="whatsapp")
    await phone.say({"nl": "hallo", "en": "hello"}[locale])
    (content,) = stage.twilio.contents.values()
    assert len(content["types"]["twilio/quick-reply"]["actions"]) == 3
    call = stage.twilio.calls[-1]
    values = json.loads(call["ContentVariables"])
    assert all(len(values[str(number)]) <= 20 for number in (2, 4, 6)), "WhatsApp takes titles of 20 characters"
    # What comes back is the opaque id that the button carried.
    before = await stage.last()
    await phone.write(values["4"], button_id=values["5"])
    await stage.settled()
    assert await stage.said(before) == ["verify.ask_reference"]

    await phone.say("2026-0088")
    assert await phone.say("1071 XX") == ["payment_link.issued"]
    link = await stage.one(payment_link)
    sent = stage.twilio.calls[-1]
    assert f"{stage.url}/p/{link.token}" in sent["Body"]
    async with stage.http.get(sent["MediaUrl"]) as picture:
        assert picture.content_type == "image/png"
        assert read_png(await picture.read()) == f"{stage.url}/p/{link.token}"


@pytest.mark.parametrize("locale", ["nl", "en"])
async def test_sms_gets_a_link_alone_and_numbers_for_buttons(stage: Stage, locale: str) -> None:
    phone = Phone(stage)
    await phone.say({"nl": "hallo", "en": "hello"}[locale])
    greeting = stage.twilio.calls[-1]["Body"]
    assert re.search(r"^1\..+\n2\..+\n3\.", greeting, re.MULTILINE)
    assert await phone.say("2") == ["verify.ask_reference"]
    await phone.say("2026-0088")
    assert await phone.say("1071 XX") == ["payment_link.issued"]
    link = await stage.one(payment_link)
    sent = stage.twilio.calls[-1]
    assert f"{stage.url}/p/{link.token}" in sent["Body"]
    assert "MediaUrl" not in dict(sent.fields)
    assert sent["Body"].isascii() or "€" in sent["Body"]


async def test_a_number_means_the_last_options_shown(stage: Stage) -> None:
    phone = Phone(stage)
    await phone.say("ik wil betalen")
    await phone.say("2026-0042")
    assert await phone.say("1234 AB") == ["pay.choose"]
    assert await phone.say("1") == ["payment_link.issued"]


@pytest.mark.parametrize("locale", ["nl", "en"])
async def test_telegram_shows_inline_buttons_and_the_qr_code_as_a_photo(stage: Stage, locale: str) -> None:
    person = Telegrammer(stage)
    await person.say({"nl": "hallo", "en": "hello"}[locale])
    rows = stage.telegram.messages[-1]["reply_markup"]["inline_keyboard"]
    pays = rows[1][0]["callback_data"]
    assert len(pays.encode()) <= 64
    before = await stage.last()
    await person.write("", button_id=pays)
    await stage.settled()
    assert await stage.said(before) == ["verify.ask_reference"]
    await person.say("2026-0088")
    assert await person.say("1071 XX") == ["payment_link.issued"]
    link = await stage.one(payment_link)
    call = stage.telegram.calls[-1]
    assert call.path.endswith("/sendPhoto")
    (photo,) = call.files.values()
    assert read_png(photo) == f"{stage.url}/p/{link.token}"
    (button,) = json.loads(call["reply_markup"])["inline_keyboard"][0]
    assert button["url"] == f"{stage.url}/p/{link.token}"


async def test_a_button_from_long_ago_says_so(stage: Stage) -> None:
    person = Telegrammer(stage)
    await person.say("hallo")
    (old,) = stage.telegram.messages[-1]["reply_markup"]["inline_keyboard"][1]
    stage.clock.advance(days=31)
    before = await stage.last()
    await person.write("", button_id=old["callback_data"])
    await stage.settled()
    assert await stage.said(before) == ["notice.button_expired"]


# Opting out


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_stop_that_twilio_has_answered_is_met_with_silence(stage: Stage, channel: str) -> None:
    phone = Phone(stage, channel=channel)
    await phone.say("hallo")
    before = await stage.last()
    await phone.write("STOP", OptOutType="STOP")
    await stage.settled()
    assert await stage.said(before) == []
    assert (await phone.contact()).opted_out_at is not None
    assert (await stage.rows(inbound))[-1].outcome == "silent"
    await phone.write("START", OptOutType="START")
    await stage.settled()
    assert (await phone.contact()).opted_out_at is None


@pytest.mark.parametrize("word", ["Stop.", "AFMELDEN", "unsubscribe"])
async def test_a_typed_stop_opts_out_and_is_confirmed(stage: Stage, word: str) -> None:
    phone = Phone(stage)
    await phone.say("hallo")
    assert await phone.say(word) == ["opt_out.done"]
    assert (await phone.contact()).opted_out_at is not None
    # Who writes still gets answers.
    assert await phone.say("wat moet ik nog betalen?") == ["verify.ask_reference"]
    assert (await phone.say("START"))[0] == "opt_in.done"
    assert (await phone.contact()).opted_out_at is None


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_who_has_opted_out_at_twilio_has_opted_out_here(stage: Stage, channel: str) -> None:
    phone = Phone(stage, channel=channel)
    stage.twilio.opted_out.add(phone.address)
    await phone.say("hallo")
    rows = await stage.rows(outbound)
    assert rows and {(row.state, row.error) for row in rows} == {("failed", "21610")}
    assert (await phone.contact()).opted_out_at is not None


async def test_who_blocks_the_bot_has_opted_out(stage: Stage) -> None:
    person = Telegrammer(stage)
    stage.telegram.blocked.add(person.address)
    await person.say("hallo")
    assert (await person.contact()).opted_out_at is not None


# Receipts


async def status(stage: Stage, message: str, state: str, error: str = "") -> str:
    ours = await stage.one(outbound, outbound.c.provider_id == message)
    fields = {"MessageSid": message, "MessageStatus": state, "To": "+31600000009", "From": "+3197000000002"}
    assert await twilio_says(stage, "status", fields | ({"ErrorCode": error} if error else {})) == 200
    return str((await stage.one(outbound, outbound.c.id == ours.id)).state)


async def test_receipts_come_doubled_and_out_of_order_and_only_ever_raise_the_state(stage: Stage) -> None:
    phone = Phone(stage)
    await phone.say("hallo")
    message = stage.twilio.messages[0]["sid"]
    states = [await status(stage, message, said) for said in ("sent", "delivered", "sent", "delivered", "failed")]
    assert states == ["sent", "delivered", "delivered", "delivered", "delivered"]
    assert [await status(stage, message, said) for said in ("read", "delivered", "read")] == ["read"] * 3


@pytest.mark.parametrize(("error", "opted_out"), [("21610", True), ("30003", False)])
async def test_an_answer_that_did_not_arrive_is_put_before_a_person(stage: Stage, error: str, opted_out: bool) -> None:
    phone = Phone(stage)
    await phone.say("hallo")
    assert await status(stage, stage.twilio.messages[0]["sid"], "undelivered", error) == OutboundState.FAILED
    await stage.settled()
    assert ((await phone.contact()).opted_out_at is not None) == opted_out
    talk = await phone.conversation()
    assert (talk.state, talk.reason) == ("open", "fault")


# Who may knock


async def test_a_webhook_that_nobody_signed_leaves_no_trace_but_a_count(stage: Stage) -> None:
    async def everything() -> list[int]:
        async with stage.effen.db.read() as tx:
            counts = [select(func.count()).select_from(table) for table in metadata.sorted_tables]
            return [await tx.scalar(count) or 0 for count in counts]

    async def refused(channel: str) -> float:
        async with stage.http.get(f"{stage.url}/metrics") as page:
            found = re.search(rf'refused_total{{channel="{channel}"}} (\S+)', await page.text())
        return float(found[1]) if found else 0.0

    before = await everything()
    fields = {"MessageSid": "SM1", "From": "+31600000009", "To": "+3197000000002", "Body": "hallo"}
    assert await twilio_says(stage, "messages", fields, token="wrong") == 403
    assert await twilio_says(stage, "status", fields | {"MessageStatus": "read"}, token="wrong") == 403
    for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
        async with stage.http.post(f"{stage.url}/webhooks/telegram/bloem", json={}, headers=headers) as response:
            assert response.status == 403
    assert await everything() == before
    assert (await refused("whatsapp"), await refused("telegram")) == (2, 2)


async def test_a_webhook_that_cannot_be_read_is_a_bad_request(stage: Stage) -> None:
    assert await twilio_says(stage, "messages", {"Hello": "world"}) == 400
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    for body in (b"{", b"[]", b'{"update_id": "x"}'):
        async with stage.http.post(f"{stage.url}/webhooks/telegram/bloem", data=body, headers=headers) as response:
            assert response.status == 400, body


async def test_a_message_to_a_number_that_is_nobodys_is_not_found(stage: Stage) -> None:
    fields = {"MessageSid": "SM1", "From": "+31600000009", "To": "+3197000009999", "Body": "hallo"}
    assert await twilio_says(stage, "messages", fields) == 404
    async with stage.http.post(f"{stage.url}/webhooks/telegram/nobody", json={}) as response:
        assert response.status == 404


async def test_the_same_webhook_twice_is_one_message(stage: Stage) -> None:
    fields = {"MessageSid": "SM1", "From": "+31600000009", "To": "+3197000000002", "Body": "hallo"}
    assert [await twilio_says(stage, "messages", fields) for _ in range(2)] == [200, 200]
    await stage.settled()
    await stage.one(inbound)
    assert await stage.said() == ["intro.ai", "talk.greet"]


async def test_what_telegram_sends_is_not_fetched_by_the_public(stage: Stage) -> None:
    """The actions answer on their own port, to the engine alone."""
    async with stage.http.post(f"{stage.url}/webhook", json={}) as response:
        assert response.status == 404
    async with aiohttp.ClientSession() as http, http.post(stage.effen.settings.actions_url, json={}) as response:
        assert response.status == 401
    assert stage.twilio.calls == []


async def test_telegram_s_start_button_is_a_hello(stage: Stage) -> None:
    person = Telegrammer(stage)
    assert await person.say("/start") == ["intro.ai", "talk.greet"]
