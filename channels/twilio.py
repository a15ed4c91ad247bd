"""Twilio: what WhatsApp and SMS share: the signature, the two webhooks, and sending.

https://www.twilio.com/docs/usage/webhooks/webhooks-security,
https://www.twilio.com/docs/messaging/guides/webhook-request,
https://www.twilio.com/docs/messaging/api/message-resource
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from multidict import MultiDict
from twilio.base.exceptions import TwilioException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.twilio_http import API_URL, TIMEOUT, TwilioHttp
from core.errors import BadInput, BadSignature, SendFailed
from core.lifecycle import OutboundState
from core.message import Address, Inbound, Receipt, Rendered, Webhook

MESSAGES = "/webhooks/twilio/messages"
STATUS = "/webhooks/twilio/status"
WHATSAPP = "whatsapp:"

# An answer to the webhook that says nothing: what we say goes through the API.
NO_ANSWER = ('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
_STATES = {
    "accepted": OutboundState.SENT,
    "scheduled": OutboundState.SENT,
    "queued": OutboundState.SENT,
    "sending": OutboundState.SENT,
    "sent": OutboundState.SENT,
    "delivered": OutboundState.DELIVERED,
    "read": OutboundState.READ,
    "failed": OutboundState.FAILED,
    "undelivered": OutboundState.FAILED,
    "canceled": OutboundState.FAILED,
}
_MOST_FIELDS = 200
_MOST_MEDIA = 10
_NUL = "\x00"


class Twilio:
    """One Twilio account. `public_url` is where Twilio finds us; `api_url` where we find it, when not at Twilio."""

    def __init__(
        self,
        sid: str,
        token: str,
        *,
        session: aiohttp.ClientSession,
        public_url: str,
        api_url: str = API_URL,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._token = token
        self._sid = sid
        self._http = TwilioHttp(session, api_url, timeout)
        self._validator = RequestValidator(token)
        self._status_url = public_url.rstrip("/") + STATUS
        # A non-empty environment keeps the library from reading the process's own.
        self.client = Client(sid, token, http_client=self._http, environment={"TWILIO_EDGE": ""})

    def verify(self, webhook: Webhook) -> None:
        """HMAC-SHA1 over the public address and the sorted fields; the library compares in constant time."""
        if not self._token:
            raise BadSignature("There is no token to verify with: anyone could sign.")
        try:
            fields = form(webhook)
        except BadInput:
            raise BadSignature("The body is no form.") from None
        signature = webhook.headers.get("x-twilio-signature", "")
        if not self._validator.validate(webhook.url, fields, signature):
            raise BadSignature("X-Twilio-Signature does not fit.")

    async def create(self, to: str, sender: str, **what: Any) -> str:
        """Sends a message; its SID. Raises SendFailed."""
        call = self.client.messages.create_async(to=to, from_=sender, status_callback=self._status_url, **what)
        return _sid(await _answered(call))

    async def fetch(self, media: str, most: int) -> bytes:
        """`core.message.Fetches.fetch`. Only addresses of this account's media are asked, whatever the webhook said."""
        if not re.fullmatch(rf"{re.escape(API_URL)}/2010-04-01/Accounts/{self._sid}/Messages/\w+/Media/\w+", media):
            return b""
        try:
            content = await self._http.download(media, (self._sid, self._token), most)
        except (aiohttp.ClientError, TimeoutError):
            content = None
        if content is None:
            raise SendFailed("not_fetched", retryable=True)
        return content

    async def content(self, request: Any) -> str:
        """Creates a content template; its SID. Raises SendFailed."""
        return _sid(await _answered(self.client.content.v1.contents.create_async(request)))

    async def find(self, to: str, sender: str, body: str, since: datetime) -> Receipt | None:
        """What became of the message with this very text that Twilio took after `since`. Raises SendFailed.

        A message that is still queued has no date of sending to filter by, so the newest ones are looked through.
        """
        messages = await _answered(self.client.messages.list_async(to=to, from_=sender, limit=50))
        since = since.replace(microsecond=0)  # Twilio counts in seconds
        for message in messages:
            if message.body == body and message.date_created is not None and message.date_created >= since:
                # A word that is new to us says at least that Twilio has it.
                state = _STATES.get(str(message.status), OutboundState.SENT)
                return Receipt(_channel(sender, to) or "", str(message.sid), state, str(message.error_code or ""))
        return None


