"""Creditors as they were applied, kept at hand."""

import time
from collections.abc import Callable, Sequence

from sqlalchemy import select

from core.creditor import Creditor
from core.errors import NotFound
from core.ids import CreditorKey
from store.database import Database
from store.tables import people

# A change of a creditor's YAML is in force everywhere within this many seconds.
_FRESH = 5.0


class Creditors:
    """Read often, changed rarely: each is read again from the store every few seconds."""

    def __init__(self, db: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, Creditor]] = {}
        self._keys: tuple[float, Sequence[str]] | None = None

    async def get(self, key: str) -> Creditor:
        """Raises NotFound for a key that nobody has applied."""
        kept = self._kept.get(key)
        if kept and self._monotonic() - kept[0] < _FRESH:
            return kept[1]
        async with self._db.read() as tx:
            config = await tx.scalar(select(people.creditor.c.config).where(people.creditor.c.id == key))
        if config is None:
            self._kept.pop(key, None)
            raise NotFound(f"there is no creditor “{key}”; apply its YAML with `effen creditor apply`")
        creditor = Creditor.model_validate(config)
        self._kept[key] = (self._monotonic(), creditor)
        return creditor

    async def all(self) -> list[Creditor]:
        if self._keys is None or self._monotonic() - self._keys[0] >= _FRESH:
            async with self._db.read() as tx:
                keys = (await tx.scalars(select(people.creditor.c.id).order_by(people.creditor.c.id))).all()
            self._keys = self._monotonic(), keys
        return [await self.get(key) for key in self._keys[1]]

    async def only(self) -> CreditorKey:
        """The key of the single creditor there is. Raises NotFound where there are none or several."""
        keys = [creditor.key for creditor in await self.all()]
        if len(keys) != 1:
            raise NotFound("say which creditor is meant")
        return CreditorKey(keys[0])
