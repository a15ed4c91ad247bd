"""How often in a row the bot did not understand."""

from itertools import takewhile

from sqlalchemy import select

from conversations.context import message_of
from core.ids import TurnId
from store.database import Database
from store.tables.talk import inbound, outbound

# No one is asked to repeat themselves more often than this.
_LOOK_BACK = 5
_ANSWERED = "answer.found"  # the shop's own words were sure, whatever was asked


class Misses:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def count(self, turn: TurnId) -> int:
        """This turn and the ones right before it that were not understood either."""
        async with self._db.read() as tx:
            message = await message_of(tx, turn)
            query = (
                select(inbound.c.id, inbound.c.intent)
                .where(inbound.c.conversation_id == message.conversation_id, inbound.c.seq <= message.seq)
                .order_by(inbound.c.seq.desc())
                .limit(_LOOK_BACK)
            )
            turns = (await tx.execute(query)).all()
            answered = set(
                await tx.scalars(
                    select(outbound.c.turn_id).where(
                        outbound.c.turn_id.in_([row.id for row in turns]), outbound.c.key.like(f"{_ANSWERED}%")
                    )
                )
            )
        return sum(1 for _ in takewhile(lambda row: row.intent == "out_of_scope" and row.id not in answered, turns))
