"""Taking a turn in hand: the oldest unfinished message of its conversation, and what it takes to answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import ContactPoint, contact_of
from conversations.reading import Offer
from core.errors import EffenError
from core.ids import TurnId, new_id
from core.lifecycle import TurnState
from core.message import Option
from store.tables.people import contact_point, debtor
from store.tables.talk import button, conversation, inbound, outbound

# A worker that has died is replaced after this long.
LEASE = timedelta(seconds=30)
# Longer texts are no number of an option and no button's id.
_SHORT = 24


class LeaseLost(EffenError):
    """Another worker has taken the turn: what this one found is dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    message: Row[Any]
    talk: Row[Any]
    contact: ContactPoint
    language: str | None  # the debtor's, on file
    country: str | None
    offers: Sequence[Offer]  # the buttons shown in this conversation, newest message last

    @property
    def turn(self) -> TurnId:
        return TurnId(self.message.id)


async def take(tx: AsyncConnection, now: datetime) -> Claim | None:
    """The next turn, leased to the caller, or None: one at a time per conversation, in order of arrival."""
    earlier = inbound.alias()
    head = ~exists().where(
        earlier.c.conversation_id == inbound.c.conversation_id,
        earlier.c.state == TurnState.RECEIVED,
        earlier.c.seq < inbound.c.seq,
    )
    free = or_(inbound.c.lease_until.is_(None), inbound.c.lease_until < now)
    first = (
        select(inbound.c.seq)
        .where(inbound.c.state == TurnState.RECEIVED, free, head)
        .order_by(inbound.c.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    message = (
        await tx.execute(
            update(inbound)
            .where(inbound.c.seq == first.scalar_subquery(), free)
            .values(
                lease=new_id(),
                lease_until=now + LEASE,
                attempts=inbound.c.attempts + 1,
                first_claimed_at=func.coalesce(inbound.c.first_claimed_at, now),
            )
            .returning(inbound)
        )
    ).first()
    if message is None:
        return None
    talk = (await tx.execute(select(conversation).where(conversation.c.id == message.conversation_id))).one()
    point = (await tx.execute(select(contact_point).where(contact_point.c.id == message.contact_point_id))).one()
    known = None
    if point.debtor_id:
        known = (
            await tx.execute(select(debtor.c.language, debtor.c.country).where(debtor.c.id == point.debtor_id))
        ).one()
    return Claim(
        message,
        talk,
        contact_of(point),
        known.language if known else None,
        known.country if known else None,
        await _offers(tx, message),
    )


async def renew(tx: AsyncConnection, claim: Claim, now: datetime) -> None:
    """Another lease for the same work. Raises LeaseLost."""
    result = await tx.execute(
        update(inbound)
        .where(inbound.c.id == claim.turn, inbound.c.lease == claim.message.lease)
        .values(lease_until=now + LEASE)
    )
    if result.rowcount != 1:
        raise LeaseLost(claim.turn)


async def _offers(tx: AsyncConnection, message: Row[Any]) -> Sequence[Offer]:
    if not message.button_id and len(message.text.strip()) > _SHORT:
        return ()
    rows = await tx.execute(
        select(button, outbound.c.seq)
        .join(outbound, outbound.c.id == button.c.outbound_id)
        .where(button.c.conversation_id == message.conversation_id)
        .order_by(outbound.c.seq, button.c.position)
    )
    return [Offer(row.id, row.position, Option.from_json(row.option), row.expires_at, row.outbound_id) for row in rows]
