"""What paying late costs: what may be charged on an invoice today and why, and the booking of it.

Nothing is charged without a letter that the law accepts (billing/law), on a disputed invoice, to somebody whom a hold
protects, while a promise or a plan runs that stops costs, or while money is on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import structlog
from sqlalchemy import and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing import charges
from billing.charges import Late
from billing.claims import claiming
from billing.invoices import Invoices, OpenInvoice
from billing.law import Letter, Period, TooOld
from billing.ledger import Account, Kind, open_parts
from billing.patience import Holding
from billing.promises import sparing
from core.clock import Clock
from core.creditor import Creditor
from core.ids import DebtorId, InvoiceId
from core.lifecycle import PaymentStatus
from core.money import Money
from store.database import Database
from store.tables.money import booking, invoice, letter, payment, payment_link_invoice, posting

log = structlog.get_logger(__name__)

_AS_THE_LAW = {"interest": True, "interest_rate": None}

# Why nothing more is charged: the law's reasons, and ours.
Refusal = Literal["held", "disputed", "claimed", "agreed", "paying", "not_due", "too_old"] | charges.Refusal


@dataclass(frozen=True, slots=True)
class Fees:
    """Of one invoice, today. `charged`: it is booked, and a part of what is open; else it may be.

    Where `refusal` says why there are none, costs and interest are nothing.
    """

    invoice: OpenInvoice
    principal: Money
    costs: Money
    interest: Sequence[Period]
    letter: Letter | None
    charged: bool
    refusal: Refusal | None
    first_day: date | None  # of costs, after a letter that is good

    @property
    def total(self) -> Money:
        return sum((period.amount for period in self.interest), self.principal + self.costs)


class FeeBook:
    """`holding` says whether a hold protects a debtor, or this invoice of theirs."""

    def __init__(self, database: Database, clock: Clock, invoices: Invoices, holding: Holding) -> None:
        self._database = database
        self._clock = clock
        self._invoices = invoices
        self._holding = holding
        self._too_old: set[InvoiceId] = set()  # logged once: they are looked at each minute

    async def explain(self, debtor: DebtorId, creditor: Creditor) -> list[Fees]:
        """Of each open invoice, those due first at the front."""
        now = self._clock.now()
        found = await self._invoices.open_of(debtor)
        async with self._database.read() as tx:
            return [await self._of(tx, invoice, creditor, now) for invoice in found]

    async def charge(self, debtor: DebtorId, creditor: Creditor) -> int:
        """Book what may be charged today, once per invoice; on how many invoices."""
        now = self._clock.now()
        charged = 0
        async with self._database.begin() as tx:
            # What is paid at this moment is booked before, or after.
            mine = select(invoice.c.id).where(invoice.c.debtor_id == debtor).order_by(invoice.c.id)
            await tx.execute(mine.with_for_update())
            for each in await self._invoices.open_of(debtor):
                fees = await self._of(tx, each, creditor, now)
                if not fees.charged and fees.refusal is None and (fees.costs or fees.interest):
                    interest = sum((period.amount for period in fees.interest), Money(0, fees.costs.currency))
                    charged += await charges.charge(tx, creditor, _late(each), fees.costs, interest, now)
        return charged

    async def run(self, creditor: Creditor) -> int:
        """Charge everybody to whom a letter went out; for the scheduler. On how many invoices.

        Whatever one debtor brings up is logged, and the others are charged.
        """
        # Some of them are charged again after a relief: `charge` sees to it that nothing is charged twice.
        charged = (
            select(posting.c.invoice_id)
            .join(booking, booking.c.id == posting.c.booking_id)
            .where(booking.c.creditor_id == creditor.key, posting.c.invoice_id == letter.c.invoice_id)
        )
        standing = and_(
            charged.where(booking.c.kind == Kind.CHARGE).exists(),
            ~charged.where(booking.c.kind == Kind.RELIEF).exists(),
        )
        written = (
            select(letter.c.debtor_id)
            .where(letter.c.creditor_id == creditor.key, letter.c.received_on.is_not(None), ~standing)
            .distinct()
        )
        async with self._database.read() as tx:
            found = list((await tx.execute(written)).scalars())
        number = 0
        for each in found:
            try:
                number += await self.charge(DebtorId(each), creditor)
            except Exception as error:
                log.exception("fees.not_charged", debtor=each, error=type(error).__name__)
        return number

    async def _of(self, tx: AsyncConnection, invoice: OpenInvoice, creditor: Creditor, now: datetime) -> Fees:
        try:
            return await self._reckoned(tx, invoice, creditor, now)
        except TooOld:
            if invoice.id not in self._too_old:
                self._too_old.add(invoice.id)
                log.warning("fees.too_old", invoice=invoice.id)
            return _none(invoice, invoice.open, "too_old")

    async def _reckoned(self, tx: AsyncConnection, invoice: OpenInvoice, creditor: Creditor, now: datetime) -> Fees:
        today, late = now.astimezone(creditor.zone).date(), _late(invoice)
        parts = (await open_parts(tx, [invoice.id]))[invoice.id]
        principal = Money(parts[Account.RECEIVABLE], invoice.open.currency)
        charged = await charges.standing(tx, invoice.id)
        if charged is not None:
            on = charged.at.astimezone(creditor.zone).date()
            sent, _ = await charges.rests_on(tx, creditor, late, on)
            rest = Money(parts[Account.INTEREST], principal.currency)
            costs = Money(parts[Account.COSTS], principal.currency)
            if sent is None:  # it was charged over a letter that is not known any more
                return Fees(invoice, principal, costs, [], None, True, None, None)
            was = await charges.principal_at(tx, late, charged.at)
            law = creditor.model_copy(update={"fees": creditor.fees.model_copy(update=_AS_THE_LAW)})
            # It may have been charged before the creditor's policy became milder, or ours, which spares days.
            for policy, paused in ((creditor, True), (law, True), (creditor, False), (law, False)):
                booked = await charges.interest(tx, policy, late, sent, was, on, paused=paused)
                if booked.total >= rest:
                    break
            # What is still open of the interest, over its periods; the ones paid first are the oldest.
            return Fees(invoice, principal, costs, _remaining(booked.periods, rest), sent, True, None, None)
        if (ours := await self._ours(tx, invoice, creditor, today)) is not None:
            return _none(invoice, principal, ours)
        sent, refusal = await charges.rests_on(tx, creditor, late, today)
        if refusal is not None or sent is None:
            first = charges.first_day(sent, creditor) if sent and refusal == "too_early" else None
            return replace(_none(invoice, principal, refusal), letter=sent, first_day=first)
        costs = charges.costs(principal, sent, creditor)
        interest = await charges.interest(tx, creditor, late, sent, principal, today)
        return Fees(invoice, principal, costs, interest.periods, sent, False, None, None)

    async def _ours(self, tx: AsyncConnection, invoice: OpenInvoice, creditor: Creditor, today: date) -> Refusal | None:
        """Why nothing is charged, whatever the law allows."""
        if await self._holding(tx, invoice.debtor, invoice.id):
            return "held"
        if invoice.disputed:
            return "disputed"
        if await claiming(tx, invoice.debtor):
            return "claimed"
        if await sparing(tx, invoice.debtor, creditor):
            return "agreed"
        if invoice.due >= today:
            return "not_due"
        return "paying" if await _paying(tx, invoice.id) else None


async def _paying(tx: AsyncConnection, invoice: InvoiceId) -> bool:
    """Whether a payment for this invoice has been made and is not certain yet."""
    links = select(payment_link_invoice.c.link_id).where(payment_link_invoice.c.invoice_id == invoice)
    made = exists().where(payment.c.link_id.in_(links), payment.c.status == PaymentStatus.PENDING)
    return bool(await tx.scalar(select(made)))


def _late(invoice: OpenInvoice) -> Late:
    return Late(invoice.id, invoice.debtor, invoice.due, invoice.open.currency)


def _none(invoice: OpenInvoice, principal: Money, refusal: Refusal | None) -> Fees:
    return Fees(invoice, principal, Money(0, principal.currency), [], None, False, refusal, None)


def _remaining(periods: Sequence[Period], left: Money) -> list[Period]:
    rest = []
    for period in reversed(periods):
        part = min(period.amount.minor, left.minor)
        if part > 0:
            rest.append(Period(period.since, period.until, period.rate, Money(part, left.currency)))
            left = Money(left.minor - part, left.currency)
    return rest[::-1]
