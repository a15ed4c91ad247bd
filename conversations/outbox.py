"""The outbox: what is to be said, stored with its cause, so that doing it twice is doing it once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.handoff import hand_over, wait_for_person
from core.clock import Clock
from core.hold import Reason
from core.ids import AgentId, ContactPointId, ConversationId, OutboundId, TurnId, new_id, new_secret
from core.lifecycle import OUTBOUND, OutboundState, sources
from core.message import Option, Receipt, Say, links_in
from store.database import Database, changed
from store.events import MESSAGE_SENT, emit
from store.tables.people import contact_point, debtor
from store.tables.talk import button, conversation, inbound, outbound, sent_part
from store.upsert import insert_once
from store.wake import Wake

# A button from an old message does what it said, or says that it expired.
BUTTON_LIFE = timedelta(days=30)
# Later it is old news: who asks is told how things stand.
KEPT = timedelta(days=7)

# Causes of what is offered again.
_AGAIN = "again:"

# Built once: building it anew for each message costs more than running it.
_BUTTONS = insert(button)
_HOME = select(conversation.c.creditor_id, conversation.c.contact_point_id).where(conversation.c.id == bindparam("id"))


class Outbox:
    def __init__(self, db: Database, clock: Clock, wake: Wake) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake

    async def put(
        self,
        tx: AsyncConnection,
        conversation_id: ConversationId,
        say: Say,
        *,
        cause: str,
        author: str = "bot",
        turn: TurnId | None = None,
        agent: AgentId | None = None,
        proactive: bool = False,
        contact: ContactPointId | None = None,
        home: Row[Any] | None = None,
    ) -> OutboundId | None:
        """Queue a message in the caller's transaction; None where `cause` has queued it before.

        It goes to `contact`, else to where the person last wrote from. `home`: the conversation's row, from whoever
        has it. Call `wake()` after the commit.
        """
        return await queue(
            tx,
            conversation_id,
            say,
            self._clock.now(),
            cause=cause,
            author=author,
            turn=turn,
            agent=agent,
            proactive=proactive,
            contact=contact,
            home=home,
        )

    async def put_all(
        self, tx: AsyncConnection, conversation_id: ConversationId, says: Iterable[Say], *, cause: str, **how: Any
    ) -> None:
        """Several messages of one cause, in order."""
        for number, say in enumerate(says):
            await self.put(tx, conversation_id, say, cause=f"{cause}:{number}", **how)

    async def offer_again(self, tx: AsyncConnection, talk: ConversationId, contact: ContactPointId) -> None:
        """What may not have arrived, on a channel that can never tell, is offered with the person's next message."""
        lost = (
            await tx.execute(
                select(outbound)
                .where(
                    # Two customers may share an address, one after the other: each hears their own again.
                    outbound.c.conversation_id == talk,
                    outbound.c.contact_point_id == contact,
                    outbound.c.state == OutboundState.UNKNOWN,
                    outbound.c.proactive.is_(False),
                    outbound.c.created_at > self._clock.now() - KEPT,
                )
                .order_by(outbound.c.seq)
            )
        ).all()
        for row in lost:
            again = {"author": row.author, "agent": row.agent_id, "contact": contact}
            if await self.put(tx, talk, Say("notice.again"), cause=f"{_AGAIN}{row.id}:notice", contact=contact):
                options = [Option.from_json(option) for option in row.options]
                await self.put(tx, talk, Say(row.key, row.args, options), cause=f"{_AGAIN}{row.id}", **again)

    def wake(self) -> None:
        self._wake.ring("outbox")

    async def receipt(self, receipt: Receipt) -> None:
        """What the provider says later. Late, doubled and unordered receipts only ever raise a state."""
        now = self._clock.now()
        moment = {OutboundState.DELIVERED: "delivered_at", OutboundState.READ: "read_at"}.get(receipt.state)
        values: dict[str, Any] = {"state": receipt.state, "error": receipt.code or None}
        if moment:
            values[moment] = now
        async with self._db.begin() as tx:
            row = (
                await tx.execute(
                    update(outbound)
                    .where(
                        outbound.c.provider_id == receipt.provider_id,
                        outbound.c.state.in_(sources(OUTBOUND, receipt.state)),
                    )
                    .values(**values)
                    .returning(outbound)
                )
            ).first()
            if row is None and receipt.state is OutboundState.FAILED:
                row = await _part_failed(tx, receipt)
            if row is None:
                return
            if receipt.state is OutboundState.FAILED:
                await undelivered(tx, row, receipt.code, now)
            else:
                await sent(tx, row, now)
            changed(tx, row.conversation_id)


