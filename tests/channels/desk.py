"""The other side of a channel's seam, for its tests: it keeps what it is given, and says what it is told to."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.creditor import Alerts, Creditor
from core.errors import NotFound
from core.message import Address, Rendered

BLOEM = Creditor(
    key="bloem",
    name="Bloem & Blad BV",
    country="NL",
    registration="KvK 12345678",
    languages=["nl"],
    iban="NL02ABNA0123456789",
    alerts=Alerts(urgent="care@example.test"),
)
TAK = BLOEM.model_copy(update={"key": "tak", "name": "Tak & Co"})
ORIGINS = {"bloem": ["https://bloem.example"], "tak": ["https://tak.example"]}


def listed(creditor: str | None) -> list[str]:
    return ORIGINS[creditor] if creditor else [origin for origins in ORIGINS.values() for origin in origins]


class Desk:
    """A conversation that remembers: fills `channels.web.Chat`."""

    def __init__(self, creditors: Sequence[Creditor] = (BLOEM, TAK), history: Sequence[Mapping[str, Any]] = ()) -> None:
        self._creditors = {creditor.key: creditor for creditor in creditors}
        self._history = history
        self.heard: list[dict[str, Any]] = []
        self.says: list[Rendered] = []

    async def creditor(self, key: str | None) -> Creditor:
        if key is None and len(self._creditors) == 1:
            return next(iter(self._creditors.values()))
        if key not in self._creditors:
            raise NotFound("no such creditor")
        return self._creditors[key]

    async def open(self, creditor: str, session: str, **more: Any) -> Sequence[Mapping[str, Any]]:
        self.heard.append({"event": "open", "creditor": creditor, "session": session} | more)
        return self._history

    async def receive(self, creditor: str, session: str, text: str, **more: Any) -> None:
        self.heard.append({"event": "receive", "creditor": creditor, "session": session, "text": text} | more)

    async def ask(self, creditor: str, sender: str, text: str, **more: Any) -> Sequence[Rendered]:
        self.heard.append({"event": "ask", "creditor": creditor, "session": sender, "text": text} | more)
        return self.says


def rendered(text: str = "Hallo", **more: Any) -> Rendered:
    return Rendered(**({"id": "m1", "account": "bloem", "address": Address("s1"), "text": text} | more))
