"""Somebody writes in a language that the creditor does not speak: which of its own they read is asked, once."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.reading import Reading
from conversations.wishes import option
from core.hold import Reason
from core.ids import ConversationId
from core.message import Option, Say
from store.tables.talk import outbound
from understanding.doubt import is_wish

WHICH = "language.which"
# What is said to somebody in such need stands alone.
_ALONE = frozenset({Reason.SELF_HARM, Reason.REPORT_DECEASED})


def unspoken(heard: Reading, languages: Sequence[str]) -> bool:
    """Whether these words are in none of the creditor's languages, and that is clear."""
    return heard.foreign or (heard.language is not None and heard.language not in languages)


def waits(heard: Reading) -> bool:
    """Whether the answer is worth more once the language is known; care and a wish for a person are heard at once."""
    return heard.care is None and heard.intent != "human"


async def which(
    tx: AsyncConnection, talk: ConversationId, heard: Reading, text: str, languages: Sequence[str]
) -> Say | None:
    """The question, a line and a button for each language; the wish is carried by the buttons.

    None where it was asked before in this conversation, or there is nothing to choose.
    """
    if heard.care in _ALONE or len(languages) < 2 or not unspoken(heard, languages):
        return None
    asked = select(outbound.c.id).where(outbound.c.conversation_id == talk, outbound.c.key == WHICH)
    if await tx.scalar(asked.limit(1)) is not None:
        return None
    wish = option(heard.intent if is_wish(heard.intent) else "greet", text, heard.entities)
    rows = [{"line": {"key": f"language.ask_{language}"}} for language in languages]
    return Say(
        WHICH,
        {"rows": {"rows": rows, "key": "language.line"}},
        [
            Option(f"option.language_{language}", wish.intent, entities={**wish.entities, "language": language})
            for language in languages
        ],
    )