async def queue(
    tx: AsyncConnection,
    conversation_id: ConversationId,
    say: Say,
    now: datetime,
    *,
    cause: str,
    author: str = "bot",
    turn: TurnId | None = None,
    agent: AgentId | None = None,
    proactive: bool = False,
    contact: ContactPointId | None = None,
    home: Row[Any] | None = None,
) -> OutboundId | None:
    """`Outbox.put` in the caller's transaction."""
    at: Any = home or (await tx.execute(_HOME, {"id": conversation_id})).one()
    target = contact or at.contact_point_id
    if target is None:
        raise ValueError("nobody has written in this conversation yet: name a contact point")
    identifier = OutboundId(new_id())
    queued = await insert_once(
        tx,
        outbound,
        id=identifier,
        creditor_id=at.creditor_id,
        conversation_id=conversation_id,
        contact_point_id=target,
        cause=cause,
        turn_id=turn,
        author=author,
        agent_id=agent,
        key=say.key,
        args=dict(say.args),
        options=[option.as_json() for option in say.options],
        proactive=proactive,
        state=OutboundState.QUEUED,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    if not queued:
        return None
    if say.options:
        await tx.execute(
            _BUTTONS,
            [
                {
                    "id": new_secret(),
                    "conversation_id": conversation_id,
                    "outbound_id": identifier,
                    "position": position,
                    "option": option.as_json(),
                    "expires_at": now + BUTTON_LIFE,
                }
                for position, option in enumerate(say.options, 1)
            ],
        )
    return identifier


async def _part_failed(tx: AsyncConnection, receipt: Receipt) -> Row[Any] | None:
    """The message of which an earlier part did not arrive, whatever became of the last; None where there is none.

    Once a message: what becomes of its other parts is nothing new.
    """
    of = select(sent_part.c.outbound_id).where(sent_part.c.provider_id == receipt.provider_id).scalar_subquery()
    gone = delete(sent_part).where(sent_part.c.outbound_id == of).returning(sent_part.c.outbound_id)
    part = (await tx.execute(gone)).first()
    if part is None:
        return None
    failed = case(
        (outbound.c.state.in_(sources(OUTBOUND, OutboundState.FAILED)), OutboundState.FAILED), else_=outbound.c.state
    )
    changed_row = (
        update(outbound)
        .where(outbound.c.id == part.outbound_id, outbound.c.state != OutboundState.FAILED)
        .values(state=failed, error=receipt.code or "part")
    )
    row: Row[Any] | None = (await tx.execute(changed_row.returning(outbound))).first()
    return row


# Families of messages that bring an invoice to its person.
_WITH_INVOICE = ("reminder.", "invoice_copy.")


async def sent(tx: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """What going out brings about: whoever follows an invoice or a payment link is told. Twice is once to them."""
    if row.key.startswith(_WITH_INVOICE) or links_in(row.args):
        await emit(tx, MESSAGE_SENT, {"outbound_id": row.id}, now)


# Twilio: the recipient has opted out; Telegram: the person has blocked the bot.
OPTED_OUT_CODES = frozenset({"21610", "blocked"})


async def undelivered(tx: AsyncConnection, row: Row[Any], code: str, now: datetime) -> None:
    """What a failure for good brings about: an answer that cannot be delivered is put before a person.

    So is what an agent wrote, news of money, and what was said again: nobody else would notice.
    """
    if code in OPTED_OUT_CODES:
        await opt_out_contact(tx, row.contact_point_id, now)
    if row.turn_id and not row.proactive:
        message = (await tx.execute(select(inbound).where(inbound.c.id == row.turn_id))).one()
        await hand_over(tx, message, Reason.FAULT, now, {"undelivered": row.id})
    elif row.author == "agent" or row.key.startswith("payment.") or row.cause.startswith(_AGAIN):
        # The row may be an old reading: conversations are merged.
        home = (await tx.execute(select(outbound.c.conversation_id).where(outbound.c.id == row.id))).scalar_one()
        await wait_for_person(tx, home, Reason.FAULT, now, {"undelivered": row.id})


async def opt_out_contact(tx: AsyncConnection, contact: ContactPointId, now: datetime) -> None:
    """No reminders on this channel, and no marketing anywhere, whoever told us so."""
    known = select(contact_point.c.debtor_id).where(contact_point.c.id == contact).scalar_subquery()
    await tx.execute(
        update(debtor)
        .where(debtor.c.id == known, debtor.c.marketing_consent)
        .values(marketing_consent=False, marketing_consent_at=now, updated_at=now)
    )
    await tx.execute(
        update(contact_point)
        .where(contact_point.c.id == contact, contact_point.c.opted_out_at.is_(None))
        .values(opted_out_at=now)
    )


async def opt_in_contact(tx: AsyncConnection, contact: ContactPointId) -> None:
    await tx.execute(update(contact_point).where(contact_point.c.id == contact).values(opted_out_at=None))
