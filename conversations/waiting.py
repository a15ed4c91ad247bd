"""A conversation that waits for a person: whether the bot still answers, and what else is said there."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.claim import Claim
from conversations.reading import Reading, number_in
from core.hold import BOT_GOES_ON, Reason, care_of
from core.ids import ContactPointId
from core.lifecycle import ConversationState
from store.tables.talk import outbound

# Lines that follow each other so closely are one message to who writes them.
ONE_BREATH = timedelta(minutes=2)
_PLAN = "request_payment_plan"
# No answer to the question what happened, and nothing that waits for one.
CURT = frozenset({"affirm", "deny", "cancel", "thank", "goodbye", "greet"})


def waits(talk: Row[Any]) -> bool:
    """Whether a person has the conversation, or has to come before the bot says more."""
    return talk.state == ConversationState.OPEN and (talk.agent_id is not None or talk.reason not in BOT_GOES_ON)


def who(claim: Claim, heard: Reading) -> Reading | None:
    """The number that somebody unknown was asked for after care (bot/actions/care.py), where this message has it."""
    talk = claim.talk
    if not (waits(talk) and asked_who(claim)) or heard.intent == _PLAN or heard.said not in (None, talk.reason):
        return None
    return number_in(heard, claim.message.text)


def asked_who(claim: Claim) -> bool:
    """Whether a hold waits until it is known whose it is."""
    return claim.contact.debtor is None and care_of(claim.talk.dialogue_slots.get("wanted") or "") is not None


def answers(claim: Claim, heard: Reading) -> bool:
    """Whether the bot answers this message."""
    talk = claim.talk
    if not waits(talk):
        return True
    if talk.agent_id is not None or Reason.SELF_HARM in (talk.reason, heard.said):
        return False
    if who(claim, heard) is not None:
        return True
    if heard.said is not None:
        # Called by this very turn, which is tried again: its answer has not been told yet.
        return heard.said != talk.reason or (talk.summary or {}).get("turn") == claim.turn
    if talk.reason == Reason.WRONG_PERSON:
        return heard.intent == "human"
    if talk.form is not None and asked_who(claim):
        return True
    # After hardship a plan is made only if the person asks: then the bot goes on until there is one, or not.
    asked = any(offer.option.intent == _PLAN for offer in claim.offers)
    goes_on = heard.intent == _PLAN or talk.form is not None or (asked and heard.intent in ("affirm", "deny"))
    return talk.reason == Reason.HARDSHIP and goes_on


async def told_just_now(tx: AsyncConnection, contact: ContactPointId, now: datetime) -> bool:
    """Whether this person, who waits, was told so here a moment ago."""
    query = select(outbound.c.id).where(
        outbound.c.contact_point_id == contact,
        outbound.c.key == "notice.desk_waiting",
        outbound.c.created_at > now - ONE_BREATH,
    )
    return (await tx.scalar(query.limit(1))) is not None
