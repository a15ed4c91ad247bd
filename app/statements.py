"""`effen statement import`: a bank statement, and what became of its lines, in words."""

from billing.statements.refused import Refused
from billing.statements.statements import Statements
from core.clock import Clock
from core.errors import BadInput
from core.ids import CreditorKey
from core.message import Locale
from locales import Renderer
from store.database import Database

_LANGUAGE = Locale("en")


async def load(db: Database, clock: Clock, key: str, content: bytes, *, dry_run: bool = False) -> str:
    """Take a CAMT.053 file for a creditor; what to print. Raises NotFound, and BadInput for a file that is refused."""
    try:
        done = await Statements(db, clock).load(CreditorKey(key), content, "command", dry_run=dry_run)
    except Refused as refused:
        why = Renderer().text(f"desk.statement.refused.{refused.code}", _LANGUAGE, **refused.args_of_text)
        raise BadInput(why) from None
    if dry_run:
        return f"statement: {done.statements} statements, {done.lines} new lines, {done.duplicates} known; not loaded."
    if not done.statements:
        return f"statement: known already, {done.duplicates} lines; nothing changed."
    return (
        f"statement: {done.statements} statements, {done.lines} new lines: {done.matched} matched, {done.suggested} "
        f"suggested, {done.unmatched} unmatched, {done.ignored} own debits; {done.duplicates} duplicates."
    )
