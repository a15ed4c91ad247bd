"""Delivery: a queued message is rendered late, its exact text stored, and only then given to the provider."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, and_, bindparam, exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from conversations.care import URGENT
from conversations.making import Making, message_of_part
from conversations.outbox import sent, undelivered
from core.clock import Clock
from core.errors import SendFailed
from core.ids import ContactPointId, TurnId, new_id
from core.lifecycle import OUTBOUND, OutboundState, sources
from core.message import Channel, Idempotent, Inquires, Rendered
from store.database import Database, changed
from store.tables.people import contact_point
from store.tables.talk import outbound, sent_part
from store.upsert import insert_once
from store.wake import Wake

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
# Seconds before the 2nd, 3rd … try. After the last the message has failed, and somebody sees it.
_BACKOFF = (2, 10, 30, 120, 600, 1800, 3600)
# An answer waits this long for one before it that is tried again; then it goes first.
_PATIENCE = timedelta(seconds=60)
# A provider lists what it has taken with some delay; only then "not found" means that it was not taken.
_SETTLE = timedelta(seconds=60)
_AT_ONCE = 100


def _next() -> ReturningUpdate[Any]:
    """Lease the oldest message that is due and before which nothing waits for the same person."""
    now, soon, until = (bindparam(name, type_=outbound.c.next_at.type) for name in ("due", "soon", "until"))
    earlier = outbound.alias()
    first = (
        select(outbound.c.seq)
        .where(
            outbound.c.state == OutboundState.QUEUED,
            outbound.c.next_at <= now,
            ~exists().where(
                earlier.c.contact_point_id == outbound.c.contact_point_id,
                earlier.c.state.in_([OutboundState.QUEUED, OutboundState.SENDING]),
                earlier.c.seq < outbound.c.seq,
                or_(
                    earlier.c.state == OutboundState.SENDING,
                    # What is urgent waits for nobody's retry. Answers wait a moment for one, to stay in order; what we
                    # start may wait for the morning, and holds up nothing.
                    and_(
                        ~outbound.c.key.startswith(URGENT),
                        or_(earlier.c.next_at <= now, and_(~earlier.c.proactive, earlier.c.next_at <= soon)),
                    ),
                ),
            ),
        )
        .order_by(outbound.c.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(outbound)
        .where(outbound.c.seq == first.scalar_subquery(), outbound.c.state == OutboundState.QUEUED)
        .values(
            state=OutboundState.SENDING,
            lease=bindparam("new_lease"),
            lease_until=until,
            attempts=outbound.c.attempts + 1,
            attempted_at=now,
        )
        .returning(outbound)
    )


# Built once: building them anew for each message costs more than running them.
_NEXT = _next()
_WAITING = (
    select(outbound)
    .where(
        outbound.c.contact_point_id == bindparam("point"),
        outbound.c.state.in_([OutboundState.QUEUED, OutboundState.SENDING]),
    )
    .order_by(outbound.c.seq)
)
_ROW = update(outbound).where(outbound.c.id == bindparam("message"))
_ENDED = {state: _ROW.where(outbound.c.state.in_(sources(OUTBOUND, state))) for state in OutboundState}


class Delivery:
    """A sender. Any number may run; messages to one contact point leave in order."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        wake: Wake,
        making: Making,
        channels: Mapping[str, Channel],
    ) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake
        self._making = making
        self._channels = channels
        # On others an uncertain message stays uncertain: nobody can tell.
        self._settling = [name for name, channel in channels.items() if isinstance(channel, Idempotent | Inquires)]

    async def run_one(self) -> bool:
        """Send the next message; False where none is due."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            row = await self._claim(tx, now)
            if row is None:
                return False
            try:
                channel, parts, fault = *await self._making.made(tx, row, now), None
            except SQLAlchemyError:
                raise
            except Exception as error:
                # The oldest comes first: one that cannot be made must not keep everybody else's waiting.
                log.exception("outbound.not_made", outbound=row.id, key=row.key, error=type(error).__name__)
                channel, parts, fault = "", None, SendFailed(type(error).__name__, retryable=True)
        if fault is not None:
            await self._failed(row, fault)
            return True
        if parts is None:
            self._changed(row)
            return True
        await self._send(row, parts, channel)
        return True

    async def tell(
        self, tx: AsyncConnection, turn: TurnId, contact: ContactPointId, channel: str
    ) -> Sequence[Rendered]:
        """A turn's answers on an open line, in the transaction that queues them.

        Who is on such a line reads it from the store (history, REST): it is sent by being stored. To be given to `show`
        after the commit. Nothing where a provider has to be called, or something earlier waits: then it goes its way.
        """
        now = self._clock.now()
        if not isinstance(self._channels.get(channel), Idempotent):
            return []
        rows = (await tx.execute(_WAITING, {"point": contact})).all()
        if any(row.turn_id != turn for row in rows):
            return []
        told: list[Rendered] = []
        for row in rows:
            ended = {"state": OutboundState.SENT, "attempts": 1, "attempted_at": now, "sent_at": now}
            try:
                _, parts = await self._making.made(tx, row, now, provider_id=row.id, **ended)
            except SQLAlchemyError:
                raise
            except Exception as error:
                log.exception("outbound.not_made", outbound=row.id, key=row.key, error=type(error).__name__)
                break
            if parts is not None:
                await sent(tx, row, now)
            told += [message_of_part(part) for part in parts or ()]
        return told

    async def show(self, told: Sequence[Rendered], channel: str) -> None:
        """Who looks at the line at this moment sees it at once; everybody else with the next look."""
        for message in told:
            try:
                await self._channels[channel].send(message)
            except Exception as error:
                log.exception("outbound.not_shown", outbound=message.id, error=type(error).__name__)

    async def settle(self) -> None:
        """Find out about messages whose sending was cut short: by inquiry, by sending again where that is harmless."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            # A sender died in the middle. Nothing is sent before its text is stored.
            died = (outbound.c.state == OutboundState.SENDING) & (outbound.c.lease_until < now)
            unmade = update(outbound).where(died, outbound.c.rendered.is_(None))
            await tx.execute(unmade.values(state=OutboundState.QUEUED, lease=None, lease_until=None))
            await tx.execute(update(outbound).where(died).values(state=OutboundState.UNKNOWN, lease=None))
            rows = (
                await tx.execute(
                    select(outbound, contact_point.c.channel)
                    .join(contact_point, contact_point.c.id == outbound.c.contact_point_id)
                    .where(
                        outbound.c.state == OutboundState.UNKNOWN,
                        contact_point.c.channel.in_(self._settling),
                        # An approved template's text is the provider's: not to be found by ours is no proof.
                        outbound.c.rendered[0]["template"].as_string().is_(None),
                    )
                    .order_by(outbound.c.seq)
                    .limit(_AT_ONCE)
                )
            ).all()
        for row in rows:
            channel = self._channels[row.channel]
            if isinstance(channel, Idempotent):
                await self._finish(row, OutboundState.QUEUED, next_at=now)
            elif isinstance(channel, Inquires) and now - row.attempted_at > _SETTLE:
                await self._inquire(channel, row)

    async def free(self) -> None:
        """On start, where this process is the only sender (SQLite): whoever was sending has died."""
        async with self._db.begin() as tx:
            await tx.execute(
                update(outbound)
                .where(outbound.c.state == OutboundState.SENDING)
                .values(lease_until=self._clock.now() - timedelta(seconds=1))
            )

    async def _inquire(self, channel: Inquires, row: Row[Any]) -> None:
        part = row.rendered[row.parts_sent]
        try:
            found = await channel.find(message_of_part(part), row.attempted_at - timedelta(seconds=5))
        except SendFailed as error:
            log.warning("outbound.inquiry_failed", outbound=row.id, code=error.code)
            return
        if found is None:
            await self._finish(row, OutboundState.QUEUED, next_at=self._clock.now())
        elif found.state is OutboundState.FAILED:
            # The receipt that said so came before anybody knew whose it was.
            why = {"provider_id": found.provider_id, "error": found.code or found.state}
            await self._finish(row, OutboundState.FAILED, **why)
        elif row.parts_sent + 1 < len(row.rendered):
            await self._progress(row, row.parts_sent + 1, found.provider_id)
            await self._finish(row, OutboundState.QUEUED, next_at=self._clock.now(), parts_sent=row.parts_sent + 1)
        else:
            await self._sent(row, row.parts_sent + 1, found.provider_id)

    async def _claim(self, tx: AsyncConnection, now: datetime) -> Row[Any] | None:
        lease = {"due": now, "soon": now + _PATIENCE, "until": now + LEASE, "new_lease": new_id()}
        claimed: Row[Any] | None = (await tx.execute(_NEXT, lease)).first()
        return claimed

    async def _send(self, row: Row[Any], parts: Sequence[Mapping[str, Any]], channel_name: str) -> None:
        sent = row.parts_sent
        channel = self._channels[channel_name]
        try:
            while sent < len(parts):
                provider_id = await channel.send(message_of_part(parts[sent]))
                sent += 1
                if sent < len(parts):
                    await self._progress(row, sent, provider_id)
        except SendFailed as error:
            await self._failed(row, error)
        except SQLAlchemyError:
            raise
        except Exception as error:
            # A fault of our own, at a place nobody knows: the message may have left.
            log.exception("outbound.send_fault", outbound=row.id, error=type(error).__name__)
            again = isinstance(channel, Idempotent)
            await self._failed(row, SendFailed(type(error).__name__, retryable=again, uncertain=not again))
        else:
            await self._sent(row, sent, provider_id)

    async def _progress(self, row: Row[Any], sent: int, provider_id: str) -> None:
        async with self._db.begin() as tx:
            part = {"outbound_id": row.id, "number": sent, "provider_id": provider_id, "at": self._clock.now()}
            await insert_once(tx, sent_part, **part)
            await tx.execute(update(outbound).where(outbound.c.id == row.id).values(parts_sent=sent))

    async def _sent(self, row: Row[Any], parts_sent: int, provider_id: str) -> None:
        await self._finish(
            row,
            OutboundState.SENT,
            parts_sent=parts_sent,
            provider_id=provider_id,
            sent_at=self._clock.now(),
            error=None,
        )

    async def _failed(self, row: Row[Any], error: SendFailed) -> None:
        log.warning("outbound.send_failed", outbound=row.id, code=error.code, attempt=row.attempts)
        now = self._clock.now()
        if error.uncertain:
            await self._finish(row, OutboundState.UNKNOWN, error=error.code)
        elif error.retryable and row.attempts <= len(_BACKOFF):
            pause = max(_BACKOFF[row.attempts - 1], error.retry_after or 0)
            await self._finish(row, OutboundState.QUEUED, next_at=now + timedelta(seconds=pause), error=error.code)
        else:
            await self._finish(row, OutboundState.FAILED, error=error.code)

    async def _finish(self, row: Row[Any], state: OutboundState, **values: Any) -> None:
        """Record how it ended; a receipt may have been faster, and then knows better.

        That it was sent is true whoever says so; anything else only while no later try is under way.
        """
        now = self._clock.now()
        async with self._db.begin() as tx:
            free = {"state": state, "lease": None, "lease_until": None}
            ended = _ENDED[state]
            if state is not OutboundState.SENT:
                ended = ended.where(outbound.c.attempts == row.attempts)
            done = await tx.execute(ended, {"message": row.id} | free | values)
            if done.rowcount == 0 and "provider_id" in values:
                await tx.execute(_ROW, {"message": row.id, "provider_id": values["provider_id"]})
            if state is OutboundState.SENT:
                await sent(tx, row, now)
            if state is OutboundState.FAILED and done.rowcount:
                await undelivered(tx, row, str(values.get("error")), now)
            changed(tx, row.conversation_id)
        self._changed(row)
        if state is OutboundState.QUEUED:
            self._wake.ring("outbox")

    def _changed(self, row: Row[Any]) -> None:
        """What this message held up is taken next by the sender that finished it."""
        self._wake.ring(f"turn:{row.turn_id}")
