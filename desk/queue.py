"""The queue: which conversations there are, and who waits longest for what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select

from core.agent import Agent
from core.clock import Clock
from core.hold import Reason
from core.ids import AgentId, ConversationId
from core.lifecycle import ConversationState
from store.database import Database
from store.tables.people import contact_point, debtor
from store.tables.staff import agent as staff
from store.tables.talk import conversation, inbound, outbound

# More than anybody reads; a longer queue is a matter for the supervisor, not for a page.
LONGEST = 200


class Tab(StrEnum):
    OPEN = "open"
    MINE = "mine"
    WAITING = "waiting"
    BOT = "bot"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Queued:
    """A conversation in the queue. `hidden`: it is somebody in crisis and not for this agent: no name, no text."""

    id: ConversationId
    state: ConversationState
    reason: Reason | None
    hidden: bool
    name: str | None
    waiting_since: datetime | None  # None: the last word is ours
    changed_at: datetime
    channel: str | None
    locale: str | None
    verified: bool
    agent_id: AgentId | None
    agent_name: str | None
    last: str | None  # what the person wrote last


class Queue:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def rows(self, agent: Agent, tab: Tab) -> list[Queued]:
        """Those who wait before those who do not, by priority, then by waiting time; other tabs by last change."""
        waits = _waiting_since()
        order = (
            (conversation.c.updated_at.desc(),)
            if tab in (Tab.BOT, Tab.RESOLVED)
            else (waits.is_(None), conversation.c.priority.desc(), waits, conversation.c.id)
        )
        query = _rows(waits).where(_in(tab, agent)).order_by(*order).limit(LONGEST)
        async with self._db.read() as tx:
            found = (await tx.execute(query)).all()
        return [_queued(row, agent, self._clock.now()) for row in found]

    async def counts(self, agent: Agent) -> dict[Tab, int]:
        """How many are open, this agent's, and waiting for anybody."""
        tabs = (Tab.OPEN, Tab.MINE, Tab.WAITING)
        query = select(*(func.count().filter(_in(tab, agent)) for tab in tabs)).where(
            conversation.c.creditor_id == agent.creditor, conversation.c.state == ConversationState.OPEN
        )
        async with self._db.read() as tx:
            return dict(zip(tabs, (await tx.execute(query)).one(), strict=True))


def _in(tab: Tab, agent: Agent) -> ColumnElement[bool]:
    opened = conversation.c.state == ConversationState.OPEN
    own = {
        Tab.OPEN: opened,
        Tab.MINE: and_(opened, conversation.c.agent_id == agent.id),
        Tab.WAITING: and_(opened, conversation.c.agent_id.is_(None)),
        Tab.BOT: conversation.c.state.in_([ConversationState.PENDING, ConversationState.SNOOZED]),
        Tab.RESOLVED: conversation.c.state == ConversationState.RESOLVED,
    }[tab]
    return and_(conversation.c.creditor_id == agent.creditor, conversation.c.merged_into.is_(None), own)


def _waiting_since() -> ColumnElement[Any]:
    """Since the handoff, or since the first message after an agent's last one."""
    answered = (
        select(func.max(outbound.c.created_at))
        .where(outbound.c.conversation_id == conversation.c.id, outbound.c.author == "agent")
        .correlate(conversation)
        .scalar_subquery()
    )
    unanswered = (
        select(func.min(inbound.c.received_at))
        .where(inbound.c.conversation_id == conversation.c.id, inbound.c.received_at > answered)
        .correlate(conversation)
        .scalar_subquery()
    )
    return case((answered >= conversation.c.opened_at, unanswered), else_=conversation.c.opened_at)


def _rows(waits: ColumnElement[Any]) -> Select[Any]:
    last = (
        select(inbound.c.text)
        .where(inbound.c.conversation_id == conversation.c.id)
        .order_by(inbound.c.seq.desc())
        .limit(1)
        .correlate(conversation)
        .scalar_subquery()
    )
    return (
        select(
            conversation,
            waits.label("waiting_since"),
            contact_point.c.channel,
            contact_point.c.verified_until,
            debtor.c.name.label("debtor_name"),
            staff.c.name.label("agent_name"),
            last.label("last"),
        )
        .outerjoin(contact_point, contact_point.c.id == conversation.c.contact_point_id)
        .outerjoin(debtor, debtor.c.id == func.coalesce(conversation.c.debtor_id, contact_point.c.debtor_id))
        .outerjoin(staff, staff.c.id == conversation.c.agent_id)
    )


def _queued(row: Row[Any], agent: Agent, now: datetime) -> Queued:
    hidden = not agent.reads(care=row.care, holder=row.agent_id)
    return Queued(
        id=row.id,
        state=ConversationState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        hidden=hidden,
        name=None if hidden else row.debtor_name,
        waiting_since=row.waiting_since,
        changed_at=row.updated_at,
        channel=row.channel,
        locale=row.locale,
        verified=row.debtor_name is not None and row.verified_until is not None and row.verified_until > now,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        last=None if hidden else row.last,
    )
