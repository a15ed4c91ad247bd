"""The pictures that people send: fetched from the channel that they came by, and kept for an agent's eyes."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Row, select

from billing.claims import Claims
from conversations.outbox import Outbox
from conversations.pictures import Pictures
from core.errors import SendFailed
from core.ids import ConversationId, TurnId
from core.lifecycle import TurnState
from core.message import Channel, Fetches, Say
from core.pictures import MOST
from store.database import Database
from store.tables.talk import inbound

log = structlog.get_logger(__name__)

# Of one message; more than that is no proof.
_MOST_PICTURES = 3
# A turn ends within twenty seconds, with an apology if need be.
_LOOKS, _PAUSE = 200, 0.1


class Proofs:
    """Subscriber of given proofs and of sent pictures.

    Where the provider cannot be asked now, the events' own retries ask again.
    """

    def __init__(
        self, db: Database, outbox: Outbox, claims: Claims, pictures: Pictures, channels: Mapping[str, Channel]
    ) -> None:
        self._db = db
        self._pictures = pictures
        self._outbox = outbox
        self._claims = claims
        self._channels = channels

    async def given(self, payload: Mapping[str, Any]) -> None:
        """With a claim to have paid."""
        turn = TurnId(payload["turn_id"])
        row, pictures = await self._of(turn)
        if not pictures or await self._claims.keep(payload["claim_id"], turn, pictures):
            return
        await self._answered(turn)
        async with self._db.begin() as tx:
            home, say = ConversationId(row.conversation_id), Say("claim.no_picture")
            await self._outbox.put(tx, home, say, cause=f"proof:{turn}", contact=row.contact_point_id)
        self._outbox.wake()

    async def shown(self, payload: Mapping[str, Any]) -> None:
        """To a person, who has the conversation or is awaited."""
        turn = TurnId(payload["turn_id"])
        _, pictures = await self._of(turn)
        await self._pictures.keep(turn, pictures)

    async def _of(self, turn: TurnId) -> tuple[Row[Any], list[bytes]]:
        async with self._db.read() as tx:
            row = (await tx.execute(select(inbound).where(inbound.c.id == turn))).one()
        channel = self._channels[row.channel]
        return row, [await _fetched(channel, row.creditor_id, media) for media in row.media[:_MOST_PICTURES]]

    async def _answered(self, turn: TurnId) -> None:
        """Until the turn has had its answer, or should have: that a picture is none is said after the thanks."""
        state = select(inbound.c.state).where(inbound.c.id == turn)
        for _ in range(_LOOKS):
            async with self._db.read() as tx:
                if await tx.scalar(state) == TurnState.DONE:
                    return
            await asyncio.sleep(_PAUSE)


async def _fetched(channel: Channel, account: str, media: str) -> bytes:
    if not isinstance(channel, Fetches):
        return b""
    try:
        return await channel.fetch(account, media, MOST)
    except SendFailed as failed:
        if failed.retryable:
            raise
        log.warning("proof.not_fetched", channel=channel.name, code=failed.code)
        return b""
