"""Opting out: no reminders on that channel, no marketing anywhere. Who writes still gets answers."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import contact_of
from conversations.context import message_of
from conversations.outbox import opt_in_contact, opt_out_contact
from core.clock import Clock
from core.ids import ContactPointId, TurnId
from store.database import Database
from store.tables.people import contact_point, debtor

# What providers count as opting out and in again (Twilio's list and the local words), when it is all that is written.
OUT_WORDS = frozenset(
    {
        *("stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"),
        *("afmelden", "uitschrijven", "arrêt", "arret", "stopp", "abmelden"),
    }
)
IN_WORDS = frozenset(["start", "unstop", "yes"])


class OptOuts:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def out(self, turn: TurnId) -> None:
        """Stop for the contact point that this turn came from."""
        async with self._db.begin() as tx:
            message = await message_of(tx, turn)
            await opt_out_contact(tx, message.contact_point_id, self._clock.now())
            await self._consent(tx, message.contact_point_id, False)

    async def back(self, turn: TurnId) -> None:
        """The person asks for our messages again; consent to offers counts for a verified person alone."""
        async with self._db.begin() as tx:
            message = await message_of(tx, turn)
            await opt_in_contact(tx, message.contact_point_id)
            await self._consent(tx, message.contact_point_id, True)

    async def _consent(self, tx: AsyncConnection, contact: ContactPointId, wanted: bool) -> None:
        now = self._clock.now()
        point = contact_of((await tx.execute(contact_point.select().where(contact_point.c.id == contact))).one())
        if point.debtor is None or (wanted and not point.verified(now)):
            return
        await tx.execute(
            update(debtor)
            .where(debtor.c.id == point.debtor)
            .values(marketing_consent=wanted, marketing_consent_at=now, updated_at=now)
        )
