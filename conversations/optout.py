"""Opting out: no reminders on that channel, no marketing anywhere. Who writes still gets answers."""

from sqlalchemy import update

from conversations.contacts import contact_of
from conversations.context import message_of
from conversations.outbox import opt_in_contact, opt_out_contact
from core.clock import Clock
from core.ids import TurnId
from store.database import Database
from store.tables.people import contact_point, debtor

# What providers count as opting out and in again (Twilio's list and the local words), when it is all that is written.
OUT_WORDS = frozenset(
    {
        *("stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"),
        *("afmelden", "uitschrijven", "arrêt", "arret", "stopp", "abmelden"),
    }
)
# Not "yes", which answers a question: a provider that takes it for opting in says so itself.
IN_WORDS = frozenset(["start", "unstop"])


def lone_word(text: str) -> str:
    """What is written, where it may be a keyword."""
    return text.strip().strip(".!").casefold()


class OptOuts:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def out(self, turn: TurnId) -> None:
        """Stop for the contact point that this turn came from."""
        async with self._db.begin() as tx:
            message = await message_of(tx, turn)
            await opt_out_contact(tx, message.contact_point_id, self._clock.now())

    async def wrong_person(self, turn: TurnId) -> None:
        """Stop there, and trust nothing that was once shown there: whoever writes now is somebody else."""
        async with self._db.begin() as tx:
            message = await message_of(tx, turn)
            await opt_out_contact(tx, message.contact_point_id, self._clock.now())
            of_point = update(contact_point).where(contact_point.c.id == message.contact_point_id)
            await tx.execute(of_point.values(verified_until=None, confirmed_until=None))

    async def back(self, turn: TurnId) -> bool:
        """The person asks for our messages again; whether they get offers too: in words of their own, and verified.
        A keyword lifts the opt-out of its channel and says no more."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            message = await message_of(tx, turn)
            await opt_in_contact(tx, message.contact_point_id)
            query = contact_point.select().where(contact_point.c.id == message.contact_point_id)
            point = contact_of((await tx.execute(query)).one())
            offers = point.verified(now) and lone_word(message.text) not in IN_WORDS
            if offers:
                await tx.execute(
                    update(debtor)
                    .where(debtor.c.id == point.debtor)
                    .values(marketing_consent=True, marketing_consent_at=now, updated_at=now)
                )
        return offers
