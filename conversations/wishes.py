"""A wish as a button: one that was guessed at, or one that still waits for its turn."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.message import Option, Say
from store.tables.talk import inbound, outbound

SECOND = "talk.also"
RESUME = "talk.resume"  # a form that was left long ago (conversations/pauses.py)
# A form is filled in, or left, by then; longer ago it would come out of the blue.
_WAITS = timedelta(hours=1)
_LOOK_BACK = 10
# Of what the person wrote, this is still true when they tap the button.
_CARRIED = ("amount", "invoice_number", "order_number")
# The action looks the person's words up.
_QUESTIONS = frozenset({"ask_product", "ask_return", "ask_pay_later_terms", "ask_offers"})


def option(intent: str, text: str, values: Iterable[Mapping[str, Any]]) -> Option:
    """What a tap means: `intent` (`dispute/amount` included), with what `text` said beside it.

    The title is `reading.<intent>`, in the person's words.
    """
    said: dict[str, str] = {}
    for value in values:
        if value["entity"] in _CARRIED:
            said.setdefault(value["entity"], str(value["value"]))
    if intent in _QUESTIONS:
        said["question"] = text
    title = "option.human" if intent == "human" else f"reading.{intent.replace('/', '_')}"
    return Option(title, intent, entities=said)


async def second(tx: AsyncConnection, message: Row[Any], *, form_done: bool) -> list[Say]:
    """What a message said beside what it was answered for, offered next; nothing where there is nothing.

    `form_done`: a form that this turn has ended may have kept it waiting.
    """
    heard = [message]
    if form_done:
        earlier = select(inbound).where(
            inbound.c.conversation_id == message.conversation_id,
            inbound.c.seq < message.seq,
            inbound.c.received_at > message.received_at - _WAITS,
        )
        heard += (await tx.execute(earlier.order_by(inbound.c.seq.desc()).limit(_LOOK_BACK))).all()
    place = next((place for place, row in enumerate(heard) if (row.parse or {}).get("also")), None)
    if place is None:
        return []
    row = heard[place]
    intent, text = row.parse["also"]["intent"], row.parse["also"]["text"]
    if any(later.intent == intent for later in heard[:place]):
        return []
    offered = select(outbound.c.id).where(
        outbound.c.conversation_id == message.conversation_id,
        outbound.c.key == SECOND,
        outbound.c.created_at >= row.received_at,
    )
    if await tx.scalar(offered.limit(1)) is not None:
        return []
    return [Say(SECOND, {}, [option(intent, text, row.parse["entities"]), Option("option.no", "deny")])]
