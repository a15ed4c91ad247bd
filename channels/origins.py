"""Which web pages may talk to us: our own, and those that a creditor names."""

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

# The listed origins of a creditor; without a key those of all creditors.
Listed = Callable[[str | None], Collection[str]]


class Origins:
    def __init__(self, public_url: str, listed: Listed) -> None:
        parts = urlsplit(public_url)
        self._own = f"{parts.scheme}://{parts.netloc}"
        self._listed = listed

    def allow(self, origin: str | None, creditor: str | None = None) -> bool:
        """Whether a page of this origin may talk to this creditor, or to any. No origin: not a browser's page."""
        return not origin or origin == self._own or origin in self._listed(creditor)
