"""Transfers to the creditor's own account: payments like any other, only that a bank statement tells of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import open_amounts
from billing.methods import TRANSFER
from billing.payments import booked, move
from core.creditor import Creditor
from core.ids import DebtorId, InvoiceId, new_id, new_secret
from core.lifecycle import LinkState, PaymentStatus
from core.money import Money
from store.tables.money import payment, payment_link, payment_link_invoice
from store.upsert import insert_once

_AWAITED = (PaymentStatus.OPEN, PaymentStatus.PENDING)


async def receive(
    tx: AsyncConnection,
    creditor: Creditor,
    debtor: DebtorId,
    invoices: Sequence[InvoiceId],
    amount: Money,
    *,
    key: str,
    paid_at: datetime,
    now: datetime,
) -> str:
    """Book a transfer for these invoices of one debtor, once; the payment's id. The same `key`: the same payment.

    It settles the payment by transfer that is awaited for these invoices, else it is one of its own, over the link that
    the person was given, else over one that says what was paid.
    """
    settled = await tx.scalar(select(payment.c.id).where(payment.c.cause == key))
    if settled is not None:
        return str(settled)
    row = await _awaited(tx, debtor, invoices) or await _row(tx, creditor, debtor, invoices, amount, key, now)
    values = {"status": PaymentStatus.PAID, "amount": amount.minor, "currency": amount.currency, "paid_at": paid_at}
    if await move(tx, row.id, {**values, "method": TRANSFER, "checked_at": now}):
        await booked(tx, row, amount, now)
    return str(row.id)


async def _awaited(tx: AsyncConnection, debtor: DebtorId, invoices: Sequence[InvoiceId]) -> Any:
    """The oldest payment by transfer that is awaited on a link over any of these invoices, locked."""
    links = select(payment_link_invoice.c.link_id).where(payment_link_invoice.c.invoice_id.in_(invoices))
    awaited = (
        select(payment)
        .join(payment_link, payment_link.c.id == payment.c.link_id)
        .where(
            payment.c.link_id.in_(links),
            payment_link.c.debtor_id == debtor,
            payment.c.provider == TRANSFER,
            payment.c.status.in_(_AWAITED),
        )
        .order_by(payment.c.created_at, payment.c.id)
        .limit(1)
        .with_for_update(of=payment)
    )
    return (await tx.execute(awaited)).one_or_none()


async def _row(
    tx: AsyncConnection,
    creditor: Creditor,
    debtor: DebtorId,
    invoices: Sequence[InvoiceId],
    amount: Money,
    key: str,
    now: datetime,
) -> Any:
    values = {
        "id": new_id(),
        "creditor_id": creditor.key,
        "link_id": await _given(tx, debtor, invoices) or await _own(tx, creditor, debtor, invoices, amount, key, now),
        "provider": TRANSFER,
        "external_id": key,
        "cause": key,
        "currency": amount.currency,
        "amount": amount.minor,
        "status": PaymentStatus.PENDING,
        "created_at": now,
    }
    await insert_once(tx, payment, **values)
    return (await tx.execute(select(payment).where(payment.c.cause == key))).one()


async def _given(tx: AsyncConnection, debtor: DebtorId, invoices: Sequence[InvoiceId]) -> str | None:
    """The newest link over exactly these invoices that nothing was paid on."""
    of_link = payment_link_invoice.c
    touching = select(of_link.link_id).where(of_link.invoice_id == invoices[0])
    exactly = (
        select(of_link.link_id)
        .where(of_link.link_id.in_(touching))
        .group_by(of_link.link_id)
        .having(
            func.count() == len(invoices),
            func.sum(case((of_link.invoice_id.in_(invoices), 1), else_=0)) == func.count(),
        )
    )
    links = select(payment_link).where(
        payment_link.c.debtor_id == debtor, payment_link.c.state != LinkState.PAID, payment_link.c.id.in_(exactly)
    )
    newest = links.order_by(payment_link.c.created_at.desc(), payment_link.c.id.desc()).limit(1)
    row = (await tx.execute(newest)).one_or_none()
    return None if row is None else str(row.id)


async def _own(
    tx: AsyncConnection,
    creditor: Creditor,
    debtor: DebtorId,
    invoices: Sequence[InvoiceId],
    amount: Money,
    key: str,
    now: datetime,
) -> str:
    """A link that nobody is sent: it says for which invoices the money came."""
    link, left, parts = new_id(), amount.minor, []
    for each, owed in (await open_amounts(tx, invoices)).items():
        share = min(left, max(0, owed))
        parts.append({"link_id": link, "invoice_id": each, "amount": share})
        left -= share
    await tx.execute(
        insert(payment_link).values(
            id=link,
            token=new_secret(),
            creditor_id=creditor.key,
            debtor_id=debtor,
            cause=key,
            reference=f"L{link[-12:]}",  # nobody is given it
            currency=amount.currency,
            amount=amount.minor,
            state=LinkState.CREATED,
            times={LinkState.CREATED: now.isoformat()},
            expires_at=now,
            created_at=now,
        )
    )
    await tx.execute(insert(payment_link_invoice), parts)
    return link
