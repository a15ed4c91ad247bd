"""Days that bear no interest: what is not charged while somebody is left alone is not charged afterwards either."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.law.rates import Days
from core.creditor import Creditor
from core.ids import DebtorId, InvoiceId
from core.lifecycle import PlanState, PromiseState
from store.tables.money import claim, plan, promise
from store.tables.people import hold


async def days_of(
    tx: AsyncConnection, creditor: Creditor, debtor: DebtorId, invoice: InvoiceId, until: date
) -> Sequence[Days]:
    """When a hold stood on this debtor or invoice, a claim to have paid, or an agreement that stops costs, up to then.

    The days on which it began and ended are among them, and a hold that was only suspected: the person was told that
    nothing comes on top meanwhile. Not an agreement that was broken.
    """
    over = or_(hold.c.invoice_id == invoice, and_(hold.c.invoice_id.is_(None), hold.c.debtor_id == debtor))
    held = select(hold.c.since, hold.c.lifted_at).where(over)
    found = [(since, lifted, None) for since, lifted in await tx.execute(held)]
    claimed = select(claim.c.created_at, claim.c.ended_at, claim.c.until).where(claim.c.debtor_id == debtor)
    # One that has lapsed ends once more, when its money comes after all.
    found += [(since, ended, last) for since, ended, last in await tx.execute(claimed)]
    agreements = (
        (promise, PromiseState.BROKEN, creditor.promises.stops_costs),
        (plan, PlanState.BROKEN, creditor.plans.stops_costs),
    )
    for table, broken, stops in agreements:
        if stops:
            ran = select(table.c.created_at, table.c.ended_at).where(
                table.c.debtor_id == debtor, table.c.state != broken
            )
            found += [(since, ended, None) for since, ended in await tx.execute(ran)]
    zone = creditor.zone
    days = []
    for since, ended, last in found:
        end = until if ended is None else min(ended.astimezone(zone).date(), last or date.max) + timedelta(days=1)
        if since.astimezone(zone).date() < (end := min(end, until)):
            days.append((since.astimezone(zone).date(), end))
    return days
