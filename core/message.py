"""Messages on their way in and out, and the seam that a channel fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType, Protocol, runtime_checkable

from core.ids import LinkId
from core.lifecycle import OutboundState

Locale = NewType("Locale", str)  # "nl", "en", "fr", "de"
Address = NewType("Address", str)  # opaque: a number, a user id, a session: never parsed outside its channel

# What a person may send in one message; more is cut, and the person told so.
MAX_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request as it came in. `url` is the public one, with its query as sent; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    account: str = ""  # the path's account, where a route has one
    remote: str = ""  # the network address of the sender


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message from a person."""

    channel: str
    account: str  # the creditor's key, or our own number or name at the provider (routed by the app)
    address: Address
    external_id: str  # unique within (channel, account)
    text: str = ""
    button: str | None = None  # the opaque id of a tapped button
    media: Sequence[str] = ()  # addresses of pictures, as the provider gave them
    opt_out: bool = False  # the provider has recognised (and answered) an opt-out keyword
    opt_in: bool = False
    start: str | None = None  # what a deep link carried (Telegram)
    locale: Locale | None = None  # what the client says its language is: a hint
    profile: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says later about a message that we sent."""

    channel: str
    provider_id: str
    state: OutboundState  # sent, delivered, read or failed
    code: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can show."""

    text: int  # characters in one message
    buttons: int = 0  # 0: options are numbered in the text
    button_title: int = 20
    rows: int = 0  # of a list, where there are more options than buttons
    images: bool = False
    gsm7: bool = False  # avoid characters outside GSM-7 where there is a plain equivalent
    links: bool = False  # links can be shown as a button


@dataclass(frozen=True, slots=True)
class Choice:
    """A button as it is shown: `id` is opaque, the meaning is stored on our side."""

    id: str
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in the person's language and the channel's shape: exactly what is sent, and sent again."""

    id: str  # our own id of the outbound message: the idempotency key where a provider takes one
    account: str  # the creditor's key
    address: Address
    text: str
    choices: Sequence[Choice] = ()
    image: str | None = None  # a public address
    author: str = "bot"  # bot, agent or system
    name: str = ""  # who speaks: the agent's first name
    template: str | None = None  # the provider's approved template, outside a service window
    variables: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A button as an action asks for it: a title (key and arguments) and what a tap means to the dialogue."""

    title: str  # message key
    intent: str
    args: Mapping[str, Any] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"title": self.title, "args": dict(self.args), "intent": self.intent, "entities": dict(self.entities)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Option:
        return cls(value["title"], value["intent"], dict(value.get("args", {})), dict(value.get("entities", {})))


@dataclass(frozen=True, slots=True)
class Say:
    """What to say: a message key with typed arguments, never prose.

    Arguments are JSON: a plain string or number, or one of `{"money": [1250, "EUR"]}`, `{"date": "2026-11-30"}`,
    `{"percent": "10.5"}`, `{"link": "<id>"}` (becomes its address, and its QR picture where the channel shows
    pictures), `{"page": "<id>"}` (the address of an invoice's copy), `{"key": "<message key>"}` (another message, e.g.
    a name of a state), or `{"rows": [{…}, …], "key": "<message key of one row>"}`.
    """

    key: str
    args: Mapping[str, Any] = field(default_factory=dict)
    options: Sequence[Option] = ()

    def as_json(self) -> dict[str, Any]:
        return {"key": self.key, "args": dict(self.args), "options": [option.as_json() for option in self.options]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Say:
        return cls(value["key"], dict(value.get("args", {})), [Option.from_json(o) for o in value.get("options", [])])


def links_in(args: Mapping[str, Any]) -> list[LinkId]:
    """The payment links that a message carries."""
    return [LinkId(value["link"]) for value in args.values() if isinstance(value, dict) and "link" in value]


class Channel(Protocol):
    """A translator between a provider and us. Knows no database, no web server and no conversation."""

    name: str
    limits: Limits

    def verify(self, webhook: Webhook) -> None:
        """Raises BadSignature unless the provider has signed this request."""
        ...

    def parse(self, webhook: Webhook) -> Sequence[Inbound | Receipt]:
        """Pure. Raises BadInput for an unreadable body; what is not for us is left out."""
        ...

    async def send(self, message: Rendered) -> str:
        """The provider's id of the message. Raises SendFailed."""
        ...


@runtime_checkable
class Inquires(Protocol):
    """A channel that can be asked whether a message has gone out."""

    async def find(self, message: Rendered, since: datetime) -> Receipt | None:
        """What became of the message if it was taken after `since`, else None. Raises SendFailed."""
        ...


@runtime_checkable
class Fetches(Protocol):
    """A channel on which people send pictures."""

    async def fetch(self, account: str, media: str, most: int) -> bytes:
        """What the provider keeps under this name of `Inbound.media`; nothing where it has none, or more than `most`.

        Raises SendFailed where it could not be asked.
        """
        ...


@runtime_checkable
class Idempotent(Protocol):
    """A channel where sending the same message id twice is sending it once."""

    idempotent: bool
