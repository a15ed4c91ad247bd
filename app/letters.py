"""`effen letter record`: one letter, read as a row of the file `letters` is."""

import hashlib
from collections.abc import Mapping

from billing.imports import cells
from billing.imports.letters import content_hash, keep
from conversations.creditors import Creditors
from core.clock import Clock
from store.database import Database


async def record(
    db: Database,
    clock: Clock,
    key: str,
    given: Mapping[str, str | None],
    *,
    content: bytes | None,
    digest: str | None,
) -> bool:
    """False where all of it was known. Raises NotFound, BadInput, Conflict."""
    creditor = await Creditors(db).get(key)
    received = given.get("received_on")
    costs = given.get("costs")
    values = {
        **given,
        "sent_at": cells.moment(creditor.zone)(given["sent_at"] or ""),
        "received_on": cells.day(received) if received else None,
        "costs": cells.amount(costs) if costs else None,
        "content_hash": content_hash(digest or hashlib.sha256(content or b"").hexdigest()),
    }
    async with db.begin() as tx:
        return await keep(tx, creditor, values, clock.now())
