"""Pictures in messages that a person reads: kept as proofs of payment are, for an agent's eyes alone."""

from collections.abc import Sequence

from sqlalchemy import select

from core.clock import Clock
from core.ids import ConversationId, TurnId, new_id
from core.pictures import media_type
from store.database import Database, changed
from store.tables.talk import inbound, picture
from store.upsert import insert_once


class Pictures:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def keep(self, turn: TurnId, contents: Sequence[bytes]) -> None:
        """Store what came with a message, once, where its content is a picture's; of anything else that it came."""
        async with self._db.begin() as tx:
            message = (await tx.execute(select(inbound).where(inbound.c.id == turn))).one()
            for number, content in enumerate(contents):
                known = media_type(content)
                values = {"media_type": known, "content": content if known else None, "created_at": self._clock.now()}
                about = {"creditor_id": message.creditor_id, "turn_id": turn, "number": number}
                await insert_once(tx, picture, id=new_id(), **about, **values)
            changed(tx, ConversationId(message.conversation_id))
