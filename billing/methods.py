"""Which payment methods a person is offered, and in which order."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.risk import standing
from core.creditor import Creditor
from core.ids import DebtorId
from core.lifecycle import PaymentStatus
from store.tables.money import payment, payment_link

# The payer's own transfer to the creditor's account: no provider takes part in it.
TRANSFER = "banktransfer"


def methods_for(creditor: Creditor, risk: str | None) -> list[str]:
    """The creditor's methods, less those that it excludes for this risk class; None is no class."""
    allowed = creditor.payments.methods_by_risk.get(risk) if risk is not None else None
    return [method for method in creditor.payments.methods if allowed is None or method in allowed]


async def offered(tx: AsyncConnection, creditor: Creditor, debtor: DebtorId, now: datetime) -> list[str]:
    """What this debtor may pay with; the method of the last payment stands first."""
    # Where no class excludes anything nobody needs one.
    risk = (await standing(tx, creditor, debtor, now)).name if creditor.payments.methods_by_risk else None
    query = (
        select(payment.c.method)
        .join(payment_link, payment_link.c.id == payment.c.link_id)
        .where(payment_link.c.debtor_id == debtor, payment.c.status == PaymentStatus.PAID)
        .order_by(payment.c.paid_at.desc())
        .limit(1)
    )
    preferred = await tx.scalar(query)
    return sorted(methods_for(creditor, risk), key=lambda method: method != preferred)
