"""What paying late costs: what may be charged on an invoice today and why, and the booking of it.

Nothing is charged without a letter that the law accepts (billing/law), on a disputed invoice, to somebody whom a hold
protects, or while a promise or a plan runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing import letters
from billing.claims import claiming
from billing.invoices import Invoices, OpenInvoice
from billing.law import Interest, Letter, Period, be, nl
from billing.ledger import Account, Kind, Posting, book, open_parts
from billing.promises import pausing
from core.clock import Clock
from core.creditor import Creditor
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.database import Database
from store.tables.money import booking, letter, posting
from store.tables.people import debtor as debtors

Holding = Callable[[AsyncConnection, DebtorId, InvoiceId], Awaitable[bool]]
# Why nothing more is charged: the law's reasons, and ours.
Refusal = Literal[
    "held",
    "disputed",
    "claimed",
    "agreed",
    "not_due",
    "no_clause",
    "no_letter",
    "not_received",
    "too_early",
    "wrong_amount",
]


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

    async def explain(self, debtor: DebtorId, creditor: Creditor) -> list[Fees]:
        """Of each open invoice, those due first at the front."""
        now = self._clock.now()
        found = await self._invoices.open_of(debtor)
        async with self._database.read() as tx:
            return [await self._of(tx, invoice, creditor, now) for invoice in found]

    async def charge(self, debtor: DebtorId, creditor: Creditor) -> int:
        """Book what may be charged today, once per invoice; on how many invoices."""
        now = self._clock.now()
        found = await self._invoices.open_of(debtor)
        charged = 0
        async with self._database.begin() as tx:
            for invoice in found:
                fees = await self._of(tx, invoice, creditor, now)
                if not fees.charged and fees.refusal is None and (fees.costs or fees.interest):
                    charged += await _book(tx, creditor, fees, now)
        return charged

    async def run(self, creditor: Creditor) -> int:
        """Charge everybody to whom a letter went out; for the scheduler. On how many invoices."""
        booked = exists().where(booking.c.cause == literal("charge:").concat(letter.c.invoice_id))
        written = (
            select(letter.c.debtor_id)
            .where(letter.c.creditor_id == creditor.key, letter.c.received_on.is_not(None), ~booked)
            .distinct()
        )
        async with self._database.read() as tx:
            found = list((await tx.execute(written)).scalars())
        return sum([await self.charge(DebtorId(each), creditor) for each in found])

    async def _of(self, tx: AsyncConnection, invoice: OpenInvoice, creditor: Creditor, now: datetime) -> Fees:
        today = now.astimezone(creditor.zone).date()
        parts = (await open_parts(tx, [invoice.id]))[invoice.id]
        principal = Money(parts[Account.RECEIVABLE], invoice.open.currency)
        none = Money(0, principal.currency)
        written = await letters.of_invoice(tx, invoice.id, creditor.zone)
        charged_at = await _charged_at(tx, invoice.id)
        if charged_at is not None:
            was = await _principal_at(tx, invoice, charged_at)
            booked = await _interest(tx, invoice, creditor, was, written, charged_at.astimezone(creditor.zone).date())
            # What is still open of the interest, over its periods; the ones paid first are the oldest.
            rest = _remaining(booked.periods, Money(parts[Account.INTEREST], principal.currency))
            costs = Money(parts[Account.COSTS], principal.currency)
            return Fees(invoice, principal, costs, rest, _best(written, creditor), True, None, None)
        sent = _best(written, creditor)
        refusal = await self._refusal(tx, invoice, creditor, sent, today)
        if refusal is not None or sent is None:
            first = _law_first_day(sent, creditor) if refusal == "too_early" and sent else None
            return Fees(invoice, principal, none, [], sent, False, refusal, first)
        # Over what is open now, and never more than the letter named.
        costs = (nl.costs if creditor.country == "NL" else be.costs)(principal, sent.sent_on, creditor.fees.vat)
        if sent.costs < costs:
            costs = sent.costs
        interest = await _interest(tx, invoice, creditor, principal, written, today)
        return Fees(invoice, principal, costs, interest.periods, sent, False, None, None)

    async def _refusal(
        self, tx: AsyncConnection, invoice: OpenInvoice, creditor: Creditor, sent: Letter | None, today: date
    ) -> Refusal | None:
        if await self._holding(tx, invoice.debtor, invoice.id):
            return "held"
        if invoice.disputed:
            return "disputed"
        if await claiming(tx, invoice.debtor):
            return "claimed"
        if await pausing(tx, invoice.debtor):
            return "agreed"
        if invoice.due >= today:
            return "not_due"
        # A letter before the default is none (BW 6:96 lid 6).
        if sent is not None and sent.sent_on <= invoice.due:
            sent = None
        was = await _principal_at(tx, invoice, sent.sent_at) if sent else invoice.open
        if creditor.country == "NL":
            return nl.refusal(sent, was, today, vat=creditor.fees.vat)
        return be.refusal(sent, was, today, clause=creditor.fees.clause)


def _best(written: Sequence[Letter], creditor: Creditor) -> Letter | None:
    """The first letter of the kind that the country's law asks for: a later copy moves no date."""
    wanted = "fourteen_days" if creditor.country == "NL" else "first_reminder"
    return next((each for each in reversed(written) if each.kind == wanted), None)


