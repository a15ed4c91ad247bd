"""A creditor's configuration, as it was applied."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.creditor import Creditor
from core.errors import NotFound
from store.tables.people import creditor


async def creditor_of(tx: AsyncConnection, key: str) -> Creditor:
    """Raises NotFound."""
    config = (await tx.execute(select(creditor.c.config).where(creditor.c.id == key))).scalar_one_or_none()
    if config is None:
        raise NotFound("there is no such creditor; `effen creditor apply` makes one")
    return Creditor.model_validate(config)
