"""Retention: how long each class of what people told us is kept. What is over is erased, in the engine's store too.

Money is not erased here: tax law has invoices and bookings kept for seven years (NL: AWR art. 52).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import CursorResult, and_, case, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.engine import Engine
from core.clock import Clock
from core.errors import BadInput
from core.lifecycle import OutboundState, TurnState
from store.database import Database
from store.tables.bank import bank_decision, bank_line
from store.tables.invoices import invoice_copy, invoice_event
from store.tables.money import claim, direct_debit, iban_change, proof
from store.tables.people import one_time_code, retention, verification_attempt
from store.tables.staff import desk_session
from store.tables.talk import button, conversation, event, inbound, outbound, picture, sent_part, sentence
from store.tables.webhooks import shop_webhook
from store.upsert import upsert

log = structlog.get_logger(__name__)

# Days. A complaint, and the file of a collected claim, must be there for two years (Bki 5.1); a crisis is kept shorter.
DEFAULTS: Mapping[str, int] = {
    "messages": 730,  # words and pictures of conversations, and what was understood
    "care": 365,  # the same, of conversations in which somebody was in danger
    "dialogue": 30,  # the engine's own memory: it only serves to go on
    "claims": 730,  # what people said to have paid, once it is settled or has lapsed
    "ibans": 90,  # other accounts to collect from, as people told them
    "debits": 730,  # direct debits that came back
    "proofs": 90,  # the pictures of it, and of what a person at the desk was shown
    "statements": 400,  # who paid by bank, and with which words: a debit may be reversed for 13 months
    "copies": 30,  # pages of copies, after they are over
    "history": 730,  # when an invoice was sent, viewed and paid
    "attempts": 30,  # wrong answers when verifying, by contact point and network
    "sessions": 7,  # of the desk, after they have ended
    "training": 180,  # what the bot was not sure of, masked, for somebody to judge
    "webhooks": 90,  # what the shop was told, or could not be told
    "events": 30,  # between our own packages, and providers' names of parts: ids only
}
# The engine erases some hundreds at once; what a hundred rounds leave goes the next day.
_ROUNDS = 100
_GONE = (OutboundState.QUEUED, OutboundState.SENDING)


class Retention:
    def __init__(self, db: Database, clock: Clock, engine: Engine) -> None:
        self._db = db
        self._clock = clock
        self._engine = engine

    async def days(self) -> dict[str, int]:
        """Of each class: what was set, else the default."""
        return await days_of(self._db)

    async def run(self) -> None:
        """Erase what is over. Twice is once."""
        kept = {data: self._clock.now() - timedelta(days=days) for data, days in (await self.days()).items()}
        async with self._db.begin() as tx:
            counts = {
                "messages": await _redact(tx, kept["messages"], care=False),
                "care": await _redact(tx, kept["care"], care=True),
                "ibans": await _delete(tx, iban_change, iban_change.c.created_at < kept["ibans"]),
                "debits": await _delete(tx, direct_debit, direct_debit.c.at < kept["debits"]),
                "proofs": await _delete(tx, proof, proof.c.created_at < kept["proofs"])
                + await _delete(tx, picture, picture.c.created_at < kept["proofs"]),
                "claims": await _delete(tx, claim, and_(claim.c.ended_at < kept["claims"], ~_with_proofs())),
                "statements": await _forget_payers(tx, kept["statements"]),
                "copies": await _delete(tx, invoice_copy, invoice_copy.c.expires_at < kept["copies"]),
                "history": await _delete(tx, invoice_event, invoice_event.c.at < kept["history"]),
                "attempts": await _delete(tx, verification_attempt, verification_attempt.c.at < kept["attempts"])
                + await _delete(tx, one_time_code, one_time_code.c.created_at < kept["attempts"]),
                "sessions": await _delete(tx, desk_session, desk_session.c.expires_at < kept["sessions"]),
                "training": await _delete(tx, sentence, sentence.c.created_at < kept["training"]),
                "webhooks": await _delete(tx, shop_webhook, shop_webhook.c.ended_at < kept["webhooks"]),
                "events": await _delete(tx, event, event.c.handled_at < kept["events"])
                + await _delete(tx, sent_part, sent_part.c.at < kept["events"]),
            }
        counts["dialogue"] = 0
        for _ in range(_ROUNDS):
            erased = await self._engine.forget(kept["dialogue"])
            counts["dialogue"] += erased
            if not erased:
                break
        log.info("retention.erased", **counts)


async def days_of(db: Database) -> dict[str, int]:
    async with db.read() as tx:
        rows = await tx.execute(select(retention))
        return {**DEFAULTS, **{row.data: row.days for row in rows if row.data in DEFAULTS}}


async def keep(db: Database, data: str, days: int) -> None:
    """Set how long a class is kept. Raises BadInput for a class that there is none of."""
    if data not in DEFAULTS:
        raise BadInput(f"there is no class “{data}”: choose of {', '.join(DEFAULTS)}")
    if days < 1:
        raise BadInput("keep it for at least one day")
    async with db.begin() as tx:
        await upsert(tx, retention, ("data",), data=data, days=days)


async def _redact(tx: AsyncConnection, before: datetime, *, care: bool) -> int:
    """Empty the messages from before this moment; that there were messages, and when, stays."""
    ours = select(conversation.c.id).where(conversation.c.care.is_(care))
    heard = await tx.execute(
        update(inbound)
        .where(
            inbound.c.received_at < before,
            inbound.c.state == TurnState.DONE,
            inbound.c.conversation_id.in_(ours),
            or_(inbound.c.text != "", inbound.c.intent.is_not(None)),
        )
        .values(text="", media=[], flags={}, parse=None, intent=None, care=None)
    )
    old = and_(outbound.c.created_at < before, outbound.c.state.not_in(_GONE), outbound.c.conversation_id.in_(ours))
    await tx.execute(delete(button).where(button.c.outbound_id.in_(select(outbound.c.id).where(old))))
    typed = outbound.c.key == "agent.text"  # an agent's words are arguments, also where nothing was rendered
    said = await tx.execute(
        update(outbound)
        .where(old, or_(outbound.c.rendered.is_not(None), typed))
        .values(
            args={},
            options=[],
            rendered=None,
            key=case((typed, "agent.erased"), else_=outbound.c.key),
        )
    )
    await tx.execute(
        update(conversation)
        .where(conversation.c.updated_at < before, conversation.c.care.is_(care))
        .values(summary=None, dialogue_slots={})
    )
    return heard.rowcount + said.rowcount


def _with_proofs() -> Any:
    return exists().where(proof.c.claim_id == claim.c.id)


async def _forget_payers(tx: AsyncConnection, before: datetime) -> int:
    """Empty the lines of bank statements from before this moment; amounts, days and the bank's references stay."""
    old = and_(bank_line.c.created_at < before, bank_line.c.content != "")
    lines = select(bank_line.c.id).where(old)
    await tx.execute(update(bank_decision).where(bank_decision.c.line_id.in_(lines)).values(note=None))
    emptied = {"content": "", "text": "", "name": None, "iban": None, "reference": None, "end_to_end": None}
    result: CursorResult[Any] = await tx.execute(update(bank_line).where(old).values(**emptied))
    return result.rowcount


async def _delete(tx: AsyncConnection, table: Any, where: Any) -> int:
    result: CursorResult[Any] = await tx.execute(delete(table).where(where))
    return result.rowcount
