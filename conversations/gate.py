"""The last gate: what says something about a debt waits for proof of who reads it, and is then told."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, delete, null, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import ContactPoint
from conversations.outbox import KEPT, queue
from core.ids import ContactPointId, ConversationId
from core.lifecycle import OutboundState
from core.message import Say
from store.tables.talk import outbound, sent_part

# Why a message is withheld.
UNPROVEN = "not_verified"
SESSION_ENDED = "session_ended"


async def withhold(tx: AsyncConnection, row: Row[Any], why: str) -> None:
    """Do not send it, for now or for good."""
    ended = {"state": OutboundState.WITHHELD, "error": why, "lease": None, "lease_until": None}
    await tx.execute(update(outbound).where(outbound.c.id == row.id).values(**ended))


async def close(tx: AsyncConnection, row: Row[Any], point: ContactPoint, now: datetime) -> None:
    """Keep the message back; its person hears that something waits, once, however many messages do."""
    await withhold(tx, row, UNPROVEN)
    since = point.verified_until.isoformat() if point.verified_until else now.date().isoformat()
    await queue(
        tx,
        ConversationId(row.conversation_id),
        Say("notice.message_waiting"),
        now,
        cause=f"waiting:{point.id}:{since}",
        contact=point.id,
        proactive=row.proactive,
    )


async def open_for(tx: AsyncConnection, home: ConversationId, contact: ContactPointId, now: datetime) -> None:
    """Whoever writes from `contact` has shown who they are: they hear there what was kept back for them.

    Not what we began and has its day (a reminder): only what stays true, as that money has come.
    """
    lasting = outbound.c.key.startswith("payment.")
    answers = and_(outbound.c.error == UNPROVEN, ~outbound.c.proactive)
    theirs = (
        outbound.c.conversation_id == home,
        outbound.c.state == OutboundState.WITHHELD,
        outbound.c.error.in_([UNPROVEN, SESSION_ENDED]),
        outbound.c.created_at > now - KEPT,
        or_(lasting, answers, outbound.c.author == "agent"),
    )
    # What was made for another address names that address, and may be somebody else's by now: it is made anew.
    elsewhere = update(outbound).where(*theirs, outbound.c.contact_point_id != contact)
    anew = elsewhere.values(rendered=null(), parts_sent=0, provider_id=None).returning(outbound.c.id)
    moved = list(await tx.scalars(anew))
    await tx.execute(delete(sent_part).where(sent_part.c.outbound_id.in_(moved)))
    again = {"state": OutboundState.QUEUED, "error": None, "contact_point_id": contact, "next_at": now, "attempts": 0}
    await tx.execute(update(outbound).where(*theirs).values(again))
