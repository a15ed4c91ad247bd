"""A direct debit that came back: said with its reason in plain words, a link, and a way to name another account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.debits import OTHER_ACCOUNT, Debit, Why, record
from billing.links import Links
from conversations import window
from conversations.contacts import ContactPoint, contact_of, new_conversation
from conversations.creditors import Creditors
from conversations.handoff import wait_for_person
from conversations.outbox import Outbox
from core.clock import Clock
from core.errors import BadInput
from core.hold import Reason
from core.ids import ConversationId, DebtorId, new_id
from core.message import Option, Say
from store.database import Database
from store.tables.people import contact_point, hold
from store.tables.talk import conversation
from store.upsert import insert_once
from store.wake import Wake

log = structlog.get_logger(__name__)

ANOTHER = Option("option.other_account", "direct_debit_problem", entities={"debit": "iban"})
HUMAN = Option("option.human", "human")


class DebitNews:
    """Subscriber of failed debits. Each has a cause, so it is kept and said once."""

    def __init__(
        self, db: Database, clock: Clock, wake: Wake, creditors: Creditors, outbox: Outbox, links: Links
    ) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake
        self._creditors = creditors
        self._outbox = outbox
        self._links = links

    async def failed(self, payload: Mapping[str, Any]) -> None:
        now = self._clock.now()
        creditor = await self._creditors.get(payload["creditor_id"])
        async with self._db.begin() as tx:
            debit = await record(tx, payload, now)
            points = await _reachable(tx, debit.debtor, now)
            open_now = [point for point in points if window.takes("debit.failed", point, creditor, now)]
            contact = open_now[0] if open_now and debit.why is not Why.DECEASED else None
            if debit.why is Why.DECEASED:
                await _mourn(tx, debit, now)
            elif points and not open_now:
                # WhatsApp takes nothing without a template now: an agent sees to it.
                summary = {"wish": ANOTHER.intent, "unreached": points[0].channel}
                await wait_for_person(tx, points[0].conversation, Reason.REQUEST, now, summary)
        self._wake.ring("event")
        if contact is None:
            log.info("debit.not_told", debit=debit.id)  # the desk lists it
            return
        try:
            link = await self._links.issue(
                contact.conversation,
                debit.debtor,
                [debit.invoice],
                key=f"debit:{debit.id}:link",
                creditor=creditor,
            )
        except BadInput:  # nothing is open on it any more
            return
        args = {
            "amount": {"money": debit.amount.as_json()},
            "invoice": debit.number,
            "why": {"key": f"debit.why.{debit.why}"},
            "link": {"link": link.id},
        }
        say = Say("debit.failed", args, [ANOTHER, HUMAN] if debit.why in OTHER_ACCOUNT else [HUMAN])
        async with self._db.begin() as tx:
            # Opt-outs, holds and quiet hours: delivery looks at them once more.
            cause = f"debit:{debit.id}"
            await self._outbox.put(tx, contact.conversation, say, cause=cause, proactive=True, contact=contact.id)
        self._outbox.wake()


async def _mourn(tx: AsyncConnection, debit: Debit, now: datetime) -> None:
    """The bank says that its customer has died: nothing more is sent, and a person takes over."""
    home = await tx.scalar(select(conversation.c.id).where(conversation.c.debtor_id == debit.debtor))
    if home is None:  # who never wrote is held all the same, and an agent finds it in the queue
        home = await new_conversation(tx, debit.creditor, now, None, debit.debtor)
    held = await insert_once(
        tx,
        hold,
        id=new_id(),
        creditor_id=debit.creditor,
        conversation_id=home,
        debtor_id=debit.debtor,
        reason=Reason.REPORT_DECEASED,
        by=f"debit:{debit.id}",
        since=now,
    )
    if held:
        await wait_for_person(tx, ConversationId(home), Reason.REPORT_DECEASED, now, {"noted": ["MD07"]})


async def _reachable(tx: AsyncConnection, debtor: DebtorId, now: datetime) -> list[ContactPoint]:
    """The contact points that are verified and have not opted out, the one last written from first."""
    query = select(contact_point).where(
        contact_point.c.debtor_id == debtor,
        contact_point.c.opted_out_at.is_(None),
        contact_point.c.verified_until > now,
    )
    return [contact_of(row) for row in await tx.execute(query.order_by(contact_point.c.last_inbound_at.desc()))]
