"""What an agent does to a conversation: take it, write, hand it back, resolve it, lift a hold.

Every change is a guarded update with the creditor in it, leaves a row in the audit, and tells whoever is looking.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import Row, Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import window
from conversations.contacts import contact_of
from core.agent import Agent, NotAllowed, Right
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput, Conflict, NotFound
from core.ids import AgentId, ConversationId, OutboundId, new_id
from core.lifecycle import CONVERSATION, ConversationState, sources
from core.message import MAX_TEXT, Say
from store.audit import record
from store.database import Database, changed
from store.tables.people import contact_point, creditor, hold
from store.tables.staff import agent as staff
from store.tables.talk import conversation, outbound
from store.wake import Wake


class Posting(Protocol):
    """The part of the outbox that an agent uses (conversations.outbox.Outbox)."""

    async def put(
        self,
        tx: AsyncConnection,
        conversation_id: ConversationId,
        say: Say,
        *,
        cause: str,
        author: str = "bot",
        agent: AgentId | None = None,
    ) -> OutboundId | None: ...


class Taken(Conflict):
    """Another agent has it: `name` says who."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has taken this conversation")
        self.name = name


class NotYours(Conflict):
    """Somebody who does not have the conversation cannot write in it, hand it back or resolve it: take it first."""


class SentBefore(Conflict):
    """This form has already sent another text: send again with a fresh key."""


class Unreachable(Conflict):
    """Nobody has written in this conversation yet, so there is nowhere to answer."""


class WindowClosed(BadInput):
    """WhatsApp takes no text of ours a day after the person's last one: wait for them, call, or use another channel."""


