"""What the simulated phones hold: lines between a person and us, and the messages on them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

PREFIX = "/simulator"

# WhatsApp takes free-form messages only this long after the person's last one.
WINDOW = timedelta(hours=24)
_KEPT = 200  # messages on a line
_MOST_PICTURES = 64 * 1024 * 1024  # bytes, of all phones together


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone. `phone` is E.164, `locale` the language of its apps."""

    name: str
    phone: str
    locale: str = "nl"


class Line(NamedTuple):
    channel: str  # whatsapp, sms or telegram
    ours: str  # our number, or the account of our bot
    phone: str  # theirs


@dataclass(slots=True)
class Bubble:
    """One message, as a phone shows it."""

    id: str
    mine: bool  # the phone's owner wrote it
    text: str
    at: datetime
    choices: list[dict[str, Any]] = field(default_factory=list)  # id, title, url
    image: str = ""
    status: str = ""
    callback: str = ""  # where the provider tells what became of it
    listed: bool = False  # its choices are the rows of a list

    def as_json(self) -> Mapping[str, Any]:
        return {
            "id": self.id,
            "mine": self.mine,
            "text": self.text,
            "at": self.at.isoformat(),
            "choices": self.choices,
            "image": self.image,
            "status": self.status,
        }


class Network:
    """The lines, who wants to hear nothing, and what was stored at the providers."""

    def __init__(self) -> None:
        self.lines: dict[Line, list[Bubble]] = {}
        self.closed: set[Line] = set()  # opted out, or blocked
        self.contents: dict[str, Mapping[str, Any]] = {}  # SID → types
        self.pictures: dict[str, bytes] = {}  # of the bubbles that have one, the oldest first

    def add(self, line: Line, bubble: Bubble) -> Bubble:
        bubbles = self.lines.setdefault(line, [])
        bubbles.append(bubble)
        del bubbles[:-_KEPT]
        return bubble

    def hear(self, line: Line, text: str, picture: bytes = b"") -> Bubble:
        """The person writes, or sends a picture."""
        bubble = self.add(line, Bubble(new_sid("MM" if picture else "SM"), True, text, now()))
        if picture:
            self.keep(bubble, picture)
        return bubble

    def keep(self, bubble: Bubble, picture: bytes) -> None:
        """The bubble shows this picture. The oldest pictures go where there are too many."""
        self.pictures[bubble.id] = picture
        bubble.image = f"{PREFIX}/pictures/{bubble.id}"
        while sum(map(len, self.pictures.values())) > _MOST_PICTURES:
            del self.pictures[next(iter(self.pictures))]

    def open(self, line: Line) -> bool:
        """Whether the person has written within the service window."""
        return any(bubble.mine and now() - bubble.at < WINDOW for bubble in self.lines.get(line, ()))

    def find(self, line: Line, identifier: str) -> Bubble | None:
        return next((bubble for bubble in self.lines.get(line, ()) if bubble.id == identifier), None)


def now() -> datetime:
    return datetime.now(UTC)


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)
