"""What a turn's actions may know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.care import country_of
from conversations.contacts import contact_of
from conversations.creditors import Creditors
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
    agent_open: bool  # within the creditor's opening hours
    now: datetime


class Contexts:
    def __init__(self, db: Database, clock: Clock, creditors: Creditors) -> None:
        self._db = db
        self._clock = clock
        self._creditors = creditors

    async def of(self, turn: TurnId) -> TurnContext:
        """Raises NotFound for a turn that does not exist."""
        async with self._db.read() as tx:
            message = await message_of(tx, turn)
            talk = (await tx.execute(select(conversation).where(conversation.c.id == message.conversation_id))).one()
            point = (
                await tx.execute(select(contact_point).where(contact_point.c.id == message.contact_point_id))
            ).one()
            country = await tx.scalar(select(debtor.c.country).where(debtor.c.id == point.debtor_id))
        creditor = await self._creditors.get(message.creditor_id)
        contact = contact_of(point)
        now = self._clock.now()
        return TurnContext(
            turn=turn,
            conversation=talk.id,
            contact_point=contact.id,
            creditor=creditor,
            channel=contact.channel,
            locale=Locale(talk.locale or creditor.languages[0]),
            country=country_of(country, contact.address, creditor),
            debtor=contact.debtor,
            verified=contact.verified(now),
            text=message.text,
            intent=message.intent or "",
            care=message.care,
            agent_open=is_open(creditor, now),
            now=now,
        )


async def message_of(tx: AsyncConnection, turn: TurnId) -> Row[Any]:
    row = (await tx.execute(select(inbound).where(inbound.c.id == turn))).first()
    if row is None:
        raise NotFound(f"there is no turn {turn}")
    return row


def is_open(creditor: Creditor, now: datetime) -> bool:
    """Whether a person is there now, by the creditor's hours; without hours nobody promises one."""
    local = now.astimezone(creditor.zone)
    hours = creditor.hours.of(local.weekday())
    return hours is not None and hours[0] <= local.time() < hours[1]
