"""The training inbox: what the bot was not sure of, and what the person then chose. Nothing trains by itself.

Where a creditor wants it (`training_inbox`), a message and the tap that followed are kept, masked; a lead of the
creditor's says at the desk what it means, or discards it; `effen training export` writes the accepted sentences to a
file, which an engineer reads before anything learns from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.masking import mask
from core.agent import Agent, NotAllowed, Right
from core.clock import Clock
from core.errors import BadInput, NotFound
from core.ids import ContactPointId, CreditorKey, OutboundId, new_id
from store.audit import record
from store.database import Database
from store.tables.people import contact_point, debtor
from store.tables.talk import inbound, outbound, sentence
from store.upsert import insert_once

QUESTION = "talk.unsure"
# What a sentence may be accepted under: the intents of bot/data/nlu.
INTENTS = (
    "ask_balance", "ask_invoice", "request_invoice_copy", "ask_fees", "ask_payment_status", "already_paid",
    "ask_payment_methods", "pay", "pay_part", "request_payment_plan", "pay_later", "direct_debit_problem",
    "reactivate_account", "dispute/not_received", "dispute/returned", "dispute/defective", "dispute/amount",
    "dispute/not_mine", "dispute/cancelled", "hardship", "under_administration", "self_harm", "report_deceased",
    "complaint", "human", "request_callback", "wrong_person", "verify_legitimacy", "ask_product", "ask_order_status",
    "ask_return", "ask_pay_later_terms", "ask_offers", "opt_out", "opt_in", "update_contact", "ask_contact_info",
    "privacy_request", "greet", "goodbye", "thank", "affirm", "deny", "cancel", "help", "bot_challenge",
    "switch_language", "inform", "out_of_scope",
)  # fmt: skip
_PAGE = 100
_LONGEST = 500  # characters: a longer story teaches little, and tells much


@dataclass(frozen=True, slots=True)
class Sentence:
    id: str
    text: str
    language: str | None
    readings: Sequence[str]  # what the bot took it for, likeliest first
    chosen: str  # by the person; out_of_scope: something else
    intent: str | None  # as accepted
    created_at: datetime


class Training:
    """The desk's part, for those who may teach."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def waiting(self, agent: Agent) -> list[Sentence]:
        """What nobody has judged yet, oldest first. Raises NotAllowed."""
        _teaches(agent)
        query = select(sentence).where(sentence.c.creditor_id == agent.creditor, sentence.c.intent.is_(None))
        async with self._db.read() as tx:
            rows = await tx.execute(query.order_by(sentence.c.created_at, sentence.c.id).limit(_PAGE))
            return [_of(row) for row in rows]

    async def accept(self, agent: Agent, identifier: str, intent: str) -> None:
        """Keep it for the export, under this intent. Twice is once. Raises NotAllowed, BadInput, NotFound."""
        _teaches(agent)
        if intent not in INTENTS:
            raise BadInput(f"there is no intent “{intent}”")
        async with self._db.begin() as tx:
            changed = await tx.execute(update(sentence).where(*_own(agent, identifier)).values(intent=intent))
            if not changed.rowcount:
                raise NotFound("there is no such sentence")
            await record(tx, agent, "accept_sentence", identifier, self._clock.now(), {"intent": intent})

    async def discard(self, agent: Agent, identifier: str) -> None:
        """Erase it. Twice is once. Raises NotAllowed."""
        _teaches(agent)
        async with self._db.begin() as tx:
            if (await tx.execute(delete(sentence).where(*_own(agent, identifier)))).rowcount:
                await record(tx, agent, "discard_sentence", identifier, self._clock.now())


async def learn(tx: AsyncConnection, answered: OutboundId, chosen: str, now: datetime) -> None:
    """Keep what was not certain, now that a tap on the message `answered` says what was meant. The first tap counts.

    Messages with care are nobody's example: they are about health, debts and despair.
    """
    asked = (await tx.execute(select(outbound).where(outbound.c.id == answered, outbound.c.key == QUESTION))).first()
    unsure = (await tx.execute(select(inbound).where(inbound.c.id == asked.turn_id))).first() if asked else None
    if unsure is None or unsure.care or not 0 < len(unsure.text) <= _LONGEST:
        return
    known = select(debtor.c.name).join(contact_point, contact_point.c.debtor_id == debtor.c.id)
    names = await tx.scalars(known.where(contact_point.c.id == ContactPointId(unsure.contact_point_id)))
    parse = unsure.parse or {}
    await insert_once(
        tx,
        sentence,
        id=new_id(),
        creditor_id=unsure.creditor_id,
        turn_id=unsure.id,
        text=mask(unsure.text, names.all()),
        language=parse.get("language"),
        readings=parse.get("readings", []),
        chosen=chosen,
        created_at=now,
    )


async def accepted(db: Database, language: str, creditor: CreditorKey | None = None) -> list[Sentence]:
    """The accepted sentences of a language, by intent, oldest first; of every creditor, or of one."""
    query = select(sentence).where(sentence.c.intent.is_not(None), sentence.c.language == language)
    if creditor is not None:
        query = query.where(sentence.c.creditor_id == creditor)
    async with db.read() as tx:
        return [_of(row) for row in await tx.execute(query.order_by(sentence.c.intent, sentence.c.created_at))]


def as_yaml(sentences: Sequence[Sentence]) -> str:
    """Training data as Rasa writes it; brackets would be read as marks of values."""
    lines = ['version: "3.1"', "", "nlu:"]
    for intent in dict.fromkeys(each.intent for each in sentences):
        texts = dict.fromkeys(each.text.translate(_PLAIN) for each in sentences if each.intent == intent)
        lines += [f"  - intent: {intent}", "    examples: |", *(f"      - {text}" for text in texts)]
    return "\n".join(lines) + "\n" if sentences else ""


_PLAIN = str.maketrans("[]{}", "()()")


def _teaches(agent: Agent) -> None:
    if not agent.may(Right.TEACH):
        raise NotAllowed("teach")


def _own(agent: Agent, identifier: str) -> tuple[Any, ...]:
    return sentence.c.id == identifier, sentence.c.creditor_id == agent.creditor


def _of(row: Row[Any]) -> Sentence:
    return Sentence(row.id, row.text, row.language, row.readings, row.chosen, row.intent, row.created_at)
