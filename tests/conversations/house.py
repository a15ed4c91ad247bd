"""A creditor with debtors in a real store, and a channel at the edge of the world that notes what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, select

from app import creditor_files
from app.repository import DEMO
from conversations.creditors import Creditors
from conversations.delivery import Delivery
from conversations.identity import Identity
from conversations.inbox import Inbox
from conversations.making import Making
from conversations.outbox import Outbox
from core.errors import SendFailed
from core.ids import ConversationId, CreditorKey, TurnId, new_id
from core.message import Address, Inbound, Limits, Receipt, Rendered, Say, Webhook
from locales import Renderer
from outreach.current import still_true
from outreach.quiet import may_approach
from store.database import Database
from store.tables.people import contact_point, debtor
from store.tables.talk import inbound, outbound
from store.wake import LocalWake
from tests.clock import FakeClock

CREDITOR = CreditorKey("bloem")
PUBLIC_URL = "https://chat.example.test"
SECRETS = {"BLOEM_TOKEN_SECRET": "the-shop-s-own-secret-of-thirty-two-bytes"}


@dataclass
class Wire:
    """A channel whose provider answers as it is told: an id, or a failure, for each message in turn."""

    name: str = "sms"
    limits: Limits = field(default_factory=lambda: Limits(text=1_000))
    sent: list[Rendered] = field(default_factory=list)
    failures: list[SendFailed] = field(default_factory=list)

    def verify(self, webhook: Webhook) -> None: ...

    def parse(self, webhook: Webhook) -> Sequence[Inbound | Receipt]:
        return []

    async def send(self, message: Rendered) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return f"{self.name}-{len(self.sent)}"


@dataclass
class AskedWire(Wire):
    """Its provider can be asked whether a message was taken. `taken`: its answer."""

    taken: Receipt | None = None

    async def find(self, message: Rendered, since: datetime) -> Receipt | None:
        return self.taken


@dataclass
class OpenWire(Wire):
    """Sending twice is sending once."""

    idempotent: bool = True


class House:
    def __init__(self, db: Database, clock: FakeClock, wire: Wire) -> None:
        self.db, self.clock, self.wire, self.wake = db, clock, wire, LocalWake()
        self.creditors = Creditors(db)
        self.inbox = Inbox(db, clock, self.wake)
        self.outbox = Outbox(db, clock, self.wake)
        self.identity = Identity(db, clock, self.wake, self.creditors, SECRETS)
        self.making = Making(self.creditors, Renderer(), {wire.name: wire}, PUBLIC_URL, may_approach, still_true)
        self.delivery = Delivery(db, clock, self.wake, self.making, {wire.name: wire})

    async def furnish(self) -> "House":
        await creditor_files.apply(self.db, self.clock, creditor_files.read(DEMO / "creditor.yml"))
        return self

    async def debtor(self, number: str, **values: Any) -> str:
        identifier = new_id()
        now = self.clock.now()
        given = {"kind": "consumer", "name": "Fenna Varenblad", "postcode": "1234 AB", "country": "NL", **values}
        async with self.db.begin() as tx:
            await tx.execute(
                insert(debtor).values(
                    id=identifier, creditor_id=CREDITOR, customer_number=number, created_at=now, updated_at=now, **given
                )
            )
        return identifier

    async def receives(self, text: str, *, address: str = "+31600000001", **more: Any) -> TurnId | None:
        given = {"channel": self.wire.name, "account": CREDITOR, "external_id": new_id(), **more}
        return await self.inbox.receive(CREDITOR, Inbound(address=Address(address), text=text, **given))

    async def hears(self, text: str, **more: Any) -> TurnId:
        """A message that is new."""
        turn = await self.receives(text, **more)
        assert turn
        return turn

    async def talk_of(self, turn: TurnId) -> ConversationId:
        return ConversationId((await self.one(inbound, inbound.c.id == turn)).conversation_id)

    async def put(self, written: TurnId, say: Say, cause: str, **how: Any) -> Any:
        async with self.db.begin() as tx:
            return await self.outbox.put(tx, await self._talk(tx, written), say, cause=cause, **how)

    async def deliver(self) -> None:
        while await self.delivery.run_one():
            pass

    async def rows(self, table: Table, *where: Any) -> Sequence[Any]:
        async with self.db.read() as tx:
            return (await tx.execute(select(table).where(*where).order_by(*table.primary_key))).all()

    async def one(self, table: Table, *where: Any) -> Any:
        (row,) = await self.rows(table, *where)
        return row

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows(outbound)]

    async def contact(self, address: str = "+31600000001") -> Any:
        return await self.one(contact_point, contact_point.c.address == address)

    async def _talk(self, tx: Any, turn: TurnId) -> ConversationId:
        return ConversationId(await tx.scalar(select(inbound.c.conversation_id).where(inbound.c.id == turn)))
