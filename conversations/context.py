"""What a turn's actions may know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.care import country_of
from conversations.contacts import SESSION_CHANNELS, contact_of, keeps_reach
from conversations.creditors import Creditors
from conversations.hours import is_open
from core.clock import Clock
from core.creditor import Creditor
from core.errors import NotFound
from core.ids import ContactPointId, ConversationId, DebtorId, TurnId
from core.message import Locale
from store.database import Database
from store.tables.people import contact_point, debtor
from store.tables.talk import conversation, inbound


@dataclass(frozen=True, slots=True)
class TurnContext:
    turn: TurnId
    conversation: ConversationId
    contact_point: ContactPointId
    creditor: Creditor
    channel: str
    locale: Locale
    country: str  # whose help lines to name
    debtor: DebtorId | None  # recognised or verified
    verified: bool
    text: str
    intent: str  # the full name, `dispute/amount`
    care: str | None
    parse: Mapping[str, Any]  # what was understood besides (conversations.reading.Reading)
    agent_open: bool  # within the creditor's opening hours
    now: datetime


# Built once: building them anew for each action costs more than running them.
_MESSAGE = select(inbound).where(inbound.c.id == bindparam("turn"))
_POINT = (
    select(contact_point, conversation.c.locale.label("spoken"), debtor.c.country)
    .join_from(contact_point, conversation, conversation.c.id == bindparam("talk"))
    .join(debtor, debtor.c.id == contact_point.c.debtor_id, isouter=True)
    .where(contact_point.c.id == bindparam("point"))
)


class Contexts:
    def __init__(self, db: Database, clock: Clock, creditors: Creditors) -> None:
        self._db = db
        self._clock = clock
        self._creditors = creditors

    async def of(self, turn: TurnId) -> TurnContext:
        """Raises NotFound for a turn that does not exist."""
        async with self._db.read() as tx:
            message = await message_of(tx, turn)
            here = {"point": message.contact_point_id, "talk": message.conversation_id}
            point = (await tx.execute(_POINT, here)).one()
        creditor = await self._creditors.get(message.creditor_id)
        contact = contact_of(point)
        now = self._clock.now()
        return TurnContext(
            turn=turn,
            conversation=ConversationId(message.conversation_id),
            contact_point=contact.id,
            creditor=creditor,
            channel=contact.channel,
            locale=Locale(point.spoken or creditor.languages[0]),
            country=country_of(point.country, contact.address, creditor),
            debtor=contact.debtor,
            verified=contact.verified(now),
            text=message.text,
            intent=message.intent or "",
            care=message.care,
            parse=message.parse or {},
            agent_open=is_open(creditor, now),
            now=now,
        )

    async def out_of_reach(self, context: TurnContext) -> bool:
        """Whether the person writes from a session, and has no other address that lasts longer than that."""
        if context.channel not in SESSION_CHANNELS:
            return False
        async with self._db.read() as tx:
            return not await keeps_reach(tx, context.conversation, self._clock.now())


async def message_of(tx: AsyncConnection, turn: TurnId) -> Row[Any]:
    row = (await tx.execute(_MESSAGE, {"turn": turn})).first()
    if row is None:
        raise NotFound(f"there is no turn {turn}")
    return row


async def silence(tx: AsyncConnection, message: Row[Any]) -> timedelta | None:
    """The time between this message and the one before it in the conversation; None where it is the first."""
    before = await tx.scalar(
        select(inbound.c.received_at)
        .where(inbound.c.conversation_id == message.conversation_id, inbound.c.seq < message.seq)
        .order_by(inbound.c.seq.desc())
        .limit(1)
    )
    return None if before is None else message.received_at - before
