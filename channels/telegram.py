"""Telegram: https://core.telegram.org/bots/api

It cannot be asked whether a message has arrived, and a message sent twice arrives twice: what is uncertain stays so.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
from telegram import (
    CallbackQuery,
    ChatMember,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
    User,
)
from telegram.constants import ChatType
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from core.errors import BadInput, BadSignature, NotFound, SendFailed
from core.message import Address, Choice, Inbound, Limits, Locale, Receipt, Rendered, Webhook

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105
API_URL = "https://api.telegram.org"

LIMITS = Limits(text=4_000, buttons=10, button_title=40, images=True, links=True)
_CAPTION = 1_024  # characters under a picture, as UTF-16 counts them
_MOST_DATA = 64  # bytes that a button can carry
_LANGUAGES = frozenset({"nl", "en", "fr", "de"})

# The picture at an address of ours, or None. Its bytes are sent: Telegram cannot fetch what only we can reach.
Fetch = Callable[[str], Awaitable[bytes | None]]


class Telegram:
    """Each creditor has a bot of its own: `bots` has the token and the webhook's secret of each account."""

    name = "telegram"
    limits = LIMITS

    def __init__(
        self,
        bots: Mapping[str, tuple[str, str]],
        *,
        fetch: Fetch,
        api_url: str = API_URL,
        connect_timeout: float = 5,
        read_timeout: float = 15,
    ) -> None:
        self._bots = bots
        self._fetch = fetch
        self._base_url = f"{api_url.rstrip('/')}/bot"
        self._file_url = f"{api_url.rstrip('/')}/file/bot"
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._clients: dict[str, tuple[ExtBot[Any], HTTPXRequest]] = {}

    def verify(self, webhook: Webhook) -> None:
        """The secret of the account's own bot, compared in constant time. Raises NotFound for an unknown account."""
        if webhook.account not in self._bots:
            raise NotFound("No such bot.")
        _, secret = self._bots[webhook.account]
        given = webhook.headers.get(SECRET_HEADER, "")
        if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
            raise BadSignature("X-Telegram-Bot-Api-Secret-Token does not fit.")

    def parse(self, webhook: Webhook) -> Sequence[Inbound | Receipt]:
        """A text, a picture, a tap, a deep link, or a person who blocks us; groups and channels are left out."""
        try:
            update = Update.de_json(json.loads(webhook.body), None)
            inbound = _inbound(update, webhook.account)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, OSError, RecursionError):
            raise BadInput("The body is no update of Telegram's.") from None
        return [inbound] if inbound else []

    def reply(self, webhook: Webhook) -> tuple[str, str]:
        """A tap is answered with the webhook itself, so that the button stops waiting."""
        tap = json.loads(webhook.body).get("callback_query")
        if not tap:
            return "", "text/plain"
        return json.dumps({"method": "answerCallbackQuery", "callback_query_id": tap["id"]}), "application/json"

    async def send(self, message: Rendered) -> str:
        bot = self._bot(message.account)
        keyboard = _keyboard(message.choices)
        picture = await self._picture(message)
        try:
            if picture:
                sent = await bot.send_photo(
                    message.address, picture, caption=message.text, filename="qr.png", reply_markup=keyboard
                )
            else:
                sent = await bot.send_message(
                    message.address,
                    message.text,
                    reply_markup=keyboard,
                    # A preview would have Telegram open the person's payment link.
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
        except TelegramError as error:
            raise _failed(error) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SendFailed("unreadable", retryable=True, uncertain=True) from None
        return f"{message.address}:{sent.message_id}"

    async def fetch(self, account: str, media: str, most: int) -> bytes:
        """https://core.telegram.org/bots/api#getfile"""
        try:
            file = await self._bot(account).get_file(media)
            if file.file_size is not None and file.file_size > most:
                return b""
            content = bytes(await file.download_as_bytearray())
        except BadRequest:  # too large for bots, or gone
            return b""
        except TelegramError as error:
            raise _failed(error) from None
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError):
            raise SendFailed("unreadable", retryable=True) from None
        return content if len(content) <= most else b""

    async def close(self) -> None:
        for _, request in self._clients.values():
            await request.shutdown()
        self._clients.clear()

    async def _picture(self, message: Rendered) -> bytes | None:
        """Its bytes, where there is one and the text fits under it: a link without its picture still works."""
        if message.image is None or len(message.text.encode("utf-16-le")) // 2 > _CAPTION:
            return None
        return await self._fetch(message.image)

    def _bot(self, account: str) -> ExtBot[Any]:
        if account not in self._bots:
            raise SendFailed("no_bot", retryable=False)
        token, _ = self._bots[account]
        if token not in self._clients:
            connect, read = self._connect_timeout, self._read_timeout
            request = HTTPXRequest(16, connect_timeout=connect, read_timeout=read, write_timeout=read)
            # Retries are ours: they are stored, and survive a restart.
            limiter = AIORateLimiter(max_retries=0)
            bot = ExtBot(
                token,
                base_url=self._base_url,
                base_file_url=self._file_url,
                request=request,
                rate_limiter=limiter,
            )
            self._clients[token] = (bot, request)
        return self._clients[token][0]


