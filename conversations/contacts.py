"""Contact points: an address of a person on a channel, and the conversation that it belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import ContactPointId, ConversationId, CreditorKey, DebtorId, new_id
from core.lifecycle import ConversationState
from core.message import Address, Locale
from store.tables.people import contact_point, debtor
from store.tables.talk import conversation

# Web and REST: nobody vouches for who sits there, so being verified ends with idleness.
SESSION_CHANNELS = frozenset({"web", "rest"})
IDLE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class ContactPoint:
    id: ContactPointId
    creditor: CreditorKey
    channel: str
    address: Address
    conversation: ConversationId
    debtor: DebtorId | None  # recognised, or verified
    verified_until: datetime | None
    locale: Locale | None
    opted_out_at: datetime | None
    last_inbound_at: datetime | None

    def verified(self, now: datetime) -> bool:
        return self.debtor is not None and self.verified_until is not None and self.verified_until > now


def contact_of(row: Any) -> ContactPoint:
    """A row of the table as what it means."""
    return ContactPoint(
        row.id,
        row.creditor_id,
        row.channel,
        row.address,
        row.conversation_id,
        row.debtor_id,
        row.verified_until,
        row.locale,
        row.opted_out_at,
        row.last_inbound_at,
    )


# Built once: building them anew for each message costs more than running them.
_FIND = select(contact_point).where(
    contact_point.c.creditor_id == bindparam("creditor"),
    contact_point.c.channel == bindparam("channel"),
    contact_point.c.address == bindparam("address"),
)
# A merge that is under way moves the contact point: what comes in then waits, and lands in the debtor's conversation.
_HELD = _FIND.with_for_update(key_share=True)
_SET = update(contact_point).where(contact_point.c.id == bindparam("point")).returning(contact_point)


async def find(tx: AsyncConnection, creditor: CreditorKey, channel: str, address: Address) -> ContactPoint | None:
    row = (await tx.execute(_FIND, {"creditor": creditor, "channel": channel, "address": address})).first()
    return contact_of(row) if row else None


async def reach(
    tx: AsyncConnection,
    creditor: CreditorKey,
    channel: str,
    address: Address,
    now: datetime,
    locale: Locale | None = None,
) -> ContactPoint:
    """The contact point of this address, made where it is new; a lapsed web session starts afresh."""
    row = (await tx.execute(_HELD, {"creditor": creditor, "channel": channel, "address": address})).first()
    known = contact_of(row) if row else None
    if known is None:
        return await _create(tx, creditor, channel, address, now, locale)
    if channel in SESSION_CHANNELS and known.debtor is not None:
        if known.verified(now):
            assert known.verified_until is not None
            return await _set(tx, known.id, verified_until=max(known.verified_until, now + IDLE))
        # Whoever sits at this browser now must not be shown, or write into, the last one's conversation.
        fresh = await new_conversation(tx, creditor, now, locale or known.locale)
        return await _set(tx, known.id, conversation_id=fresh, debtor_id=None, verified_until=None)
    return known


async def new_conversation(
    tx: AsyncConnection, creditor: CreditorKey, now: datetime, locale: Locale | None, debtor_id: DebtorId | None = None
) -> ConversationId:
    identifier = ConversationId(new_id())
    await tx.execute(
        insert(conversation).values(
            id=identifier,
            creditor_id=creditor,
            debtor_id=debtor_id,
            state=ConversationState.PENDING,
            locale=locale,
            dialogue=f"{identifier}:1",
            created_at=now,
            updated_at=now,
        )
    )
    return identifier


def telephone(address: str) -> str:
    """The number that an address of WhatsApp or SMS is; another address as it is."""
    return address.removeprefix("whatsapp:")


async def recognised(tx: AsyncConnection, creditor: CreditorKey, address: str) -> list[DebtorId]:
    """Everyone on file with this telephone number: recognition, not proof."""
    number = telephone(address)
    if not number.startswith("+"):
        return []
    query = select(debtor.c.id).where(debtor.c.creditor_id == creditor, debtor.c.phone == number)
    return [DebtorId(identifier) for identifier in (await tx.scalars(query)).all()]


async def keeps_reach(tx: AsyncConnection, talk: ConversationId, now: datetime) -> bool:
    """Whether what we begin in days reaches the conversation's person: a session will have ended by then."""
    lasting = select(contact_point.c.id).where(
        contact_point.c.conversation_id == talk,
        contact_point.c.channel.not_in(SESSION_CHANNELS),
        contact_point.c.opted_out_at.is_(None),
        contact_point.c.verified_until > now,
    )
    return (await tx.scalar(lasting.limit(1))) is not None


async def _create(
    tx: AsyncConnection, creditor: CreditorKey, channel: str, address: Address, now: datetime, locale: Locale | None
) -> ContactPoint:
    # An address that fits several debtors is unrecognised.
    people = await recognised(tx, creditor, address) if channel not in SESSION_CHANNELS else []
    identifier = ContactPointId(new_id())
    await tx.execute(
        insert(contact_point).values(
            id=identifier,
            creditor_id=creditor,
            channel=channel,
            address=address,
            conversation_id=await new_conversation(tx, creditor, now, locale),
            debtor_id=people[0] if len(people) == 1 else None,
            locale=locale,
            created_at=now,
        )
    )
    created = await find(tx, creditor, channel, address)
    assert created is not None
    return created


async def _set(tx: AsyncConnection, identifier: ContactPointId, **values: Any) -> ContactPoint:
    return contact_of((await tx.execute(_SET, {"point": identifier} | values)).one())