def form(webhook: Webhook) -> MultiDict[str]:
    """The fields of a form, doubled ones too. Raises BadInput."""
    try:
        text = webhook.body.decode("ascii")
        return MultiDict(
            parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS) if text else ()
        )
    except ValueError:
        raise BadInput("The body is no form.") from None


def parse(webhook: Webhook, channel: str) -> Sequence[Inbound | Receipt]:
    """What Twilio says to one of the channels `whatsapp` and `sms`; the other's is left out. Raises BadInput."""
    fields = form(webhook)
    sid, ours, theirs = (fields.get(name, "").replace(_NUL, "") for name in ("MessageSid", "To", "From"))
    if not (sid and ours and theirs):
        raise BadInput("MessageSid, To or From is missing.")
    if channel != _channel(theirs, ours):
        return []
    status = fields.get("MessageStatus")
    if status is not None:
        state = _STATES.get(status)
        return [Receipt(channel, sid, state, fields.get("ErrorCode", ""))] if state else []
    return [_inbound(fields, channel, sid, ours.removeprefix(WHATSAPP), Address(theirs))]


def _channel(theirs: str, ours: str) -> str | None:
    if theirs.startswith(WHATSAPP) or ours.startswith(WHATSAPP):
        return "whatsapp"
    return None if ":" in theirs or ":" in ours else "sms"  # messenger:…, rcs:…


def _inbound(fields: MultiDict[str], channel: str, sid: str, account: str, address: Address) -> Inbound:
    # Twilio has answered these keywords itself; a "Stop." with more around it comes without the field.
    opted = fields.get("OptOutType", "").upper()
    media = tuple(fields[name] for name in (f"MediaUrl{number}" for number in range(_MOST_MEDIA)) if name in fields)
    name = fields.get("ProfileName", "").replace(_NUL, "")
    return Inbound(
        channel=channel,
        account=account,
        address=address,
        external_id=sid,
        text=fields.get("Body", "").replace(_NUL, ""),
        button=fields.get("ButtonPayload") or fields.get("ListId") or None,
        media=media,
        opt_out=opted == "STOP",
        opt_in=opted == "START",
        profile={"name": name} if name else {},
    )


def sender(numbers: Mapping[str, str], message: Rendered) -> str:
    """Our own number for a creditor. Raises SendFailed."""
    number = numbers.get(message.account)
    if number is None:
        raise SendFailed("no_number", retryable=False)
    return number


def _sid(created: Any) -> str:
    if not created.sid:
        raise SendFailed("unreadable", retryable=True, uncertain=True)
    return str(created.sid)


async def _answered(call: Any) -> Any:
    """What Twilio answers. Raises SendFailed.

    503 and 429 are refusals; with any other 5xx, a broken line or a time-out, Twilio may have taken the message.
    https://www.twilio.com/docs/api/errors lists the codes (21610: opted out).
    """
    try:
        return await call
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise SendFailed("unreachable", retryable=True) from None
    except (aiohttp.ClientError, TimeoutError):
        raise SendFailed("timeout", retryable=True, uncertain=True) from None
    except TwilioException as error:
        status, code = getattr(error, "status", 0), str(getattr(error, "code", "")) or "twilio"
        uncertain = status >= 500 and status != 503
        raise SendFailed(code, retryable=status == 429 or status >= 500, uncertain=uncertain) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SendFailed("unreadable", retryable=True, uncertain=True) from None
