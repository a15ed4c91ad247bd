"""How long an agreement waits for its money: while somebody is left alone it waits, and then its days begin anew."""

from collections.abc import Awaitable
from datetime import date
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.claims import claiming
from billing.workdays import after
from core.creditor import Creditor
from core.ids import DebtorId
from core.lifecycle import ClaimState
from store.tables.money import claim
from store.tables.people import hold


class Holding(Protocol):
    """Whether anything holds what we would send to a debtor; `about`: of an invoice."""

    def __call__(self, tx: AsyncConnection, debtor: DebtorId, about: str | None = None) -> Awaitable[bool]: ...


# A transfer made on the agreed day is on a statement two working days later.
_GRACE = 2


def gracious(day: date, creditor: Creditor) -> date:
    """The last day on which money of this day may be seen."""
    return after(day, _GRACE, creditor.country)


async def waiting(tx: AsyncConnection, debtor: DebtorId, holding: Holding) -> bool:
    """Whether nothing breaks now: a hold protects this debtor, or money that was claimed is looked for."""
    return await holding(tx, debtor) or await claiming(tx, debtor)


async def resumed(tx: AsyncConnection, debtor: DebtorId, creditor: Creditor) -> date | None:
    """The day on which the last such time ended."""
    lifted = await tx.scalar(select(func.max(hold.c.lifted_at)).where(hold.c.debtor_id == debtor))
    lapsed = await tx.scalar(
        select(func.max(claim.c.ended_at)).where(claim.c.debtor_id == debtor, claim.c.state == ClaimState.LAPSED)
    )
    days = [at.astimezone(creditor.zone).date() for at in (lifted, lapsed) if at is not None]
    return max(days, default=None)
