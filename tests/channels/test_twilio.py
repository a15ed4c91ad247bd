"""WhatsApp and SMS: Twilio's webhooks in, its API out."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import twilio
from channels.sms import Sms
from channels.twilio import Twilio
from channels.whatsapp import WhatsApp
from core.errors import BadInput, BadSignature, SendFailed
from core.lifecycle import OutboundState
from core.message import Address, Channel, Choice, Fetches, Inbound, Inquires, Receipt, Rendered, Webhook
from tests.channels.desk import rendered
from tests.fakes.twilio import SID, TOKEN, FakeTwilio, media_url, problem, signed

PUBLIC = "https://effen.example"
URL = PUBLIC + twilio.MESSAGES
OURS, THEIRS = "+3197010000000", "+31612345678"
TEXT = {"MessageSid": "SM1", "From": THEIRS, "To": OURS, "Body": "Hoi", "NumMedia": "0", "SmsStatus": "received"}
CHAT = TEXT | {"From": f"whatsapp:{THEIRS}", "To": f"whatsapp:{OURS}", "ProfileName": "Jan", "WaId": "31612345678"}
STATUS = {"MessageSid": "SM1", "From": OURS, "To": THEIRS, "MessageStatus": "sent", "SmsStatus": "sent"}
QR = "https://effen.example/p/t/qr.png"
PAY, LATER, HELP, MORE = [Choice(f"b-{n}", title) for n, title in enumerate(["Betalen", "Later", "Hulp", "Meer"])]


@pytest.fixture
async def provider() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        yield fake


@pytest.fixture
async def account(provider: FakeTwilio) -> AsyncIterator[Twilio]:
    async with aiohttp.ClientSession() as session:
        timeout = aiohttp.ClientTimeout(total=2)  # enough for a busy machine, short where the other side is silent
        yield Twilio(SID, TOKEN, session=session, public_url=PUBLIC, api_url=provider.url, timeout=timeout)


@pytest.fixture
def sms(account: Twilio) -> Sms:
    return Sms(account, {"bloem": OURS})


@pytest.fixture
def whatsapp(account: Twilio) -> WhatsApp:
    return WhatsApp(account, {"bloem": OURS})


def webhook(fields: dict[str, str] | bytes, **headers: str) -> Webhook:
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return Webhook("POST", URL, headers, body)


def of_text(**more: Any) -> Inbound:
    return Inbound(
        **({"channel": "sms", "account": OURS, "address": Address(THEIRS), "external_id": "SM1", "text": "Hoi"} | more)
    )


def of_chat(**more: Any) -> Inbound:
    base = {"channel": "whatsapp", "address": Address(f"whatsapp:{THEIRS}"), "profile": {"name": "Jan"}}
    return of_text(**(base | more))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(TEXT, [of_text()], id="SMS"),
        pytest.param(CHAT, [of_chat()], id="WhatsApp"),
        pytest.param(
            CHAT | {"From": "whatsapp:NL.1349abc"},
            [of_chat(address=Address("whatsapp:NL.1349abc"))],
            id="a user id, no number",
        ),
        pytest.param(
            CHAT | {"MessageType": "button", "Body": "Betalen", "ButtonText": "Betalen", "ButtonPayload": "b-1"},
            [of_chat(text="Betalen", button="b-1")],
            id="a button",
        ),
        pytest.param(
            CHAT | {"MessageType": "interactive", "Body": "Later", "ListId": "b-7", "ListTitle": "Later"},
            [of_chat(text="Later", button="b-7")],
            id="a row of a list",
        ),
        pytest.param(
            CHAT | {"Body": "", "NumMedia": "2", "MediaUrl0": "https://t/1", "MediaUrl1": "https://t/2"},
            [of_chat(text="", media=("https://t/1", "https://t/2"))],
            id="pictures",
        ),
        pytest.param(TEXT | {"Body": "STOP", "OptOutType": "STOP"}, [of_text(text="STOP", opt_out=True)], id="STOP"),
        pytest.param(TEXT | {"Body": "Stop."}, [of_text(text="Stop.")], id="a STOP that Twilio does not know"),
        pytest.param(TEXT | {"Body": "START", "OptOutType": "START"}, [of_text(text="START", opt_in=True)], id="START"),
        pytest.param(TEXT | {"Body": "a\x00b"}, [of_text(text="ab")], id="NUL"),
        pytest.param(TEXT | {"From": "messenger:12"}, [], id="another channel of Twilio's"),
        *[
            pytest.param(STATUS | {"MessageStatus": word}, [Receipt("sms", "SM1", state)], id=word)
            for word, state in (
                ("queued", OutboundState.SENT),
                ("sent", OutboundState.SENT),
                ("delivered", OutboundState.DELIVERED),
            )
        ],
        pytest.param(
            STATUS | {"From": f"whatsapp:{OURS}", "To": f"whatsapp:{THEIRS}", "MessageStatus": "read"},
            [Receipt("whatsapp", "SM1", OutboundState.READ)],
            id="read",
        ),
        pytest.param(
            STATUS | {"To": f"whatsapp:{THEIRS}", "MessageStatus": "failed", "ErrorCode": "63016"},
            [Receipt("whatsapp", "SM1", OutboundState.FAILED, "63016")],
            id="outside the window",
        ),
        pytest.param(
            STATUS | {"MessageStatus": "undelivered", "ErrorCode": "21610"},
            [Receipt("sms", "SM1", OutboundState.FAILED, "21610")],
            id="opted out",
        ),
        pytest.param(STATUS | {"MessageStatus": "new-word"}, [], id="a state that is new to us"),
    ],
)
def test_parse(fields: dict[str, str], expected: list[Inbound | Receipt], sms: Sms, whatsapp: WhatsApp) -> None:
    """Both channels stand at the same door: each message is taken by one of them at most."""
    assert [*sms.parse(webhook(fields)), *whatsapp.parse(webhook(fields))] == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"Body=Hoi", id="no ids"),
        pytest.param(b"MessageSid=SM1&From=%ff&To=x", id="not UTF-8"),
        pytest.param("From=é".encode(), id="not ASCII"),
        pytest.param(b"&".join([b"a=1"] * 300), id="endless fields"),
    ],
)
def test_unreadable(body: bytes, sms: Sms) -> None:
    with pytest.raises(BadInput):
        sms.parse(webhook(body))


_FIELDS = st.dictionaries(
    st.sampled_from([*CHAT, "MessageStatus", "ErrorCode", "OptOutType", "ButtonPayload", "ListId", "MediaUrl0"]),
    st.text(max_size=40).filter(lambda text: text.isprintable()),
)


@given(st.one_of(st.binary(max_size=300), _FIELDS.map(lambda fields: urlencode(fields).encode())))
def test_parse_raises_bad_input_only(body: bytes) -> None:
    for channel in ("sms", "whatsapp"):
        try:
            twilio.parse(webhook(body), channel)
        except BadInput:
            continue


def headers_of(url: str, fields: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in signed(url, fields)[1].items()}


BODY = TEXT | {"Body": "é & ü 100%"}


@pytest.mark.parametrize(
    ("signed_url", "url", "body", "fits"),
    [
        pytest.param(URL, URL, urlencode(BODY), True, id="as it was sent"),
        pytest.param(URL.replace(".example", ".example:443"), URL, urlencode(BODY), True, id="the port, spelled out"),
        pytest.param(URL, URL.replace("https", "http"), urlencode(BODY), False, id="another scheme"),
        pytest.param(URL, URL.replace("effen", "evil"), urlencode(BODY), False, id="another host"),
        pytest.param(f"{URL}?a=b%20c", f"{URL}?a=b%20c", urlencode(BODY), True, id="a query"),
        pytest.param(f"{URL}?a=b%20c", f"{URL}?a=b+c", urlencode(BODY), False, id="a query, encoded anew"),
        pytest.param(URL, URL, urlencode(BODY | {"Body": "anders"}), False, id="another text"),
        pytest.param(URL, URL, urlencode(BODY) + "&Extra=1", False, id="one field more"),
        pytest.param(URL, URL, urlencode(BODY) + "&Body=anders", False, id="a field doubled"),
        pytest.param(URL, URL, "From=%ff", False, id="not a form"),
    ],
)
def test_signature(sms: Sms, signed_url: str, url: str, body: str, fits: bool) -> None:
    request = Webhook("POST", url, headers_of(signed_url, BODY), body.encode())
    if fits:
        sms.verify(request)
    else:
        with pytest.raises(BadSignature):
            sms.verify(request)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"x-twilio-signature": ""}, id="empty"),
        pytest.param({"x-twilio-signature": "é" * 28}, id="not ASCII"),
        pytest.param({"x-twilio-signature": signed(URL, TEXT, "another token")[1]["X-Twilio-Signature"]}, id="forged"),
    ],
)
def test_no_signature(whatsapp: WhatsApp, headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        whatsapp.verify(webhook(TEXT, **headers))


CALLBACK = {"StatusCallback": f"{PUBLIC}{twilio.STATUS}"}
TO_CHAT = {"To": f"whatsapp:{THEIRS}", "From": f"whatsapp:{OURS}"} | CALLBACK
CHAT_ADDRESS = Address(f"whatsapp:{THEIRS}")


@pytest.mark.parametrize(
    ("channel", "message", "fields"),
    [
        pytest.param(
            "sms",
            rendered("Hallo + ü", address=Address(THEIRS)),
            {"To": THEIRS, "From": OURS, "Body": "Hallo + ü"} | CALLBACK,
            id="SMS",
        ),
        pytest.param(
            "sms",
            rendered(address=Address(THEIRS), image=QR),
            {"To": THEIRS, "From": OURS, "Body": "Hallo"} | CALLBACK,
            id="SMS without its picture",
        ),
        pytest.param("whatsapp", rendered(address=CHAT_ADDRESS), TO_CHAT | {"Body": "Hallo"}, id="WhatsApp"),
        pytest.param(
            "whatsapp", rendered(address=Address(THEIRS)), TO_CHAT | {"Body": "Hallo"}, id="WhatsApp to a number"
        ),
        pytest.param(
            "whatsapp",
            rendered(address=CHAT_ADDRESS, image=QR),
            TO_CHAT | {"Body": "Hallo", "MediaUrl": QR},
            id="a picture",
        ),
        pytest.param(
            "whatsapp",
            rendered(address=CHAT_ADDRESS, image=QR, choices=[PAY, LATER]),
            TO_CHAT | {"Body": "Hallo\n\n1. Betalen\n2. Later", "MediaUrl": QR},
            id="a picture leaves no room for buttons",
        ),
    ],
)
async def test_send(
    provider: FakeTwilio, sms: Sms, whatsapp: WhatsApp, channel: str, message: Rendered, fields: dict[str, str]
) -> None:
    channels: dict[str, Channel] = {"sms": sms, "whatsapp": whatsapp}
    sid = await channels[channel].send(message)
    assert sid == provider.messages[0]["sid"]
    assert dict(provider.calls[-1].fields) == fields


async def test_a_template(provider: FakeTwilio, whatsapp: WhatsApp) -> None:
    provider.contents["HXapproved"] = {"types": {"twilio/text": {"body": "Dag {{1}}"}}}
    message = rendered(address=CHAT_ADDRESS, template="HXapproved", variables={"1": "Jan"})
    await whatsapp.send(message)
    fields = {"ContentSid": "HXapproved", "ContentVariables": '{"1": "Jan"}'}
    assert dict(provider.calls[-1].fields) == TO_CHAT | fields
    assert provider.messages[0]["body"] == "Dag Jan"


@pytest.mark.parametrize(
    ("choices", "kind", "shape"),
    [
        pytest.param(
            [PAY, LATER],
            "twilio/quick-reply",
            [
                {"type": "QUICK_REPLY", "title": "{{2}}", "id": "{{3}}"},
                {"type": "QUICK_REPLY", "title": "{{4}}", "id": "{{5}}"},
            ],
            id="buttons",
        ),
        pytest.param(
            [PAY, LATER, HELP, MORE],
            "twilio/list-picker",
            [{"item": f"{{{{{n}}}}}", "id": f"{{{{{n + 1}}}}}"} for n in (2, 4, 6, 8)],
            id="a list",
        ),
    ],
)
async def test_buttons_are_made_once_a_shape(
    provider: FakeTwilio, whatsapp: WhatsApp, choices: list[Choice], kind: str, shape: list[dict[str, str]]
) -> None:
    for text in ("Wat wil je?", "En nu?"):
        await whatsapp.send(rendered(text, address=CHAT_ADDRESS, choices=choices))
    ((sid, content),) = provider.contents.items()
    assert content["types"][kind].get("actions", content["types"][kind].get("items")) == shape
    fields = dict(provider.calls[-1].fields)
    assert fields["ContentSid"] == sid
    variables = json.loads(fields["ContentVariables"])
    assert list(variables.values()) == ["En nu?", *(v for c in choices for v in (c.title, c.id))]
    assert provider.messages[0]["body"] == "En nu?"


@pytest.mark.parametrize("trouble", ["refused", "hang"])
async def test_without_content_the_buttons_are_numbered(provider: FakeTwilio, whatsapp: WhatsApp, trouble: str) -> None:
    if trouble == "refused":
        provider.refuse(403, problem(403, 20403))
    else:
        provider.hang()
    await whatsapp.send(rendered(address=CHAT_ADDRESS, choices=[PAY, LATER]))
    assert provider.calls[-1]["Body"] == "Hallo\n\n1. Betalen\n2. Later"


async def test_content_that_is_gone_is_made_again(provider: FakeTwilio, whatsapp: WhatsApp) -> None:
    message = rendered(address=CHAT_ADDRESS, choices=[PAY])
    await whatsapp.send(message)
    provider.contents.clear()
    await whatsapp.send(message)
    assert provider.calls[-1]["Body"] == "Hallo\n\n1. Betalen"
    await whatsapp.send(message)
    assert provider.calls[-1]["ContentSid"] in provider.contents


@pytest.mark.parametrize(
    ("status", "code", "retryable", "uncertain"),
    [
        pytest.param(400, 21610, False, False, id="opted out"),
        pytest.param(400, 21211, False, False, id="no such number"),
        pytest.param(401, 20003, False, False, id="our token"),
        pytest.param(429, 20429, True, False, id="too many requests"),
        pytest.param(503, 20503, True, False, id="not now"),
        pytest.param(500, 20500, True, True, id="a fault of theirs"),
    ],
)
async def test_refusals(
    provider: FakeTwilio, sms: Sms, status: int, code: int, retryable: bool, uncertain: bool
) -> None:
    provider.refuse(status, problem(status, code))
    with pytest.raises(SendFailed) as failed:
        await sms.send(rendered(address=Address(THEIRS)))
    assert (failed.value.code, failed.value.retryable, failed.value.uncertain) == (str(code), retryable, uncertain)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(201, "<html>", id="no JSON"),
        pytest.param(201, ["?"], id="a list"),
        pytest.param(201, {}, id="no SID"),
        pytest.param(502, "<html>", id="a gateway"),
    ],
)
async def test_answers_that_say_nothing(provider: FakeTwilio, sms: Sms, status: int, body: object) -> None:
    provider.refuse(status, body)
    with pytest.raises(SendFailed) as failed:
        await sms.send(rendered(address=Address(THEIRS)))
    assert failed.value.uncertain


@pytest.mark.parametrize("trouble", ["drop", "hang"])
async def test_what_may_have_been_taken_is_found_by_inquiry(provider: FakeTwilio, sms: Sms, trouble: str) -> None:
    getattr(provider, trouble)()
    message = rendered(address=Address(THEIRS))
    with pytest.raises(SendFailed) as failed:
        await sms.send(message)
    assert failed.value.uncertain
    found = Receipt("sms", provider.messages[0]["sid"], OutboundState.SENT)
    assert await sms.find(message, provider.now - timedelta(seconds=5)) == found


async def test_nobody_there() -> None:
    async with aiohttp.ClientSession() as session:
        account = Twilio(SID, TOKEN, session=session, public_url=PUBLIC, api_url="http://127.0.0.1:1")
        with pytest.raises(SendFailed) as failed:
            await Sms(account, {"bloem": OURS}).send(rendered(address=Address(THEIRS)))
    assert (failed.value.code, failed.value.retryable, failed.value.uncertain) == ("unreachable", True, False)


async def test_a_creditor_without_a_number(sms: Sms) -> None:
    with pytest.raises(SendFailed) as failed:
        await sms.send(rendered(account="tak", address=Address(THEIRS)))
    assert (failed.value.code, failed.value.retryable) == ("no_number", False)


@pytest.mark.parametrize(
    ("asked", "since", "found"),
    [
        pytest.param("Hallo", timedelta(seconds=-5), True, id="the same text"),
        pytest.param("Hallo", timedelta(), True, id="in the very second"),
        pytest.param("Hallo!", timedelta(seconds=-5), False, id="another text"),
        pytest.param("Hallo", timedelta(seconds=5), False, id="an earlier message with this text"),
    ],
)
async def test_find(provider: FakeTwilio, whatsapp: WhatsApp, asked: str, since: timedelta, found: bool) -> None:
    provider.now = datetime(2026, 11, 24, 9, 0, 0, 700_000, tzinfo=UTC)
    receipt = Receipt("whatsapp", await whatsapp.send(rendered(address=CHAT_ADDRESS)), OutboundState.SENT)
    there = await whatsapp.find(rendered(asked, address=CHAT_ADDRESS), provider.now + since)
    assert there == (receipt if found else None)


@pytest.mark.parametrize(
    ("status", "code", "receipt"),
    [
        pytest.param("queued", None, (OutboundState.SENT, ""), id="on its way"),
        pytest.param("delivered", None, (OutboundState.DELIVERED, ""), id="delivered"),
        pytest.param("failed", 63016, (OutboundState.FAILED, "63016"), id="outside the window"),
        pytest.param("undelivered", 30003, (OutboundState.FAILED, "30003"), id="undelivered"),
        pytest.param("canceled", None, (OutboundState.FAILED, ""), id="canceled"),
        pytest.param("a-new-word", None, (OutboundState.SENT, ""), id="a state that is new to us"),
    ],
)
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_find_says_what_became_of_it(
    provider: FakeTwilio,
    sms: Sms,
    whatsapp: WhatsApp,
    channel: str,
    status: str,
    code: int | None,
    receipt: tuple[OutboundState, str],
) -> None:
    line = sms if channel == "sms" else whatsapp
    message = rendered(address=Address(THEIRS))
    sid = await line.send(message)
    provider.messages[0] |= {"status": status, "error_code": code}
    assert await line.find(message, provider.now - timedelta(seconds=5)) == Receipt(channel, sid, *receipt)


async def test_find_knows_both_forms_of_buttons(provider: FakeTwilio, whatsapp: WhatsApp) -> None:
    message = rendered(address=CHAT_ADDRESS, choices=[PAY])
    since = provider.now - timedelta(seconds=5)
    sid = await whatsapp.send(message)
    assert await whatsapp.find(message, since) == Receipt("whatsapp", sid, OutboundState.SENT)
    provider.messages.clear()
    provider.contents.clear()
    assert await whatsapp.find(message, since) is None
    sid = await whatsapp.send(message)  # numbered: its content is gone
    assert await whatsapp.find(message, since) == Receipt("whatsapp", sid, OutboundState.SENT)


def test_the_seam(sms: Sms, whatsapp: WhatsApp) -> None:
    channels: list[Channel] = [sms, whatsapp]
    assert all(isinstance(channel, Inquires) for channel in channels)


@pytest.mark.parametrize(
    ("media", "most", "content"),
    [
        pytest.param(media_url("ME1"), 100, b"a picture", id="fetched"),
        pytest.param(media_url("ME1"), 5, b"", id="too large"),
        pytest.param(media_url("ME2"), 100, b"", id="gone"),
        pytest.param("http://169.254.169.254/latest/meta-data", 100, None, id="somebody else's address"),
        pytest.param(media_url("ME1") + "/../../../../Messages.json", 100, None, id="another of Twilio's"),
        pytest.param(media_url("ME1").replace("//", "//user@evil.example/", 1), 100, None, id="a trick"),
    ],
)
async def test_a_picture_is_fetched_from_our_account_alone(
    provider: FakeTwilio, account: Twilio, media: str, most: int, content: bytes | None
) -> None:
    provider.media["ME1"] = b"a picture"
    whatsapp = WhatsApp(account, {"bloem": OURS})
    assert isinstance(whatsapp, Fetches)
    assert await whatsapp.fetch("bloem", media, most) == (content or b"")
    assert len(provider.calls) == (content is not None)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_picture_may_be_asked_for_again(provider: FakeTwilio, account: Twilio, status: int) -> None:
    provider.refuse(status, problem(status, 20500))
    with pytest.raises(SendFailed) as failed:
        await account.fetch(media_url("ME1"), 100)
    assert failed.value.retryable
