"""Handing a conversation to a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.context import message_of
from conversations.holds import place
from core.clock import Clock
from core.hold import PRIORITY, URGENT, Reason
from core.ids import ConversationId, TurnId
from core.lifecycle import ConversationState
from store.database import Database, changed
from store.events import CARE_DETECTED, CONVERSATION_OPENED, emit
from store.tables.talk import conversation


class Handoffs:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def open(self, turn: TurnId, reason: Reason, **summary: Any) -> None:
        """The conversation waits for a person; where the reason holds, reminders, fees and offers stop."""
        async with self._db.begin() as tx:
            await hand_over(tx, await message_of(tx, turn), reason, self._clock.now(), summary)


async def hand_over(
    tx: AsyncConnection, message: Row[Any], reason: Reason, now: datetime, summary: dict[str, Any] | None = None
) -> None:
    """`Handoffs.open` in the caller's transaction."""
    also = (message.parse or {}).get("also")
    given = {**(summary or {}), "turn": message.id} | ({"also": also["intent"]} if also else {})
    await place(tx, message, reason, (message.parse or {}).get("entities", ()), now)
    await wait_for_person(tx, message.conversation_id, reason, now, given)


async def wait_for_person(
    tx: AsyncConnection, home: ConversationId, reason: Reason, now: datetime, summary: dict[str, Any]
) -> None:
    """The conversation waits for a person. A second reason raises the priority and never lowers it."""
    talk = (await tx.execute(select(conversation).where(conversation.c.id == home).with_for_update())).one()
    waiting = talk.state == ConversationState.OPEN
    graver = not waiting or PRIORITY[reason] >= talk.priority
    values: dict[str, Any] = {
        "state": ConversationState.OPEN,
        "summary": {**((talk.summary or {}) if waiting else {}), **summary},
        "updated_at": now,
    }
    if graver:
        values |= {"reason": reason, "priority": PRIORITY[reason]}
    if not waiting:
        values |= {"opened_at": now, "agent_id": None}
    if reason in URGENT:
        values["care"] = True
    await tx.execute(update(conversation).where(conversation.c.id == talk.id).values(**values))
    if not waiting:
        await emit(tx, CONVERSATION_OPENED, {"conversation_id": talk.id, "reason": reason}, now)
    changed(tx, talk.id)


async def note(tx: AsyncConnection, home: ConversationId, facts: dict[str, Any], now: datetime) -> None:
    """More for whoever takes the conversation that waits."""
    talk = (await tx.execute(select(conversation).where(conversation.c.id == home).with_for_update())).one()
    values = {"summary": {**(talk.summary or {}), **facts}, "updated_at": now}
    await tx.execute(update(conversation).where(conversation.c.id == home).values(**values))


async def watch(
    tx: AsyncConnection,
    message: Row[Any],
    reason: Reason,
    said: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    suspected: bool,
) -> None:
    """Care heard in a message, whoever has the conversation: the hold at once, and whoever is to be woken.

    `said`: the message's values; `suspected`: beside a wish that the bot answers; then a person looks whether it is so,
    for nobody else would.
    """
    await place(tx, message, reason, said, now, suspected=suspected)
    if suspected:
        facts = {"suspected": reason, "turn": message.id}
        await wait_for_person(tx, message.conversation_id, Reason.SUSPECTED, now, facts)
    await emit(
        tx, CARE_DETECTED, {"conversation_id": message.conversation_id, "turn_id": message.id, "reason": reason}, now
    )
