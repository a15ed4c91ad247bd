"""What is booked for a line: a payment, or one that went back. Once per line, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.methods import TRANSFER
from billing.returns import book_returns, reopen
from billing.statements.matching import Match, Rule
from billing.transfers import receive
from core.creditor import Creditor
from core.ids import AgentId, CreditorKey, DebtorId, InvoiceId
from core.lifecycle import PaymentStatus
from core.money import Money
from core.payment import PaymentState
from store.events import DIRECT_DEBIT_FAILED, emit
from store.tables.bank import bank_decision, bank_line
from store.tables.money import invoice, payment, payment_link, payment_link_invoice
from store.upsert import insert_once

# "Reason not specified" (ISO 20022 external code set, return reasons).
_UNSAID = "MS03"


class Outcome(StrEnum):
    BOOKED = "booked"
    RETURNED = "returned"
    KNOWN = "known"  # it is booked already: an online payment, paid out
    ASIDE = "aside"  # nobody's debt


async def decide(
    tx: AsyncConnection,
    line: Any,
    outcome: Outcome,
    rule: Rule,
    now: datetime,
    *,
    number: int = 1,
    invoice_id: InvoiceId | None = None,
    payment_id: str | None = None,
    agent: AgentId | None = None,
    note: str | None = None,
) -> bool:
    """Write down what becomes of the line; False where somebody was faster."""
    return await insert_once(
        tx,
        bank_decision,
        line_id=line.id,
        number=number,
        outcome=outcome,
        rule=rule,
        invoice_id=invoice_id,
        payment_id=payment_id,
        agent_id=agent,
        note=note,
        at=now,
    )


async def settle(
    tx: AsyncConnection,
    creditor: Creditor,
    line: Any,
    match: Match,
    now: datetime,
    *,
    number: int = 1,
    agent: AgentId | None = None,
) -> bool:
    """Book the line (a row of `bank_line`) as this match says; False where it was decided about already."""
    outcome = Outcome.BOOKED if line.amount > 0 else Outcome.RETURNED
    first = match.invoices[0]
    if not await decide(tx, line, outcome, match.rule, now, number=number, invoice_id=first, agent=agent):
        return False
    if outcome is Outcome.BOOKED:
        paid_at = datetime.combine(line.booked_on, time(12), creditor.zone)
        paid: str | None = await receive(
            tx,
            creditor,
            match.debtor,
            match.invoices,
            Money(line.amount, line.currency),
            key=f"statement:{line.id}",
            paid_at=min(paid_at, now),
            now=now,
        )
    else:
        paid = await give_back(tx, creditor, line, match.debtor, match.invoices, now)
    decided = bank_decision.update().where(bank_decision.c.line_id == line.id, bank_decision.c.number == number)
    await tx.execute(decided.values(payment_id=paid))
    return True


async def returned_payment(tx: AsyncConnection, line: Any) -> Any:
    """The payment that a returned line gives back, by the id that both carry; None where there is none, or several."""
    if not line.end_to_end:
        return None
    query = (
        select(payment, payment_link.c.debtor_id)
        .join(payment_link, payment_link.c.id == payment.c.link_id)
        .join(bank_decision, bank_decision.c.payment_id == payment.c.id)
        .join(bank_line, bank_line.c.id == bank_decision.c.line_id)
        .where(
            bank_line.c.creditor_id == line.creditor_id,
            bank_line.c.end_to_end == line.end_to_end,
            bank_line.c.amount > 0,
            payment.c.provider == TRANSFER,
            payment.c.charged_back == 0,
        )
        .distinct()
    )
    rows = [row for row in await tx.execute(query) if row.amount <= -line.amount]
    return rows[0] if len(rows) == 1 else None


async def invoices_of(tx: AsyncConnection, link: str) -> list[InvoiceId]:
    """Those of a link, the ones due first at the front."""
    query = (
        select(invoice.c.id)
        .join(payment_link_invoice, payment_link_invoice.c.invoice_id == invoice.c.id)
        .where(payment_link_invoice.c.link_id == link)
        .order_by(invoice.c.due_date, invoice.c.number)
    )
    return [InvoiceId(key) for key in (await tx.execute(query)).scalars()]


async def give_back(
    tx: AsyncConnection,
    creditor: Creditor,
    line: Any,
    debtor: DebtorId,
    invoices: Sequence[InvoiceId],
    now: datetime,
) -> str | None:
    """Undo the booking that this returned line gives back, and tell that it failed; the payment's id, if it is one."""
    gone, reason = Money(-line.amount, line.currency), line.reason or _UNSAID
    row = await returned_payment(tx, line) or await _latest(tx, debtor, invoices, gone)
    if row is not None:
        locked = (await tx.execute(select(payment).where(payment.c.id == row.id).with_for_update())).one()
        state = PaymentState(
            external_id=locked.external_id,
            status=PaymentStatus.PAID,
            amount=Money(locked.amount, locked.currency),
            charged_back=Money(locked.charged_back + gone.minor, locked.currency),
        )
        await book_returns(tx, locked, state, now, reason=reason)
    else:
        await reopen(tx, CreditorKey(creditor.key), invoices[0], gone, cause=f"statement:{line.id}", now=now)
    payload = {
        "creditor_id": creditor.key,
        "debtor_id": debtor,
        "invoice_id": invoices[0],
        "amount": gone.minor,
        "currency": gone.currency,
        "reason": reason,
        "iban_end": line.iban[-4:] if line.iban else None,
        "cause": f"statement:{line.id}",
    }
    await emit(tx, DIRECT_DEBIT_FAILED, payload, now)
    return None if row is None else str(row.id)


async def _latest(tx: AsyncConnection, debtor: DebtorId, invoices: Sequence[InvoiceId], gone: Money) -> Any:
    """The last transfer of this amount for these invoices that is still there."""
    links = select(payment_link_invoice.c.link_id).where(payment_link_invoice.c.invoice_id.in_(invoices))
    query = (
        select(payment)
        .join(payment_link, payment_link.c.id == payment.c.link_id)
        .where(
            payment_link.c.debtor_id == debtor,
            payment.c.link_id.in_(links),
            payment.c.provider == TRANSFER,
            payment.c.status == PaymentStatus.PAID,
            payment.c.amount == gone.minor,
            payment.c.charged_back == 0,
        )
        .order_by(payment.c.paid_at.desc(), payment.c.id.desc())
        .limit(1)
    )
    return (await tx.execute(query)).one_or_none()
