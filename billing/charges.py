"""Charges: costs and interest as they are booked on an invoice, and taken back where its money was there in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing import letters, pauses
from billing.law import Interest, Letter, TooOld, be, nl
from billing.ledger import Account, Kind, Posting, book, open_amounts, open_parts
from core.creditor import Creditor
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.money import Money
from store.tables.money import booking, posting
from store.tables.money import invoice as invoice_table
from store.tables.people import debtor as debtors

Refusal = Literal["no_clause", "no_letter", "not_received", "too_early", "wrong_amount"]


@dataclass(frozen=True, slots=True)
class Charged:
    """The booking of it."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Late:
    """An invoice that costs may be charged on."""

    id: InvoiceId
    debtor: DebtorId
    due: date
    currency: str


async def standing(tx: AsyncConnection, invoice: InvoiceId) -> Charged | None:
    """What is charged on this invoice; None: nothing, or it was taken back."""
    query = (
        select(booking.c.id, booking.c.at, booking.c.kind)
        .join(posting, posting.c.booking_id == booking.c.id)
        .where(posting.c.invoice_id == invoice, booking.c.kind.in_([Kind.CHARGE, Kind.RELIEF]))
        .order_by(posting.c.seq.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None or row.kind == Kind.RELIEF else Charged(row.id, row.at)


async def charge(
    tx: AsyncConnection, creditor: Creditor, invoice: Late, costs: Money, interest: Money, now: datetime
) -> bool:
    """Book it, once until it is taken back. The invoice is locked."""
    sides = [
        Posting(account, amount, invoice.debtor, invoice.id)
        for account, amount in ((Account.COSTS, costs), (Account.INTEREST, interest))
        if amount
    ]
    total = costs + interest
    sides.append(Posting(Account.FEES, Money(-total.minor, total.currency)))
    relieved = (
        select(func.count(booking.c.id.distinct()))
        .join(posting, posting.c.booking_id == booking.c.id)
        .where(posting.c.invoice_id == invoice.id, booking.c.kind == Kind.RELIEF)
    )
    cause = f"charge:{invoice.id}:{(await tx.execute(relieved)).scalar_one()}"
    return await book(tx, CreditorKey(creditor.key), Kind.CHARGE, sides, cause=cause, at=now)


async def relieve(
    tx: AsyncConnection, creditor: Creditor, invoice: Late, payment: str, paid_at: datetime, now: datetime
) -> None:
    """Take back what was charged, where this payment was made while nothing was owed yet but the principal.

    A bank tells of it later. What had been paid of the charge pays the rest of the invoice, and then is the debtor's
    credit. Over what stays open costs may be charged anew. The invoice is locked.
    """
    charged = await standing(tx, invoice.id)
    if charged is None:
        return
    charged_on = charged.at.astimezone(creditor.zone).date()
    sent, _ = await rests_on(tx, creditor, invoice, charged_on)
    first = first_day(sent, creditor) if sent else None
    if first is None or paid_at.astimezone(creditor.zone).date() >= first:
        return
    await _take_back(tx, creditor, invoice, charged, f"relief:{payment}:{charged.id}", now)


async def spare(
    tx: AsyncConnection, creditor: Creditor, invoices: Sequence[InvoiceId], since: datetime, cause: str, now: datetime
) -> None:
    """Take back what was charged since then: an agreement that stops costs was kept after all."""
    table = invoice_table
    locked = select(table).where(table.c.id.in_(invoices)).order_by(table.c.id).with_for_update()
    for row in (await tx.execute(locked)).all():
        late = Late(InvoiceId(row.id), DebtorId(row.debtor_id), row.due_date, row.currency)
        charged = await standing(tx, late.id)
        if charged is not None and charged.at >= since:
            await _take_back(tx, creditor, late, charged, f"relief:{cause}:{charged.id}", now)


async def _take_back(
    tx: AsyncConnection, creditor: Creditor, invoice: Late, charged: Charged, cause: str, now: datetime
) -> None:
    parts = (await open_parts(tx, [invoice.id]))[invoice.id]
    query = select(posting.c.account, posting.c.minor).where(
        posting.c.booking_id == charged.id, posting.c.account != Account.FEES
    )
    was = {Account(account): int(minor) for account, minor in await tx.execute(query)}
    sides, left = [], sum(was.values())
    # The invoice is named on this side: the others may all be credit, and this charge stands no more.
    sides.append(Posting(Account.FEES, Money(left, invoice.currency), None, invoice.id))
    for account in (Account.COSTS, Account.INTEREST, Account.RECEIVABLE):
        most = left if account is Account.RECEIVABLE else was.get(account, 0)
        if part := min(most, max(0, parts[account])):
            sides.append(Posting(account, Money(-part, invoice.currency), invoice.debtor, invoice.id))
            left -= part
    if left:
        sides.append(Posting(Account.CREDIT, Money(-left, invoice.currency), invoice.debtor))
    await book(tx, CreditorKey(creditor.key), Kind.RELIEF, sides, cause=cause, at=now)


async def relieved_by(tx: AsyncConnection, payment: str) -> Money | None:
    """What this payment took back of what had been charged."""
    query = (
        select(func.sum(posting.c.minor), func.max(posting.c.currency))
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(booking.c.cause.like(f"relief:{payment}:%"), posting.c.account == Account.FEES)
    )
    minor, currency = (await tx.execute(query)).one()
    return Money(int(minor), currency) if minor else None


async def agreed_open(tx: AsyncConnection, invoices: Sequence[InvoiceId], since: datetime) -> int:
    """What is open of an agreement over these invoices, in minor units: what was charged after it comes beside it."""
    return sum((await open_amounts(tx, invoices)).values()) - await charged_since(tx, invoices, since)


async def charged_since(tx: AsyncConnection, invoices: Sequence[InvoiceId], since: datetime) -> int:
    """What was charged on these invoices after this moment and was not taken back, in minor units."""
    found = [await standing(tx, key) for key in invoices]
    later = [each.id for each in found if each is not None and each.at > since]
    query = select(func.coalesce(func.sum(-posting.c.minor), 0)).where(
        posting.c.booking_id.in_(later), posting.c.account == Account.FEES
    )
    return int((await tx.execute(query)).scalar_one()) if later else 0


async def rests_on(
    tx: AsyncConnection, creditor: Creditor, invoice: Late, on: date
) -> tuple[Letter | None, Refusal | None]:
    """The letter that costs rest on, and why they may not on this day: the first good one of its kind.

    A later copy moves no date; a corrected one counts where the one before it gives nothing. Raises TooOld where the
    only one was sent before our tables begin.
    """
    wanted = "fourteen_days" if creditor.country == "NL" else "first_reminder"
    # One that was sent before the default is none (BW 6:96 lid 6).
    written = [
        each
        for each in reversed(await letters.of_invoice(tx, invoice.id, creditor.zone))
        if each.kind == wanted and each.sent_on > invoice.due
    ]
    read: list[tuple[Letter | None, Refusal | None]] = []
    too_old: TooOld | None = None
    for each in written:
        try:
            read.append((each, _refusal(each, await principal_at(tx, invoice, each.sent_at), creditor, on)))
        except TooOld as error:
            too_old = error
    if not read and too_old is not None:
        raise too_old
    good = [found for found in read if found[1] in (None, "too_early")]
    if good or read:
        return (good or read[::-1])[0]
    return None, _refusal(None, Money(0, invoice.currency), creditor, on)


def _refusal(sent: Letter | None, principal: Money, creditor: Creditor, on: date) -> Refusal | None:
    if creditor.country == "NL":
        return nl.refusal(sent, principal, on, vat=creditor.fees.vat)
    return be.refusal(sent, principal, on, clause=creditor.fees.clause)


def first_day(sent: Letter, creditor: Creditor) -> date | None:
    """The first day on which costs are owed over this letter."""
    return nl.first_day(sent) if creditor.country == "NL" else be.first_day(sent)


def costs(principal: Money, sent: Letter, creditor: Creditor) -> Money:
    """Over a principal, and never more than the letter named."""
    most = (nl.costs if creditor.country == "NL" else be.costs)(principal, sent.sent_on, creditor.fees.vat)
    return min(most, sent.costs, key=lambda each: each.minor)


async def interest(
    tx: AsyncConnection,
    creditor: Creditor,
    invoice: Late,
    sent: Letter,
    principal: Money,
    until: date,
    *,
    paused: bool = True,
) -> Interest:
    """Over the present principal, so never too much: from default (NL: BW 6:119), or after the free reminder's term.

    `paused`: not over the days on which the debtor was left alone. Raises TooOld.
    """
    if not creditor.fees.interest or principal.minor <= 0:
        return Interest(Money(0, principal.currency), [])
    found: Any = await tx.scalar(select(debtors.c.kind).where(debtors.c.id == invoice.debtor))
    kind: Literal["consumer", "business"] = "business" if found == "business" else "consumer"
    spared = await pauses.days_of(tx, creditor, invoice.debtor, invoice.id, until) if paused else ()
    agreed = creditor.fees.interest_rate
    if creditor.country == "NL":
        return nl.interest(principal, invoice.due + timedelta(days=1), until, kind, agreed, spared)
    return be.interest(principal, be.first_day(sent) or until, until, kind, agreed, spared)


def too_high(creditor: Creditor, on: date) -> str | None:
    """What is wrong with the interest that the creditor has agreed on, as on this day; None: nothing."""
    most = (nl.highest if creditor.country == "NL" else be.highest)(on)
    rate = creditor.fees.interest_rate
    if rate is None or rate <= most:
        return None
    return f"fees.interest_rate is {rate}: on {on} consumers owe {most} percent a year at most; write that, or less"


async def principal_at(tx: AsyncConnection, invoice: Late, at: datetime) -> Money:
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
    return Money(int((await tx.execute(query)).scalar_one()), invoice.currency)
