"""The remittance report: what moved on the creditor's account in a day, as the ledger has it."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime, time, timedelta
from itertools import batched
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import OWED, Account
from core.creditor import Creditor
from core.money import Money
from store.database import Database
from store.tables.money import booking, invoice, payment, payment_link, posting
from store.tables.people import debtor

# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
_FORMULA = re.compile(r"^[=+\-@\t\r\n]")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Movement:
    """A booking on the bank account; money that went back is negative."""

    booked_at: datetime  # in the creditor's time zone
    kind: str  # payment, refund, chargeback
    provider: str  # "" where it is no payment that we know
    method: str
    payment: str
    reference: str
    customer_number: str
    invoices: Sequence[str]
    amount: Money


@dataclass(frozen=True, slots=True)
class Total:
    provider: str
    method: str
    kind: str
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Remittance:
    day: date
    movements: Sequence[Movement]

    @property
    def totals(self) -> list[Total]:
        """For each provider, method, kind and currency."""
        sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
        for each in self.movements:
            sums[each.provider, each.method, each.kind, each.amount.currency].append(each.amount.minor)
        return [
            Total(provider, method, kind, len(minors), Money(sum(minors), currency))
            for (provider, method, kind, currency), minors in sorted(sums.items())
        ]

    @property
    def sums(self) -> list[Money]:
        """One for each currency."""
        sums: dict[str, int] = defaultdict(int)
        for each in self.movements:
            sums[each.amount.currency] += each.amount.minor
        return [Money(minor, currency) for currency, minor in sorted(sums.items())]

    def csv(self) -> bytes:
        """UTF-8, with a header row. No cell is a formula to a spreadsheet."""
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow([*Movement.__slots__, "currency"])
        for each in self.movements:
            at, *texts = astuple(each)[:7]
            cells = [at.isoformat(), *texts, " ".join(each.invoices)]
            rows.writerow([*map(_cell, cells), each.amount.decimal, each.amount.currency])
        return out.getvalue().encode()


async def remittance(database: Database, creditor: Creditor, day: date) -> Remittance:
    """Of one day in the creditor's time zone, by the moment of booking, in its order."""
    since, until = (datetime.combine(each, time.min, creditor.zone) for each in (day, day + timedelta(days=1)))
    query = (
        select(booking.c.id, booking.c.cause, booking.c.kind, booking.c.at, posting.c.minor, posting.c.currency)
        .join(posting, posting.c.booking_id == booking.c.id)
        .where(
            booking.c.creditor_id == creditor.key,
            booking.c.at >= since,
            booking.c.at < until,
            posting.c.account == Account.BANK,
        )
        .order_by(posting.c.seq)
    )
    async with database.read() as tx:
        rows = list(await tx.execute(query))
        movements: list[Movement] = []
        for chunk in batched(rows, _CHUNK):
            movements += await _movements(tx, chunk, creditor.zone)
    return Remittance(day, movements)


async def _movements(tx: AsyncConnection, rows: Sequence[Any], zone: ZoneInfo) -> list[Movement]:
    of_payment = {row.id: row.cause.split(":")[1] for row in rows if ":" in row.cause}
    query = (
        select(payment.c.id, payment.c.provider, payment.c.method, payment_link.c.reference)
        .join(payment_link, payment_link.c.id == payment.c.link_id)
        .where(payment.c.id.in_(set(of_payment.values())))
    )
    payments = {row.id: row for row in await tx.execute(query)}
    numbers, customers = await _whose(tx, [row.id for row in rows])
    movements = []
    for row in rows:
        paid = payments.get(of_payment.get(row.id))
        movements.append(
            Movement(
                booked_at=row.at.astimezone(zone),
                kind=row.kind,
                provider=paid.provider if paid else "",
                method=(paid.method or "") if paid else "",
                payment=paid.id if paid else "",
                reference=paid.reference if paid else "",
                customer_number=customers.get(row.id, ""),
                invoices=numbers.get(row.id, []),
                amount=Money(row.minor, row.currency),
            )
        )
    return movements


async def _whose(tx: AsyncConnection, bookings: Sequence[str]) -> tuple[Mapping[str, list[str]], Mapping[str, str]]:
    """Of each booking: the invoices that it touched, and the customer's number."""
    query = (
        select(posting.c.booking_id, debtor.c.customer_number, posting.c.account, invoice.c.number)
        .join(debtor, debtor.c.id == posting.c.debtor_id)
        .outerjoin(invoice, invoice.c.id == posting.c.invoice_id)
        .where(posting.c.booking_id.in_(bookings))
        .order_by(posting.c.seq)
    )
    numbers: dict[str, list[str]] = defaultdict(list)
    customers: dict[str, str] = {}
    for row in await tx.execute(query):
        customers[row.booking_id] = row.customer_number
        if row.account in OWED and row.number not in numbers[row.booking_id]:
            numbers[row.booking_id].append(row.number)
    return numbers, customers


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
