"""One conversation as an agent reads it: who said what, what was understood, what holds, and who this is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import contact_of
from conversations.desking import readable
from core.agent import Agent
from core.clock import Clock
from core.errors import NotFound
from core.hold import Reason
from core.ids import AgentId, ConversationId, DebtorId
from core.lifecycle import ConversationState, OutboundState
from store.audit import record
from store.database import Database
from store.tables.money import invoice
from store.tables.people import contact_point, debtor, hold
from store.tables.staff import agent as staff
from store.tables.talk import inbound, outbound, picture

# Messages of each side that a page shows: more is seldom read, and costs every refresh.
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. `text` is None while it has not been rendered."""

    id: str
    at: datetime
    author: str  # person, bot, agent, system
    channel: str
    text: str | None
    name: str | None = None  # of the agent
    choices: Sequence[str] = ()
    pictures: Sequence[str] = ()  # ids of those that are kept
    more: bool = False  # something came with it that is not kept
    intent: str | None = None
    readings: Sequence[str] = ()  # in doubt: what it may have meant
    care: Reason | None = None
    tapped: bool = False
    flags: Sequence[str] = ()
    state: OutboundState | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HoldSeen:
    id: str
    reason: Reason
    since: datetime
    by_agent: bool
    lifted_at: datetime | None
    invoice: str | None  # where it holds one alone


_NO_WISH = frozenset({"inform", "affirm", "deny", "cancel", "greet", "goodbye", "thank", "out_of_scope"})
_LATEST_WISHES = 5


@dataclass(frozen=True, slots=True)
class Customer:
    id: DebtorId
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Transcript:
    id: ConversationId
    state: ConversationState
    agent_id: AgentId | None
    agent_name: str | None
    reason: Reason | None
    summary: Mapping[str, Any]
    occasion: str | None  # the person's words that brought a human in
    wishes: Sequence[str]  # what the person wanted in this conversation, oldest first
    opened_at: datetime | None
    channel: str | None
    locale: str | None
    verified: bool
    customer: Customer | None  # recognised, or verified
    holds: Sequence[HoldSeen]
    entries: Sequence[Entry]
    cut: bool  # there are older messages
    merged_into: ConversationId | None


class Transcripts:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def check(self, conversation_id: ConversationId, agent: Agent) -> None:
        """Raises NotFound or NotAllowed unless the agent may read it."""
        async with self._db.read() as tx:
            await readable(tx, conversation_id, agent)

    async def opened(self, conversation_id: ConversationId, agent: Agent) -> None:
        """Note that the agent has read it: people may ask who saw their messages."""
        async with self._db.begin() as tx:
            await record(tx, agent, "read", conversation_id, self._clock.now())

    async def looked(self, key: str, agent: Agent) -> None:
        """Note that the agent has looked at a picture."""
        async with self._db.begin() as tx:
            await record(tx, agent, "look", key, self._clock.now())

    async def picture(self, conversation_id: ConversationId, key: str, agent: Agent) -> tuple[str, bytes]:
        """A picture of this conversation: its type and content. Raises NotFound, NotAllowed as for the conversation."""
        async with self._db.read() as tx:
            await readable(tx, conversation_id, agent)
            query = (
                select(picture.c.media_type, picture.c.content)
                .join(inbound, inbound.c.id == picture.c.turn_id)
                .where(picture.c.id == key, inbound.c.conversation_id == conversation_id)
            )
            row = (await tx.execute(query.where(picture.c.media_type.is_not(None)))).first()
        if row is None:
            raise NotFound("there is no such picture")
        return row.media_type, row.content

    async def of(self, conversation_id: ConversationId, agent: Agent) -> Transcript:
        """Raises NotFound for another creditor's conversation, NotAllowed where the role may not read it."""
        async with self._db.read() as tx:
            talk = await readable(tx, conversation_id, agent)
            point = (await tx.execute(select(contact_point).where(contact_point.c.id == talk.contact_point_id))).first()
            contact = contact_of(point) if point else None
            who = talk.debtor_id or (contact.debtor if contact else None)
            entries, cut = await _entries(tx, conversation_id)
            return Transcript(
                id=conversation_id,
                state=ConversationState(talk.state),
                agent_id=talk.agent_id,
                agent_name=await tx.scalar(select(staff.c.name).where(staff.c.id == talk.agent_id)),
                reason=Reason(talk.reason) if talk.reason else None,
                summary=talk.summary or {},
                occasion=await _text(tx, (talk.summary or {}).get("turn")),
                wishes=_wishes(entries),
                opened_at=talk.opened_at,
                channel=contact.channel if contact else None,
                locale=talk.locale,
                verified=contact is not None and contact.verified(self._clock.now()),
                customer=await _customer(tx, who),
                holds=await _holds(tx, conversation_id, who),
                entries=entries,
                cut=cut,
                merged_into=talk.merged_into,
            )


