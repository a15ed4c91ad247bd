"""The inbox: each message is stored once, before anything is thought about it."""

import asyncio

import structlog
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from conversations.contacts import reach
from core.clock import Clock
from core.ids import CreditorKey, TurnId, new_id
from core.lifecycle import TurnState
from core.message import MAX_TEXT, Inbound
from store.database import Database
from store.tables.people import contact_point
from store.tables.talk import conversation, inbound
from store.wake import Wake

log = structlog.get_logger(__name__)

# A database that restarts is waited for, in seconds: Twilio gives up after 15, and tells nothing a second time.
AWAY = 8.0
_PAUSE = 0.25

# Built once: building them anew for each message costs more than running them.
_SEEN = select(inbound.c.id).where(
    inbound.c.creditor_id == bindparam("creditor"),
    inbound.c.channel == bindparam("channel"),
    inbound.c.external_id == bindparam("external_id"),
)
_INSERT = insert(inbound)
_WROTE = update(contact_point).where(contact_point.c.id == bindparam("point"))
_WRITTEN_FROM = update(conversation).where(conversation.c.id == bindparam("talk"))


class Inbox:
    def __init__(self, db: Database, clock: Clock, wake: Wake) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake

    async def receive(self, creditor: CreditorKey, message: Inbound) -> TurnId | None:
        """Store the message and wake a worker; None where the provider has told it before."""
        try:
            turn = await self._patiently(creditor, message)
        except IntegrityError:
            # Two at once: the same message, or the first two of a new address. The winner is committed by now.
            turn = await self._patiently(creditor, message)
        if turn:
            self._wake.ring("inbox")
        return turn

    async def turn_of(self, creditor: CreditorKey, channel: str, external_id: str) -> TurnId | None:
        """The turn of a message that is stored already."""
        async with self._db.read() as tx:
            return await tx.scalar(_SEEN, {"creditor": creditor, "channel": channel, "external_id": external_id})

    async def _patiently(self, creditor: CreditorKey, message: Inbound) -> TurnId | None:
        """`_store`, tried again while the database is away."""
        loop = asyncio.get_running_loop()
        pause, latest = _PAUSE, loop.time() + AWAY
        while True:
            try:
                return await self._store(creditor, message)
            except (OperationalError, InterfaceError) as error:
                if loop.time() + pause > latest:
                    raise
                log.warning("inbound.not_stored", channel=message.channel, error=type(error).__name__)
            await asyncio.sleep(pause)
            pause *= 2

    async def _store(self, creditor: CreditorKey, message: Inbound) -> TurnId | None:
        now = self._clock.now()
        async with self._db.begin() as tx:
            told = {"creditor": creditor, "channel": message.channel, "external_id": message.external_id}
            if (await tx.scalar(_SEEN, told)) is not None:
                return None
            contact = await reach(tx, creditor, message.channel, message.address, now, message.locale)
            turn = TurnId(new_id())
            text = message.text.replace("\x00", "")
            flags = {
                "opt_out": message.opt_out,
                "opt_in": message.opt_in,
                "cut": len(text) > MAX_TEXT,
                "start": message.start is not None,
                "remote": message.profile.get("remote"),
            }
            await tx.execute(
                _INSERT,
                {
                    "id": turn,
                    "creditor_id": creditor,
                    "channel": message.channel,
                    "external_id": message.external_id,
                    "conversation_id": contact.conversation,
                    "contact_point_id": contact.id,
                    "text": _storable(text[:MAX_TEXT]),
                    "button_id": message.button[:64] if message.button else None,
                    "media": list(message.media),
                    "flags": {name: value for name, value in flags.items() if value},
                    "received_at": now,
                    "state": TurnState.RECEIVED,
                },
            )
            await tx.execute(_WROTE, {"point": contact.id, "last_inbound_at": now})
            here = {"contact_point_id": contact.id, "updated_at": now}
            await tx.execute(_WRITTEN_FROM, {"talk": contact.conversation} | here)
        return turn


def _storable(text: str) -> str:
    """Without what no database takes: lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")
