"""Another account to collect from: told by its holder, read back by its end, then the creditor's to put in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, select, update

from core.clock import Clock
from core.iban import iban
from core.ids import ConversationId, CreditorKey, DebtorId, new_id
from store.database import Database
from store.events import IBAN_REQUESTED, emit
from store.tables.money import iban_change
from store.upsert import insert_once


@dataclass(frozen=True, slots=True)
class IbanChange:
    id: str
    iban: str
    requested_at: datetime | None  # None: not confirmed

    @property
    def end(self) -> str:
        """What is shown of it in a chat."""
        return self.iban[-4:]


class IbanChanges:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def propose(
        self, creditor: CreditorKey, conversation: ConversationId, debtor: DebtorId, text: str, *, key: str
    ) -> IbanChange:
        """Keep an account number that is to be read back; the same key: the same one. Raises BadInput for none."""
        values = {
            "id": new_id(),
            "creditor_id": creditor,
            "debtor_id": debtor,
            "conversation_id": conversation,
            "cause": key,
            "iban": iban(text),
            "created_at": self._clock.now(),
        }
        async with self._database.begin() as tx:
            await insert_once(tx, iban_change, **values)
            return _change((await tx.execute(select(iban_change).where(iban_change.c.cause == key))).one())

    async def proposed(self, debtor: DebtorId) -> IbanChange | None:
        """The last that was told and not confirmed."""
        query = select(iban_change).where(iban_change.c.debtor_id == debtor, iban_change.c.requested_at.is_(None))
        async with self._database.read() as tx:
            row = (await tx.execute(query.order_by(iban_change.c.created_at.desc()).limit(1))).one_or_none()
        return None if row is None else _change(row)

    async def find(self, key: str, debtor: DebtorId) -> IbanChange | None:
        """The debtor's own; None for anybody else's."""
        query = select(iban_change).where(iban_change.c.id == key, iban_change.c.debtor_id == debtor)
        async with self._database.read() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else _change(row)

    async def confirm(self, key: str, debtor: DebtorId) -> bool:
        """It is the creditor's to carry out from now on; True the first time."""
        now = self._clock.now()
        ours = update(iban_change).where(
            iban_change.c.id == key, iban_change.c.debtor_id == debtor, iban_change.c.requested_at.is_(None)
        )
        async with self._database.begin() as tx:
            confirmed: CursorResult[Any] = await tx.execute(ours.values(requested_at=now))
            if confirmed.rowcount:
                await emit(tx, IBAN_REQUESTED, {"iban_change_id": key, "debtor_id": debtor}, now)
        return confirmed.rowcount == 1

    async def of(self, debtor: DebtorId) -> Sequence[IbanChange]:
        """Those that were confirmed, the newest first; for the desk."""
        query = select(iban_change).where(iban_change.c.debtor_id == debtor, iban_change.c.requested_at.is_not(None))
        async with self._database.read() as tx:
            return [_change(row) for row in await tx.execute(query.order_by(iban_change.c.requested_at.desc()))]


def _change(row: Any) -> IbanChange:
    return IbanChange(row.id, row.iban, row.requested_at)
