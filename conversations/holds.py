"""Holds: from now on nothing of ours presses this person. Only a person lifts one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import recognised
from core.hold import HOLDS, Reason
from core.ids import ConversationId, DebtorId, new_id
from store.database import Database
from store.tables.people import contact_point, hold
from store.tables.talk import conversation
from store.upsert import insert_once


async def place(
    tx: AsyncConnection, message: Row[Any], reason: Reason, now: datetime, *, suspected: bool = False
) -> None:
    """Put the hold that `reason` calls for on the message's conversation; stopping needs no proof.

    It covers everyone recognised by the address, for the person may be any of them. `suspected`: not what the message
    says, but what may be meant beside it; where that is said later, or was before, it is one hold.
    """
    if reason not in HOLDS:
        return
    same = (hold.c.conversation_id == message.conversation_id, hold.c.reason == reason, hold.c.lifted_at.is_(None))
    if suspected and await tx.scalar(select(hold.c.id).where(*same).limit(1)):
        return
    if (
        not suspected
        and (await tx.execute(update(hold).where(*same, hold.c.suspected).values(suspected=False))).rowcount
    ):
        return
    point = (await tx.execute(select(contact_point).where(contact_point.c.id == message.contact_point_id))).one()
    debtors: set[DebtorId | None] = {point.debtor_id} if point.debtor_id else set()
    if not debtors:
        debtors = set(await recognised(tx, message.creditor_id, point.address)) or {None}
    for number, debtor in enumerate(sorted(debtors, key=str)):
        await insert_once(
            tx,
            hold,
            id=new_id(),
            creditor_id=message.creditor_id,
            conversation_id=message.conversation_id,
            debtor_id=debtor,
            reason=reason,
            suspected=suspected,
            by=f"turn:{message.id}:{number}",
            since=now,
        )


async def holding(tx: AsyncConnection, debtor: DebtorId) -> bool:
    """Whether anything holds what we would send to this debtor."""
    return (await tx.scalar(_standing(debtor).limit(1))) is not None


def _standing(debtor: DebtorId) -> Select[tuple[str]]:
    """The reasons of the holds that stand on this debtor, and on conversations that may be theirs."""
    talks = select(conversation.c.id).where(conversation.c.debtor_id == debtor)
    points = select(contact_point.c.conversation_id).where(contact_point.c.debtor_id == debtor)
    return select(hold.c.reason).where(
        hold.c.lifted_at.is_(None),
        or_(hold.c.debtor_id == debtor, hold.c.conversation_id.in_(talks), hold.c.conversation_id.in_(points)),
    )


class Holds:
    """What the bot asks about them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, debtor: DebtorId) -> frozenset[Reason]:
        """Why nothing presses this debtor now, as they have said; empty where nothing holds."""
        said = _standing(debtor).where(~hold.c.suspected)
        async with self._db.read() as tx:
            return frozenset(Reason(row.reason) for row in await tx.execute(said))


async def attach(tx: AsyncConnection, talk: ConversationId, debtor: DebtorId) -> None:
    """On verification the conversation's holds become the debtor's."""
    await tx.execute(
        hold.update().where(hold.c.conversation_id == talk, hold.c.debtor_id.is_(None)).values(debtor_id=debtor)
    )
