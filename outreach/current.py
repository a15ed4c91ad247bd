"""Whether what we are about to say first is still so: hours may lie between the evening and the morning."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.charges import agreed_open
from billing.ledger import open_amounts
from billing.links import Standing, due_on, link_of, standing
from billing.promises import pausing
from core.ids import DebtorId, InvoiceId
from core.lifecycle import PlanState, PromiseState
from core.message import links_in
from store.tables.money import instalment, invoice, payment, payment_link, payment_link_invoice, plan, promise

# A promise, a plan or a claim to have paid stops these, whenever it was made.
_PRESSING = ("reminder.", "debit.", "promise.")


async def still_true(tx: AsyncConnection, row: Row[Any], debtor: DebtorId, now: datetime) -> bool:
    """Whether the sum that a queued message names is open still, and nothing agreed on makes it a reproach.

    A message whose arguments and options do not say what it is about goes.
    """
    if row.key.startswith(_PRESSING) and await pausing(tx, debtor):
        return False
    if row.key.startswith("promise."):
        return await _missed(tx, debtor, row.args)
    if row.key.startswith("plan.instalment_"):
        return await _due(tx, debtor, row.args) and await _payable(tx, row.args, now)
    if row.key.startswith("debit."):
        return await _payable(tx, row.args, now)
    about = [option.get("entities", {}) for option in row.options]
    if row.key.startswith("reminder."):
        named = [invoice.c.id == each["invoice"] for each in about if "invoice" in each]
        owed = await _open(tx, *named[:1])
        return owed is None or owed == _minor(row.args, "amount")
    if row.key == "payment.part_left":
        paid = [payment.c.id == each["receipt"] for each in about if "receipt" in each]
        of_link = select(payment_link_invoice.c.invoice_id).join(
            payment, payment.c.link_id == payment_link_invoice.c.link_id
        )
        owed = await _open(tx, *(invoice.c.id.in_(of_link.where(each)) for each in paid[:1]))
        return owed is None or owed == _minor(row.args, "left")
    if row.key == "payment.returned":
        numbers = row.args.get("invoices") or [None]
        owed = await _open(tx, invoice.c.debtor_id == debtor, invoice.c.number.in_(numbers))
        return owed is None or owed >= _minor(row.args, "amount")
    return True


def _minor(args: dict[str, Any], name: str) -> int:
    minor: int = args[name]["money"][0]
    return minor


async def _open(tx: AsyncConnection, *which: ColumnElement[bool]) -> int | None:
    """What is open on these invoices, in minor units; None where there are none of them."""
    if not which:
        return None
    keys = [InvoiceId(key) for key in await tx.scalars(select(invoice.c.id).where(*which))]
    return sum(max(0, minor) for minor in (await open_amounts(tx, keys)).values()) if keys else None


async def _payable(tx: AsyncConnection, args: dict[str, Any], now: datetime) -> bool:
    """Whether the link in the message still takes the sum, or as much of it as it ever took."""
    for row in await tx.execute(select(payment_link).where(payment_link.c.id.in_(links_in(args)))):
        link = link_of(row)
        due = await due_on(tx, link)
        if standing(link, due, now, pending=False) is not Standing.PAYABLE:
            return False
        if due.minor < min(_minor(args, "amount"), link.amount.minor):
            return False
    return True


async def _due(tx: AsyncConnection, debtor: DebtorId, args: dict[str, Any]) -> bool:
    """Whether a plan runs of which so much is missing by the day in the message."""
    running = select(plan).where(plan.c.debtor_id == debtor, plan.c.state == PlanState.AGREED)
    row = (await tx.execute(running)).first()
    if row is None:
        return False
    until = (instalment.c.plan_id == row.id, instalment.c.due_on <= date.fromisoformat(args["due"]["date"]))
    reached = await tx.scalar(select(func.coalesce(func.sum(instalment.c.amount), 0)).where(*until))
    owed = await agreed_open(tx, [InvoiceId(key) for key in row.invoices], row.created_at)
    missing = int(reached or 0) - (int(row.total) - owed)
    return missing >= _minor(args, "amount")


async def _missed(tx: AsyncConnection, debtor: DebtorId, args: dict[str, Any]) -> bool:
    """Whether what was promised for the day in the message is owed still."""
    day = date.fromisoformat(args["day"]["date"])
    broken = select(promise).where(
        promise.c.debtor_id == debtor, promise.c.until == day, promise.c.state == PromiseState.BROKEN
    )
    for row in (await tx.execute(broken)).all():
        if await agreed_open(tx, [InvoiceId(key) for key in row.invoices], row.created_at) > 0:
            return True
    return False
