"""Taking a turn in hand: the oldest unfinished message of its conversation, and what it takes to answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from conversations.contacts import ContactPoint, contact_of
from conversations.reading import Offer
from conversations.wishes import RESUME, SECOND
from core.errors import EffenError
from core.ids import TurnId, new_id
from core.lifecycle import OutboundState, TurnState
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
    offers: Sequence[Offer]  # the button that was tapped, and those shown last, newest message last

    @property
    def turn(self) -> TurnId:
        return TurnId(self.message.id)


def _next() -> ReturningUpdate[Any]:
    """Lease the oldest free message that is the first unfinished one of its conversation."""
    now, until = (bindparam(name, type_=inbound.c.lease_until.type) for name in ("now", "until"))
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
    return (
        update(inbound)
        .where(inbound.c.seq == first.scalar_subquery(), free)
        .values(
            lease=bindparam("new_lease"),
            lease_until=until,
            attempts=inbound.c.attempts + 1,
            first_claimed_at=func.coalesce(inbound.c.first_claimed_at, now),
        )
        .returning(inbound)
    )


# A turn that is still this worker's.
HELD = update(inbound).where(inbound.c.id == bindparam("turn"), inbound.c.lease == bindparam("held"))
# Built once: building them anew for each turn costs more than running them.
_NEXT = _next()
_TALK = select(conversation).where(conversation.c.id == bindparam("id"))
_POINT = (
    select(contact_point, debtor.c.language.label("spoken"), debtor.c.country.label("country"))
    .join_from(contact_point, debtor, debtor.c.id == contact_point.c.debtor_id, isouter=True)
    .where(contact_point.c.id == bindparam("id"))
)

# A number means an option of the latest answer alone: "2" may just as well be a house number that was asked for since.
# What waits for the morning, or went to another telephone, is no answer that this person has read.
_since = outbound.alias()
_UNREAD = (OutboundState.QUEUED, OutboundState.WITHHELD, OutboundState.FAILED)
_LAST = (
    select(outbound.c.id)
    .where(
        outbound.c.conversation_id == bindparam("talk"),
        outbound.c.contact_point_id == bindparam("contact"),
        outbound.c.state.not_in(_UNREAD),
        exists().where(button.c.outbound_id == outbound.c.id),
        ~exists().where(
            _since.c.conversation_id == outbound.c.conversation_id,
            _since.c.contact_point_id == outbound.c.contact_point_id,
            _since.c.state.not_in(_UNREAD),
            _since.c.seq > outbound.c.seq,
            _since.c.turn_id.is_distinct_from(outbound.c.turn_id),
        ),
    )
    .order_by(outbound.c.seq.desc())
    .limit(1)
)
_OFFERS = (
    select(button, outbound.c.turn_id, outbound.c.key)
    .join(outbound, outbound.c.id == button.c.outbound_id)
    .where(
        button.c.conversation_id == bindparam("talk"),
        or_(button.c.id == bindparam("named"), button.c.outbound_id == _LAST.scalar_subquery()),
    )
    .order_by(outbound.c.seq, button.c.position)
)


async def take(tx: AsyncConnection, now: datetime) -> Claim | None:
    """The next turn, leased to the caller, or None: one at a time per conversation, in order of arrival."""
    lease = {"now": now, "until": now + LEASE, "new_lease": new_id()}
    message = (await tx.execute(_NEXT, lease)).first()
    if message is None:
        return None
    talk = (await tx.execute(_TALK, {"id": message.conversation_id})).one()
    point = (await tx.execute(_POINT, {"id": message.contact_point_id})).one()
    return Claim(message, talk, contact_of(point), point.spoken, point.country, await _offers(tx, message))


async def renew(tx: AsyncConnection, claim: Claim, now: datetime, **values: Any) -> None:
    """Another lease for the same work, and what was found so far. Raises LeaseLost."""
    held = {"turn": claim.turn, "held": claim.message.lease}
    result = await tx.execute(HELD, held | {"lease_until": now + LEASE} | values)
    if result.rowcount != 1:
        raise LeaseLost(claim.turn)


async def _offers(tx: AsyncConnection, message: Row[Any]) -> Sequence[Offer]:
    """The button that the message names, and those that were shown last."""
    text = message.text.strip()
    if not message.button_id and len(text) > _SHORT:
        return ()
    named = {
        "talk": message.conversation_id,
        "contact": message.contact_point_id,
        "named": message.button_id or text,
    }
    rows = (await tx.execute(_OFFERS, named)).all()
    return [
        Offer(
            row.id,
            row.position,
            Option.from_json(row.option),
            row.expires_at,
            row.outbound_id,
            ours=row.turn_id is None or row.key in (SECOND, RESUME),
        )
        for row in rows
    ]
