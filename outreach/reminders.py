"""Reminders of an invoice that is about to be due, to contact points that their person has verified."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.promises import pausing
from conversations import window
from conversations.contacts import ContactPoint, contact_of
from conversations.creditors import Creditors
from conversations.holds import holding
from conversations.outbox import Outbox
from core.clock import Clock
from core.creditor import Creditor, Reminder
from core.message import Option, Say
from outreach.quiet import may_approach
from store.database import Database
from store.tables.money import invoice, posting
from store.tables.people import contact_point
from store.tables.talk import outbound

log = structlog.get_logger(__name__)

_UPCOMING = "reminder.upcoming"
# A long weekend with holidays.
_MADE_UP = timedelta(days=4)


class Reminders:
    """Run as often as you like: each reminder of an invoice is sent once, by its cause."""

    def __init__(self, db: Database, clock: Clock, creditors: Creditors, outbox: Outbox) -> None:
        self._db = db
        self._clock = clock
        self._creditors = creditors
        self._outbox = outbox

    async def run(self) -> int:
        """Queue what is due today; the number of reminders queued."""
        now = self._clock.now()
        queued = 0
        for creditor in await self._creditors.all():
            if not may_approach(creditor, now):
                continue
            for reminder in creditor.reminders:
                # Later steps name costs and terms that only a recorded letter makes true.
                if reminder.days <= 0 and reminder.letter is None:
                    queued += await self._upcoming(creditor, reminder, now)
        if queued:
            self._outbox.wake()
        return queued

    async def _upcoming(self, creditor: Creditor, reminder: Reminder, now: datetime) -> int:
        today = now.astimezone(creditor.zone).date()
        # Days that fell on a Sunday, a holiday or a standstill are made up for, until the due date itself.
        latest = today - timedelta(days=reminder.days)
        queued = 0
        async with self._db.read() as tx:
            invoices = await _open_due(tx, creditor.key, max(today, latest - _MADE_UP), latest, reminder.name)
        for row in invoices:
            async with self._db.begin() as tx:
                # Held, or verified no longer: looked at in the same transaction that queues it.
                if await holding(tx, row.debtor_id, row.id):
                    log.info("reminder.held", invoice=row.id)
                    continue
                if await pausing(tx, row.debtor_id):
                    log.info("reminder.paused", invoice=row.id)
                    continue
                contact = await _reachable(tx, creditor, row.debtor_id, reminder.channels, now)
                if contact is None:
                    continue
                say = Say(
                    _UPCOMING,
                    {
                        "invoice": row.number,
                        "amount": {"money": [int(row.open), row.currency]},
                        "due": {"date": row.due_date.isoformat()},
                    },
                    [Option("button.pay", "pay", entities={"invoice": row.id})],
                )
                cause = f"reminder:{row.id}:{reminder.name}"
                done = await self._outbox.put(
                    tx, contact.conversation, say, cause=cause, author="bot", proactive=True, contact=contact.id
                )
                queued += done is not None
        return queued


async def _open_due(
    tx: AsyncConnection, creditor: str, earliest: date, latest: date, name: str
) -> Sequence[Row[tuple[object, ...]]]:
    still_open = func.sum(posting.c.minor)
    query = (
        select(invoice, still_open.label("open"))
        .join(posting, posting.c.invoice_id == invoice.c.id)
        .where(
            invoice.c.creditor_id == creditor,
            invoice.c.due_date.between(earliest, latest),
            posting.c.account == "receivable",
            ~exists().where(outbound.c.cause == "reminder:" + invoice.c.id + ":" + name),
        )
        .group_by(invoice.c.id)
        .having(still_open > 0)
    )
    return (await tx.execute(query)).all()


async def _reachable(
    tx: AsyncConnection, creditor: Creditor, debtor: str, channels: Sequence[str], now: datetime
) -> ContactPoint | None:
    """The first contact point, in the reminder's order of channels, that is verified and has not opted out."""
    rows = (
        await tx.execute(
            select(contact_point).where(
                contact_point.c.creditor_id == creditor.key,
                contact_point.c.debtor_id == debtor,
                contact_point.c.channel.in_(channels),
                contact_point.c.opted_out_at.is_(None),
                contact_point.c.verified_until > now,
            )
        )
    ).all()
    found = [contact_of(row) for row in rows]
    contacts = [each for each in found if window.takes(_UPCOMING, each, creditor, now)]
    return min(contacts, key=lambda contact: channels.index(contact.channel), default=None)
