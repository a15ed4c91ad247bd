"""The messages of one language, read from its PO file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from babel import Locale as BabelLocale
from babel.messages.pofile import read_po

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class UnknownKey(KeyError):
    """A message key that the catalogue lacks, or leaves empty."""


class MissingArgument(KeyError):
    """A message was said without an argument that its text names."""


class Catalogue:
    """`messages`: key → its text, or its two texts (one, several) where the count is the argument `n`."""

    def __init__(self, language: str, messages: Mapping[str, str | tuple[str, ...]]) -> None:
        self.language = language
        self.messages = messages
        self._locale = BabelLocale.parse(language)

    @classmethod
    def read(cls, path: Path, language: str) -> Catalogue:
        """Raises babel's PoFileError for an unreadable file and UnknownKey for a message without text."""
        with path.open("rb") as file:
            entries = read_po(file, locale=language, abort_invalid=True)
        messages: dict[str, str | tuple[str, ...]] = {}
        for entry in entries:
            if not entry.id:
                continue
            key = entry.id if isinstance(entry.id, str) else entry.id[0]
            text = entry.string if isinstance(entry.string, str) else tuple(entry.string or ())
            if not text or not all(text) or (not isinstance(text, str) and len(text) != 2):
                raise UnknownKey(f"{key} has no text in {path.parent.name}/{path.name}")
            messages[key] = text
        return cls(language, messages)

    def __contains__(self, key: str) -> bool:
        return key in self.messages

    def template(self, key: str, n: object = None) -> str:
        """The text with its placeholders; `n` chooses between one and several. Raises UnknownKey, MissingArgument."""
        try:
            text = self.messages[key]
        except KeyError:
            raise UnknownKey(f"{key} ({self.language})") from None
        if isinstance(text, str):
            return text
        if not isinstance(n, int):
            raise MissingArgument(f"{key} needs a count n ({self.language})")
        return text[0] if self._locale.plural_form(n) == "one" else text[1]


def placeholders(text: str) -> list[str]:
    return PLACEHOLDER.findall(text)


def fill(template: str, values: Mapping[str, str], key: str) -> str:
    """Put values in place of `{name}`; a value's own braces stay as they are. Raises MissingArgument."""

    def value(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            raise MissingArgument(f"{key} needs {match[1]}") from None

    return PLACEHOLDER.sub(value, template)
