"""How long an agreement waits for its money: while somebody is left alone it waits, and then its days begin anew."""

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.claims import claiming
from billing.ledger import OWED, Kind
from billing.workdays import after
from core.creditor import Creditor
from core.ids import DebtorId, InvoiceId
from core.lifecycle import ClaimState
from store.tables.money import booking, claim, payment, posting
from store.tables.people import hold


class Holding(Protocol):
    """Whether anything holds what we would send to a debtor; `about`: of an invoice."""

    def __call__(self, tx: AsyncConnection, debtor: DebtorId, about: str | None = None) -> Awaitable[bool]: ...


# A transfer made on the agreed day is on a statement two working days later.
_GRACE = 2


def gracious(day: date, creditor: Creditor) -> date:
    """The last day on which money of this day may be seen."""
    return after(day, _GRACE, creditor.country)


async def paid_days(
    tx: AsyncConnection, invoices: Sequence[InvoiceId], since: datetime, zone: ZoneInfo
) -> list[tuple[date, int]]:
    """What was booked on these invoices since then, on the day on which it was paid, in minor units.

    Of a transfer a bank may tell later. Negative: what went back.
    """
    query = (
        select(func.coalesce(payment.c.paid_at, booking.c.at).label("at"), func.sum(-posting.c.minor).label("minor"))
        .join(booking, booking.c.id == posting.c.booking_id)
        .outerjoin(payment, booking.c.cause == literal("payment:").concat(payment.c.id))
        .where(
            posting.c.invoice_id.in_(invoices),
            posting.c.account.in_(OWED),
            booking.c.at > since,
            booking.c.kind.not_in([Kind.OPENING, Kind.CHARGE, Kind.RELIEF]),
        )
        .group_by(booking.c.id, payment.c.paid_at, booking.c.at)
    )
    return [(row.at.astimezone(zone).date(), int(row.minor)) for row in await tx.execute(query)]


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
