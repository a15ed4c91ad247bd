"""Which web pages may talk to us: our own, and those that a creditor names."""

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

# The listed origins of a creditor; without a key those of all creditors.
Listed = Callable[[str | None], Collection[str]]


_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Origins:
    def __init__(self, public_url: str, listed: Listed) -> None:
        self._own = _own(public_url)
        self._listed = listed

    def allow(self, origin: str | None, creditor: str | None = None) -> bool:
        """Whether a page of this origin may talk to this creditor, or to any. No origin: not a browser's page."""
        return not origin or origin in self._own or origin in self._listed(creditor)


def _own(public_url: str) -> frozenset[str]:
    """The origin of our pages; on the own machine by each of its names."""
    parts = urlsplit(public_url)
    host, port = parts.netloc.removesuffix(f":{parts.port}"), f":{parts.port}" if parts.port else ""
    hosts = _LOOPBACK if host in _LOOPBACK else (host,)
    return frozenset(f"{parts.scheme}://{name}{port}" for name in hosts)
