"""The seam between what is said and the catalogues."""

from typing import Any, Protocol

from core.message import Locale


class Texts(Protocol):
    def text(self, key: str, locale: Locale, **args: Any) -> str:
        """The text of a message key; arguments have the shapes of `core.message.Say`."""
        ...