class Desking:
    """Raises NotFound for a conversation of another creditor, NotAllowed where the role may not read it."""

    def __init__(self, db: Database, clock: Clock, wake: Wake, outbox: Posting) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake
        self._outbox = outbox

    async def take(
        self, conversation_id: ConversationId, agent: Agent, relieved: AgentId | None = None
    ) -> ConversationId:
        """Have the conversation, from the bot or from those that wait; from `relieved` where the role may do that.

        Twice is once. Raises Taken where a colleague was faster.
        """
        if relieved is not None and not agent.may(Right.RELIEVE):
            raise NotAllowed("only a supervisor takes a conversation from a colleague")
        async with self._change(conversation_id, agent) as (tx, talk):
            if talk.state == ConversationState.OPEN and talk.agent_id == agent.id:
                return conversation_id
            open_from = {ConversationState.OPEN, *sources(CONVERSATION, ConversationState.OPEN)}
            free = conversation.c.agent_id.is_(None) if relieved is None else conversation.c.agent_id == relieved
            taken = await tx.execute(
                update(conversation)
                .where(conversation.c.id == conversation_id, conversation.c.state.in_(open_from), free)
                .values(
                    state=ConversationState.OPEN,
                    agent_id=agent.id,
                    opened_at=talk.opened_at if talk.state == ConversationState.OPEN else self._clock.now(),
                    form=None,  # the dialogue goes on in a session of its own, if it ever does
                    snoozed_until=None,
                    updated_at=self._clock.now(),
                )
            )
            if not taken.rowcount:
                raise Taken(await _holder(tx, conversation_id))
            await self._record(tx, agent, "take", conversation_id, {"from": relieved or talk.state})
            await self._say(
                tx, talk, Say("agent.joined", {"name": agent.first_name}), f"take:{conversation_id}:{new_id()}"
            )
        return conversation_id

    async def write(self, conversation_id: ConversationId, agent: Agent, text: str, key: str) -> None:
        """Answer the person on the channel they last wrote from; the same `key` sends once.

        Raises BadInput, NotYours, SentBefore, Unreachable, WindowClosed.
        """
        text = text.strip()
        if not text or len(text) > MAX_TEXT:
            raise BadInput(f"a message has 1 to {MAX_TEXT} characters")
        async with self._change(conversation_id, agent) as (tx, talk):
            await self._mine(tx, agent, _having(conversation_id, agent))
            cause = f"agent:{key}"
            if talk.contact_point_id is None:
                raise Unreachable
            sent = await self._outbox.put(
                tx, conversation_id, Say("agent.text", {"text": text}), cause=cause, author="agent", agent=agent.id
            )
            if sent is None:
                before = (await tx.execute(select(outbound).where(outbound.c.cause == cause))).one()
                if before.conversation_id != conversation_id or before.args != {"text": text}:
                    raise SentBefore
                return
            there = select(contact_point).where(contact_point.c.id == talk.contact_point_id)
            if window.closed(contact_of((await tx.execute(there)).one()), self._clock.now()):
                raise WindowClosed  # and what was queued goes with the transaction
            await self._record(tx, agent, "write", conversation_id, {"outbound": sent})

    async def hand_back(self, conversation_id: ConversationId, agent: Agent) -> None:
        """The bot goes on, in a new dialogue session that keeps the carried slots. Raises NotYours."""
        async with self._change(conversation_id, agent) as (tx, talk):
            session = new_id()
            change = _having(conversation_id, agent).values(
                state=ConversationState.PENDING,
                agent_id=None,
                dialogue=f"{conversation_id}:{session}",
                dialogue_events=0,
                form=None,
                introduced=True,
                reason=None,
                priority=0,
                summary=None,
                opened_at=None,
            )
            await self._mine(tx, agent, change)
            await self._record(tx, agent, "hand_back", conversation_id)
            name = await _creditor_name(tx, agent)
            await self._say(
                tx, talk, Say("intro.ai_again", {"creditor": name}), f"hand_back:{conversation_id}:{session}"
            )

    async def resolve(self, conversation_id: ConversationId, agent: Agent) -> None:
        """Done. When the person writes again the bot answers, and introduces itself anew. Raises NotYours.

        Holds outlive it: a person lifts them.
        """
        async with self._change(conversation_id, agent) as (tx, _):
            change = _having(conversation_id, agent).values(
                state=ConversationState.RESOLVED,
                agent_id=None,
                dialogue=f"{conversation_id}:{new_id()}",
                dialogue_events=0,
                form=None,
                introduced=False,
            )
            await self._mine(tx, agent, change)
            await self._record(tx, agent, "resolve", conversation_id)

    async def lift_hold(self, hold_id: str, agent: Agent) -> ConversationId:
        """Reminders, fees and offers may go on. Twice is once. Gives the hold's conversation."""
        async with self._db.read() as tx:
            found = (
                await tx.execute(select(hold).where(hold.c.id == hold_id, hold.c.creditor_id == agent.creditor))
            ).first()
        if found is None:
            raise NotFound("there is no such hold")
        async with self._change(found.conversation_id, agent) as (tx, _):
            lifted = await tx.execute(
                update(hold)
                .where(hold.c.id == hold_id, hold.c.lifted_at.is_(None))
                .values(lifted_at=self._clock.now(), lifted_by=f"agent:{agent.id}")
            )
            if lifted.rowcount:
                await self._record(tx, agent, "lift_hold", hold_id, {"reason": found.reason})
        return ConversationId(found.conversation_id)

    @asynccontextmanager
    async def _change(
        self, conversation_id: ConversationId, agent: Agent
    ) -> AsyncIterator[tuple[AsyncConnection, Row[Any]]]:
        """A transaction on a conversation that the agent may read; rings when it is committed."""
        async with self._db.begin() as tx:
            talk = await readable(tx, conversation_id, agent)
            yield tx, talk
            changed(tx, conversation_id)
        self._wake.ring("outbox")

    async def _mine(self, tx: AsyncConnection, agent: Agent, change: Update) -> None:
        changed = await tx.execute(change.values(updated_at=self._clock.now()))
        if not changed.rowcount:
            raise NotYours("take the conversation first")

    async def _say(self, tx: AsyncConnection, talk: Row[Any], say: Say, cause: str) -> None:
        if talk.contact_point_id is not None:
            await self._outbox.put(tx, ConversationId(talk.id), say, cause=cause, author="system")

    async def _record(
        self, tx: AsyncConnection, agent: Agent, action: str, subject: str, detail: dict[str, Any] | None = None
    ) -> None:
        await record(tx, agent, action, subject, self._clock.now(), detail)


async def readable(tx: AsyncConnection, conversation_id: ConversationId, agent: Agent) -> Row[Any]:
    """The conversation's row. Raises NotFound for another creditor's, NotAllowed where the role may not read it."""
    talk = (
        await tx.execute(
            select(conversation).where(
                conversation.c.id == conversation_id, conversation.c.creditor_id == agent.creditor
            )
        )
    ).first()
    if talk is None:
        raise NotFound("there is no such conversation")
    if not agent.reads(care=talk.care, holder=talk.agent_id):
        raise NotAllowed("care" if talk.care and agent.may(Right.TALK) else "talk")
    return talk


def _having(conversation_id: ConversationId, agent: Agent) -> Update:
    return update(conversation).where(
        conversation.c.id == conversation_id,
        conversation.c.creditor_id == agent.creditor,
        conversation.c.state == ConversationState.OPEN,
        conversation.c.agent_id == agent.id,
    )


async def _holder(tx: AsyncConnection, conversation_id: ConversationId) -> str:
    name = await tx.scalar(
        select(staff.c.name)
        .join(conversation, conversation.c.agent_id == staff.c.id)
        .where(conversation.c.id == conversation_id)
    )
    return str(name or "?").split()[0]


async def _creditor_name(tx: AsyncConnection, agent: Agent) -> str:
    config = await tx.scalar(select(creditor.c.config).where(creditor.c.id == agent.creditor))
    return Creditor.model_validate(config).name
