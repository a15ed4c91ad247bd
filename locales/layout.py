"""How a message is laid out on a channel: buttons, numbered options, and texts of a size that it can carry."""

from __future__ import annotations

from collections.abc import Sequence

from core.message import Limits


def shorten(title: str, size: int) -> str:
    """At most `size` characters, with … where something was cut."""
    return title if len(title) <= size else title[: size - 1].rstrip(" ,.:;-") + "…"


def as_buttons(titles: Sequence[str], limits: Limits) -> list[str] | None:
    """The titles of buttons or list rows; None where the channel cannot show so many, or cuts would make two alike."""
    if len(titles) > max(limits.buttons, limits.rows):
        return None
    short = [shorten(title, limits.button_title) for title in titles]
    return short if len(set(short)) == len(set(titles)) else None


def numbered(titles: Sequence[str]) -> str:
    return "\n".join(f"{position}. {title}" for position, title in enumerate(titles, start=1))


def split(text: str, size: int) -> list[str]:
    """Texts of at most `size` characters: cut after a paragraph, else a line, a sentence or a word.

    Only a single word longer than `size` is cut inside.
    """
    texts: list[str] = []
    rest = text.strip()
    while len(rest) > size:
        at = _cut(rest, size)
        texts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*texts, rest] if rest or not texts else texts


def _cut(text: str, size: int) -> int:
    window = text[: size + 1]  # a blank just after the last character is a fine place
    for mark in ("\n\n", "\n", ". ", "? ", "! ", " "):
        at = window.rfind(mark)
        # A better kind of place that would waste half of the message is no better place.
        if at > (0 if mark == " " else size // 2):
            return at if mark.isspace() else at + 1
    return size