def _inbound(update: Update | None, account: str) -> Inbound | None:
    if update is None or not isinstance(update.update_id, int):
        raise BadInput("An update has an update_id.")
    identifier = str(update.update_id)
    if update.message:
        return _of_message(update.message, account, identifier)
    if update.callback_query:
        return _of_tap(update.callback_query, account, identifier)
    if update.my_chat_member:
        return _of_membership(update.my_chat_member, account, identifier)
    return None


def _of_message(message: Message, account: str, identifier: str) -> Inbound | None:
    sender = message.from_user
    if message.chat.type != ChatType.PRIVATE or sender is None or sender.is_bot:
        return None  # in a group others would read about the debt
    text = message.text or message.caption or ""
    attachment = message.effective_attachment
    if not text and not attachment:
        return None  # a note of Telegram's own
    start = None
    if text == "/start" or text.startswith("/start "):
        start, text = text[7:].strip(), "/start"
    best = attachment[-1] if isinstance(attachment, Sequence) and attachment else attachment
    file = getattr(best, "file_id", None)
    return Inbound(
        channel="telegram",
        account=account,
        address=_address(message.chat.id),
        external_id=identifier,
        text=_text(text),
        media=(_text(file),) if file else (),
        start=_text(start) if start is not None else None,
        locale=_locale(sender),
        profile={"name": _text(sender.full_name)},
    )


def _of_tap(tap: CallbackQuery, account: str, identifier: str) -> Inbound | None:
    # Old messages have neither date nor keyboard, and very old ones are not given at all.
    if tap.data is None or (tap.message and tap.message.chat.type != ChatType.PRIVATE):
        return None
    return Inbound(
        channel="telegram",
        account=account,
        address=_address(tap.from_user.id),
        external_id=identifier,
        text=_title(tap),
        button=_text(tap.data),
        locale=_locale(tap.from_user),
        profile={"name": _text(tap.from_user.full_name)},
    )


def _title(tap: CallbackQuery) -> str:
    markup = tap.message.reply_markup if isinstance(tap.message, Message) else None
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            if button.callback_data == tap.data:
                return _text(button.text)
    return ""


def _of_membership(change: ChatMemberUpdated, account: str, identifier: str) -> Inbound | None:
    """Blocking the bot is opting out: https://core.telegram.org/bots/api#chatmemberupdated"""
    blocked = change.new_chat_member.status == ChatMember.BANNED
    back = change.old_chat_member.status == ChatMember.BANNED and change.new_chat_member.status == ChatMember.MEMBER
    if change.chat.type != ChatType.PRIVATE or not (blocked or back):
        return None
    return Inbound(
        channel="telegram",
        account=account,
        address=_address(change.chat.id),
        external_id=identifier,
        opt_out=blocked,
        opt_in=back,
    )


def _address(identifier: object) -> Address:
    if not isinstance(identifier, int):
        raise BadInput("An id of Telegram's is a number.")
    return Address(str(identifier))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadInput("A text of Telegram's is a string.")
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()


def _locale(sender: User) -> Locale | None:
    language = (sender.language_code or "")[:2].lower()
    return Locale(language) if language in _LANGUAGES else None


def _keyboard(choices: Sequence[Choice]) -> InlineKeyboardMarkup | None:
    """One button a row: their titles are sentences more often than words."""
    if not choices:
        return None
    return InlineKeyboardMarkup([[_button(choice)] for choice in choices])


def _button(choice: Choice) -> InlineKeyboardButton:
    if choice.url:
        return InlineKeyboardButton(choice.title, url=choice.url)
    if len(choice.id.encode()) > _MOST_DATA:
        raise SendFailed("button_too_long", retryable=False)
    return InlineKeyboardButton(choice.title, callback_data=choice.id)


def _failed(error: TelegramError) -> SendFailed:
    """https://core.telegram.org/bots/api#making-requests; "blocked" is a person who wants to hear nothing of us."""
    match error:
        case RetryAfter():
            after = error.retry_after
            seconds = after.total_seconds() if isinstance(after, timedelta) else float(after)
            return SendFailed("429", retryable=True, retry_after=seconds)
        case Forbidden():
            gone = "blocked" in error.message or "deactivated" in error.message
            return SendFailed("blocked" if gone else "403", retryable=False)
        case BadRequest():
            return SendFailed("400", retryable=False)
        case InvalidToken():
            return SendFailed("401", retryable=False)
        case NetworkError():
            # Never sent: it may be tried again. Otherwise nobody knows whether it has arrived.
            if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                return SendFailed("unreachable", retryable=True)
            return SendFailed("timeout", retryable=True, uncertain=True)
    if type(error) is TelegramError:
        return SendFailed("unreadable", retryable=True, uncertain=True)
    return SendFailed("telegram", retryable=False)
