"""Telegram: updates in, the Bot API out."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram import SECRET_HEADER, Telegram
from core.errors import BadInput, BadSignature, NotFound, SendFailed
from core.message import Address, Channel, Choice, Fetches, Idempotent, Inbound, Inquires, Locale, Rendered, Webhook
from tests.channels.desk import rendered
from tests.fakes.telegram import SECRET, TOKEN, FakeTelegram, problem

PICTURE = b"\x89PNG of tests"
QR = "https://effen.example/p/t/qr.png"
PAY = Choice("b-1", "Betalen")
OPEN = Choice("l-1", "Naar betaalpagina", "https://effen.example/p/t")


async def fetch(url: str) -> bytes | None:
    return PICTURE if url == QR else None


@pytest.fixture
async def provider() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def telegram(provider: FakeTelegram) -> AsyncIterator[Telegram]:
    bots = {"bloem": (TOKEN, SECRET), "tak": ("654321:other", "another secret"), "open": ("1:a", "")}
    channel = Telegram(bots, fetch=fetch, api_url=provider.url)
    yield channel
    await channel.close()


@pytest.fixture
async def impatient(provider: FakeTelegram) -> AsyncIterator[Telegram]:
    channel = Telegram({"bloem": (TOKEN, SECRET)}, fetch=fetch, api_url=provider.url, read_timeout=0.3)
    yield channel
    await channel.close()


def webhook(update: object, account: str = "bloem", secret: str = SECRET) -> Webhook:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    url = f"https://effen.example/webhooks/telegram/{account}"
    return Webhook("POST", url, {SECRET_HEADER: secret}, body, account)


JAN = {"id": 42, "is_bot": False, "first_name": "Jan", "last_name": "Bos", "language_code": "nl-NL"}
CHAT = {"id": 42, "type": "private", "first_name": "Jan"}
BASE = {"message_id": 7, "date": 1_795_000_000, "chat": CHAT, "from": JAN}
KEYBOARD = {"inline_keyboard": [[{"text": "Betalen", "callback_data": "b-1"}]]}
TAP = {"id": "cb1", "from": JAN, "chat_instance": "x", "data": "b-1"}
PHOTO = [{"file_id": f, "file_unique_id": f, "width": 90, "height": 90} for f in ("small", "large")]


def message(**more: Any) -> dict[str, Any]:
    return {"update_id": 9, "message": BASE | more}


def member(old: str, new: str, **chat: Any) -> dict[str, Any]:
    bot = {"id": 1, "is_bot": True, "first_name": "Bloem"}
    states = {
        "member": {"user": bot, "status": "member"},
        "kicked": {"user": bot, "status": "kicked", "until_date": 0},
    }
    change = {"chat": CHAT | chat, "from": JAN, "date": 1_795_000_000}
    return {"update_id": 9, "my_chat_member": change | {"old_chat_member": states[old], "new_chat_member": states[new]}}


def heard(**more: Any) -> Inbound:
    base = {"channel": "telegram", "account": "bloem", "address": Address("42"), "external_id": "9"}
    said = {"text": "Hoi", "locale": Locale("nl"), "profile": {"name": "Jan Bos"}}
    return Inbound(**(base | said | more))


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        pytest.param(message(text="Hoi"), [heard()], id="text"),
        pytest.param(message(text="/betalen"), [heard(text="/betalen")], id="a slash is text"),
        pytest.param(message(text="/start"), [heard(text="/start", start="")], id="start"),
        pytest.param(message(text="/start a-B_9"), [heard(text="/start", start="a-B_9")], id="a deep link"),
        pytest.param(message(text="/started"), [heard(text="/started")], id="not a deep link"),
        pytest.param(message(text="a\x00b"), [heard(text="ab")], id="NUL"),
        pytest.param(
            message(text="Hi", **{"from": JAN | {"language_code": "pl"}}), [heard(text="Hi", locale=None)], id="Polish"
        ),
        pytest.param(
            message(photo=PHOTO, caption="Deze"), [heard(text="Deze", media=("large",))], id="a picture, its largest"
        ),
        pytest.param(
            message(voice={"file_id": "v", "file_unique_id": "v", "duration": 3}),
            [heard(text="", media=("v",))],
            id="a voice",
        ),
        pytest.param(
            message(location={"longitude": 4.9, "latitude": 52.4}), [heard(text="")], id="something without words"
        ),
        pytest.param(message(delete_chat_photo=True), [], id="a note of Telegram's"),
        pytest.param(message(text="Hoi", chat={"id": -5, "type": "group", "title": "Wij"}), [], id="a group"),
        pytest.param(message(text="Hoi", **{"from": JAN | {"is_bot": True}}), [], id="a bot"),
        pytest.param(
            {"update_id": 9, "callback_query": TAP | {"message": BASE | {"text": "?", "reply_markup": KEYBOARD}}},
            [heard(text="Betalen", button="b-1")],
            id="a tap",
        ),
        pytest.param(
            {"update_id": 9, "callback_query": TAP | {"message": {"chat": CHAT, "message_id": 7, "date": 0}}},
            [heard(text="", button="b-1")],
            id="a tap on an old message",
        ),
        pytest.param({"update_id": 9, "callback_query": TAP}, [heard(text="", button="b-1")], id="on a very old one"),
        pytest.param(
            member("member", "kicked"),
            [heard(text="", opt_out=True, locale=None, profile={})],
            id="blocked",
        ),
        pytest.param(
            member("kicked", "member"), [heard(text="", opt_in=True, locale=None, profile={})], id="no longer blocked"
        ),
        pytest.param(member("member", "kicked", id=-5, type="group"), [], id="thrown out of a group"),
        pytest.param({"update_id": 9, "edited_message": BASE | {"text": "Hoi!"}}, [], id="an edit"),
        pytest.param({"update_id": 9, "something_new": {}}, [], id="something new"),
    ],
)
def test_parse(telegram: Telegram, update: dict[str, Any], expected: list[Inbound]) -> None:
    assert telegram.parse(webhook(update)) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"7", id="a number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b"[" * 50_000, id="nested without end"),
        pytest.param({"message": BASE}, id="no update_id"),
        pytest.param({"update_id": "9", "message": BASE | {"text": "Hoi"}}, id="a string as update_id"),
        pytest.param(message(text={"a": 1}), id="an object as text"),
        pytest.param(message(text="Hoi", chat={"id": "x", "type": "private"}), id="a string as chat"),
        pytest.param(message(text="Hoi", date=10**30), id="a date beyond time"),
        pytest.param(message(text="Hoi", **{"from": 7}), id="a number as sender"),
    ],
)
def test_unreadable(telegram: Telegram, body: object) -> None:
    with pytest.raises(BadInput):
        telegram.parse(webhook(body))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_BROKEN = st.builds(
    lambda part, name, value: {"update_id": 1, part: {**BASE, **TAP, "text": "/start x", name: value}},
    st.sampled_from(["message", "callback_query", "my_chat_member"]),
    st.sampled_from(["chat", "from", "date", "text", "photo", "message", "data", "message_id", "new_chat_member"]),
    _JSON,
)


@given(st.one_of(st.binary(max_size=100), _JSON.map(lambda value: json.dumps(value).encode()), _BROKEN))
def test_parse_raises_bad_input_only(body: object) -> None:
    channel = Telegram({"bloem": (TOKEN, SECRET)}, fetch=fetch)
    try:
        items = channel.parse(webhook(body))
    except BadInput:
        return
    for item in items:
        assert isinstance(item, Inbound)
        assert isinstance(item.text, str)
        channel.reply(webhook(body))


@pytest.mark.parametrize(
    ("account", "secret", "error"),
    [
        pytest.param("bloem", SECRET, None, id="its own"),
        pytest.param("bloem", "", BadSignature, id="none"),
        pytest.param("bloem", "another secret", BadSignature, id="another bot's"),
        pytest.param("bloem", "é\udcff", BadSignature, id="not ASCII"),
        pytest.param("open", "", BadSignature, id="a bot without a secret is closed"),
        pytest.param("nobody", SECRET, NotFound, id="no such account"),
    ],
)
def test_secret(telegram: Telegram, account: str, secret: str, error: type[Exception] | None) -> None:
    request = webhook(message(text="Hoi"), account, secret)
    if error is None:
        telegram.verify(request)
    else:
        with pytest.raises(error):
            telegram.verify(request)


def test_a_tap_is_answered_with_the_webhook(telegram: Telegram) -> None:
    text, content_type = telegram.reply(webhook({"update_id": 9, "callback_query": TAP}))
    assert (json.loads(text), content_type) == (
        {"method": "answerCallbackQuery", "callback_query_id": "cb1"},
        "application/json",
    )
    assert telegram.reply(webhook(message(text="Hoi"))) == ("", "text/plain")


PLAIN = {"chat_id": "42", "text": "Hallo", "link_preview_options": {"is_disabled": True}}


@pytest.mark.parametrize(
    ("more", "method", "fields", "files"),
    [
        pytest.param({}, "sendMessage", PLAIN, {}, id="text"),
        pytest.param(
            {"choices": [PAY, OPEN]},
            "sendMessage",
            PLAIN
            | {
                "reply_markup": {
                    "inline_keyboard": [
                        [{"text": "Betalen", "callback_data": "b-1"}],
                        [{"text": "Naar betaalpagina", "url": "https://effen.example/p/t"}],
                    ]
                }
            },
            {},
            id="buttons",
        ),
        pytest.param({"image": QR}, "sendPhoto", {"chat_id": "42", "caption": "Hallo"}, {"photo": PICTURE}, id="bytes"),
        pytest.param({"image": "https://effen.example/gone"}, "sendMessage", PLAIN, {}, id="a picture that is gone"),
        pytest.param(
            {"image": QR, "text": "🙂" * 513}, "sendMessage", PLAIN | {"text": "🙂" * 513}, {}, id="a long text"
        ),
    ],
)
async def test_send(
    telegram: Telegram,
    provider: FakeTelegram,
    more: dict[str, Any],
    method: str,
    fields: dict[str, Any],
    files: dict[str, bytes],
) -> None:
    assert await telegram.send(rendered(**({"text": "Hallo", "address": Address("42")} | more))) == "42:1"
    (call,) = provider.calls
    assert call.path == f"/bot{TOKEN}/{method}"
    shown = {
        name: value if name in ("text", "caption", "chat_id") else json.loads(value) for name, value in call.fields
    }
    assert shown == fields
    assert list(call.files.values()) == list(files.values())


TO_JAN = rendered(address=Address("42"))


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")  # the library warns of its own error
@pytest.mark.parametrize(
    ("status", "body", "code", "retryable", "uncertain", "after"),
    [
        pytest.param(
            429, problem(429, "Too Many Requests: retry after 7", retry_after=7), "429", True, False, 7, id="too fast"
        ),
        pytest.param(
            403, problem(403, "Forbidden: bot was blocked by the user"), "blocked", False, False, None, id="blocked"
        ),
        pytest.param(
            403, problem(403, "Forbidden: user is deactivated"), "blocked", False, False, None, id="deactivated"
        ),
        pytest.param(
            403,
            problem(403, "Forbidden: bot can't initiate conversation with a user"),
            "403",
            False,
            False,
            None,
            id="never written to us",
        ),
        pytest.param(400, problem(400, "Bad Request: chat not found"), "400", False, False, None, id="no chat"),
        pytest.param(401, problem(401, "Unauthorized"), "401", False, False, None, id="our token"),
        pytest.param(500, problem(500, "Internal"), "timeout", True, True, None, id="a fault of theirs"),
        pytest.param(502, "<html>", "timeout", True, True, None, id="a gateway"),
        pytest.param(502, ["?"], "unreadable", True, True, None, id="a strange gateway"),
        pytest.param(200, "<html>", "unreadable", True, True, None, id="taken, it seems"),
        pytest.param(200, {"ok": True, "result": {}}, "unreadable", True, True, None, id="taken, without an id"),
    ],
)
async def test_refusals(
    telegram: Telegram,
    provider: FakeTelegram,
    status: int,
    body: object,
    code: str,
    retryable: bool,
    uncertain: bool,
    after: float | None,
) -> None:
    provider.refuse(status, body)
    with pytest.raises(SendFailed) as failed:
        await telegram.send(TO_JAN)
    error = failed.value
    assert (error.code, error.retryable, error.uncertain, error.retry_after) == (code, retryable, uncertain, after)


@pytest.mark.parametrize("trouble", ["drop", "hang"])
async def test_nobody_knows_whether_it_arrived(impatient: Telegram, provider: FakeTelegram, trouble: str) -> None:
    getattr(provider, trouble)()
    with pytest.raises(SendFailed) as failed:
        await impatient.send(TO_JAN)
    assert failed.value.uncertain
    assert len(provider.messages) == 1


async def test_nobody_there() -> None:
    channel = Telegram({"bloem": (TOKEN, SECRET)}, fetch=fetch, api_url="http://127.0.0.1:1", connect_timeout=0.3)
    with pytest.raises(SendFailed) as failed:
        await channel.send(TO_JAN)
    await channel.close()
    assert (failed.value.code, failed.value.retryable, failed.value.uncertain) == ("unreachable", True, False)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param(rendered(account="nobody", address=Address("42")), "no_bot", id="a creditor without a bot"),
        pytest.param(rendered(address=Address("42"), choices=[Choice("b" * 65, "x")]), "button_too_long", id="button"),
    ],
)
async def test_what_cannot_be_sent(telegram: Telegram, provider: FakeTelegram, message: Rendered, code: str) -> None:
    with pytest.raises(SendFailed) as failed:
        await telegram.send(message)
    assert (failed.value.code, failed.value.retryable) == (code, False)
    assert provider.calls == []


def test_the_seam(telegram: Telegram) -> None:
    channel: Channel = telegram
    assert not isinstance(channel, Inquires | Idempotent)


@pytest.mark.parametrize(
    ("media", "most", "content"),
    [("f1", 100, b"a picture"), ("f1", 5, b""), ("unknown", 100, b"")],
    ids=["fetched", "too large", "gone"],
)
async def test_a_picture_is_fetched(
    telegram: Telegram, provider: FakeTelegram, media: str, most: int, content: bytes
) -> None:
    provider.files["f1"] = b"a picture"
    assert isinstance(telegram, Fetches)
    assert await telegram.fetch("bloem", media, most) == content


@pytest.mark.parametrize("trouble", ["hang", "drop"])
async def test_a_picture_may_be_asked_for_again(impatient: Telegram, provider: FakeTelegram, trouble: str) -> None:
    getattr(provider, trouble)()
    with pytest.raises(SendFailed) as failed:
        await impatient.fetch("bloem", "f1", 100)
    assert failed.value.retryable