async def _text(tx: AsyncConnection, turn: str | None) -> str | None:
    return await tx.scalar(select(inbound.c.text).where(inbound.c.id == turn)) or None


def _wishes(entries: Sequence[Entry]) -> list[str]:
    """The different intents of the last messages; answers to our own questions are none."""
    named = [entry.intent for entry in entries if entry.intent and entry.intent not in _NO_WISH]
    return list(dict.fromkeys(named))[-_LATEST_WISHES:]


async def _customer(tx: AsyncConnection, who: DebtorId | None) -> Customer | None:
    row = (await tx.execute(select(debtor).where(debtor.c.id == who))).first()
    return Customer(row.id, row.name, row.customer_number) if row else None


async def _holds(tx: AsyncConnection, conversation_id: ConversationId, who: DebtorId | None) -> list[HoldSeen]:
    own = hold.c.conversation_id == conversation_id
    query = (
        select(hold, invoice.c.number.label("invoice"))
        .outerjoin(invoice, invoice.c.id == hold.c.invoice_id)
        .where(or_(own, hold.c.debtor_id == who) if who else own)
        .order_by(hold.c.since.desc())
    )
    return [
        HoldSeen(row.id, Reason(row.reason), row.since, row.by.startswith("agent:"), row.lifted_at, row.invoice)
        for row in await tx.execute(query)
    ]


async def _entries(tx: AsyncConnection, conversation_id: ConversationId) -> tuple[list[Entry], bool]:
    heard = select(inbound).where(inbound.c.conversation_id == conversation_id)
    said = (
        select(outbound, contact_point.c.channel, staff.c.name.label("agent_name"))
        .join(contact_point, contact_point.c.id == outbound.c.contact_point_id)
        .outerjoin(staff, staff.c.id == outbound.c.agent_id)
        .where(outbound.c.conversation_id == conversation_id)
    )
    ins = (await tx.execute(heard.order_by(inbound.c.seq.desc()).limit(LONGEST + 1))).all()
    outs = (await tx.execute(said.order_by(outbound.c.seq.desc()).limit(LONGEST + 1))).all()
    kept = await _pictures(tx, [row.id for row in ins if row.media])
    entries = [
        *(_heard(row, kept.get(row.id, ())) for row in reversed(ins[:LONGEST])),
        *(_said(row) for row in reversed(outs[:LONGEST])),
    ]
    # Sorting is stable: of one moment, what was asked stands before what was answered.
    entries.sort(key=lambda entry: entry.at)
    return entries[-LONGEST:], len(entries) > LONGEST or len(ins) > LONGEST or len(outs) > LONGEST


async def _pictures(tx: AsyncConnection, turns: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Turn → the ids of the pictures that came with it."""
    kept: dict[str, list[str]] = {}
    query = select(picture.c.turn_id, picture.c.id).where(
        picture.c.turn_id.in_(turns), picture.c.media_type.is_not(None)
    )
    for turn, key in (await tx.execute(query.order_by(picture.c.turn_id, picture.c.number))).all() if turns else ():
        kept.setdefault(turn, []).append(key)
    return kept


def _heard(row: Row[Any], kept: Sequence[str]) -> Entry:
    return Entry(
        id=row.id,
        at=row.received_at,
        author="person",
        channel=row.channel,
        text=row.text,
        pictures=kept,
        more=len(row.media) > len(kept),
        intent=row.intent,
        readings=(row.parse or {}).get("readings", ()),
        care=Reason(row.care) if row.care else None,
        tapped=bool((row.parse or {}).get("tapped")),
        flags=[flag for flag in ("opt_out", "opt_in", "cut") if row.flags.get(flag)],
    )


def _said(row: Row[Any]) -> Entry:
    parts = row.rendered or []
    typed = row.args.get("text") if row.key == "agent.text" else None
    return Entry(
        id=row.id,
        at=row.created_at,
        author=row.author,
        channel=row.channel,
        text="\n\n".join(part["text"] for part in parts) if parts else typed,
        name=row.agent_name,
        choices=[choice["title"] for part in parts for choice in part["choices"]],
        state=OutboundState(row.state),
        error=row.error,
    )