def _law_first_day(sent: Letter, creditor: Creditor) -> date | None:
    return nl.first_day(sent) if creditor.country == "NL" else be.first_day(sent)


async def _interest(
    tx: AsyncConnection,
    invoice: OpenInvoice,
    creditor: Creditor,
    principal: Money,
    written: Sequence[Letter],
    until: date,
) -> Interest:
    """Over the present principal, so never too much: from default (NL: BW 6:119), or after the free reminder's term."""
    sent = _best(written, creditor)
    if not creditor.fees.interest or sent is None or principal.minor <= 0:
        return Interest(Money(0, principal.currency), [])
    kind: Literal["consumer", "business"] = (
        "business"
        if await tx.scalar(select(debtors.c.kind).where(debtors.c.id == invoice.debtor)) == "business"
        else "consumer"
    )
    if creditor.country == "NL":
        return nl.interest(principal, invoice.due + timedelta(days=1), until, kind)
    return be.interest(principal, be.first_day(sent) or until, until, kind)


def _remaining(periods: Sequence[Period], left: Money) -> list[Period]:
    rest = []
    for period in reversed(periods):
        part = min(period.amount.minor, left.minor)
        if part > 0:
            rest.append(Period(period.since, period.until, period.rate, Money(part, left.currency)))
            left = Money(left.minor - part, left.currency)
    return rest[::-1]


def _cause(invoice: InvoiceId) -> str:
    return f"charge:{invoice}"


async def _charged_at(tx: AsyncConnection, invoice: InvoiceId) -> datetime | None:
    found: datetime | None = await tx.scalar(select(booking.c.at).where(booking.c.cause == _cause(invoice)))
    return found


async def _principal_at(tx: AsyncConnection, invoice: OpenInvoice, at: datetime) -> Money:
    """The principal that was open then; an invoice that came to us later was open as it came."""
    query = (
        select(func.coalesce(func.sum(posting.c.minor), 0))
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(
            posting.c.invoice_id == invoice.id,
            posting.c.account == Account.RECEIVABLE,
            or_(booking.c.at <= at, booking.c.kind == Kind.OPENING),
        )
    )
    return Money(int((await tx.execute(query)).scalar_one()), invoice.open.currency)


async def _book(tx: AsyncConnection, creditor: Creditor, fees: Fees, now: datetime) -> bool:
    interest = sum((period.amount for period in fees.interest), Money(0, fees.costs.currency))
    who, key = fees.invoice.debtor, fees.invoice.id
    sides = [
        Posting(account, amount, who, key)
        for account, amount in ((Account.COSTS, fees.costs), (Account.INTEREST, interest))
        if amount
    ]
    total = interest + fees.costs
    sides.append(Posting(Account.FEES, Money(-total.minor, total.currency)))
    return await book(tx, CreditorKey(creditor.key), Kind.CHARGE, sides, cause=_cause(key), at=now)
