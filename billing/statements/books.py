"""What lines are matched with: the invoices that are open or named, references of links, and who pays from where."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import OWED, open_amounts
from billing.methods import TRANSFER
from billing.statements.matching import Book, Claimed, Owed, numbers_of, plain, references_of
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import DebtorId, InvoiceId
from core.lifecycle import ClaimState, PaymentStatus
from payments.references import Kind, reference_of
from store.tables.bank import bank_decision, bank_line
from store.tables.money import claim, invoice, payment, payment_link, payment_link_invoice, posting
from store.tables.people import debtor

# A provider pays out within this time, and a bank's statement is a day or two late.
_PAID_OUT = timedelta(days=21)
_AT_ONCE = 5_000  # values in one statement of SQL


async def load(tx: AsyncConnection, creditor: Creditor, lines: Sequence[Any], now: datetime) -> Book:
    """The book for these rows of `bank_line`."""
    texts = [(line.reference, line.text, line.end_to_end) for line in lines]
    references = {each for text in texts for each in references_of(*text)}
    numbers = {each for text in texts for each in numbers_of(*text)}
    links = await _links(tx, creditor, references)
    keys = {key for linked in links.values() for key in linked} | await _open(tx, creditor)
    keys |= await _named(tx, creditor, references, numbers | {_number_in(each) for each in references})
    owed = await _owed(tx, creditor, keys, now)
    ibans = {line.iban for line in lines if line.iban}
    return Book(owed, links, await _payers(tx, creditor, ibans), await _claims(tx, creditor, ibans))


async def _open(tx: AsyncConnection, creditor: Creditor) -> set[InvoiceId]:
    query = (
        select(posting.c.invoice_id)
        .join(invoice, invoice.c.id == posting.c.invoice_id)
        .where(invoice.c.creditor_id == creditor.key, invoice.c.currency == "EUR", posting.c.account.in_(OWED))
        .group_by(posting.c.invoice_id)
        .having(func.sum(posting.c.minor) > 0)
    )
    return {InvoiceId(key) for key in (await tx.execute(query)).scalars()}


async def _named(
    tx: AsyncConnection, creditor: Creditor, references: Iterable[str], numbers: Iterable[str]
) -> set[InvoiceId]:
    """Invoices whose number or own reference stands in a line, paid or not."""
    found: set[InvoiceId] = set()
    for column, values in ((invoice.c.number, numbers), (invoice.c.reference, references)):
        for some in batched(sorted(values), _AT_ONCE):
            query = select(invoice.c.id).where(
                invoice.c.creditor_id == creditor.key,
                invoice.c.currency == "EUR",
                or_(column.in_(some), _plain(column).in_([plain(each) for each in some])),
            )
            found |= {InvoiceId(key) for key in (await tx.execute(query)).scalars()}
    return found


def _number_in(reference: str) -> str:
    """The invoice's number that a reference of ours was made from, where it was not drawn."""
    compact = plain(reference)
    if compact.startswith("RF"):
        return compact[4:]
    return (compact[:10] if reference.startswith("+++") else compact[1:]).lstrip("0")


def _plain(column: Any) -> Any:
    """As `matching.plain`, of the signs that stand in numbers."""
    for sign in "-/. _+":
        column = func.replace(column, sign, "")
    return func.upper(column)


async def _links(tx: AsyncConnection, creditor: Creditor, references: Iterable[str]) -> dict[str, list[InvoiceId]]:
    """The invoices of links with these references; of several links over the same invoices, once."""
    links: defaultdict[str, list[InvoiceId]] = defaultdict(list)
    for some in batched(sorted(references), _AT_ONCE):
        query = (
            select(payment_link.c.reference, payment_link_invoice.c.invoice_id)
            .join(payment_link_invoice, payment_link_invoice.c.link_id == payment_link.c.id)
            .where(payment_link.c.creditor_id == creditor.key, payment_link.c.reference.in_(some))
            .distinct()
        )
        for reference, key in await tx.execute(query):
            links[reference].append(InvoiceId(key))
    return dict(links)


async def _owed(tx: AsyncConnection, creditor: Creditor, keys: Iterable[InvoiceId], now: datetime) -> list[Owed]:
    owed: list[Owed] = []
    for some in batched(sorted(keys), _AT_ONCE):
        open_now = await open_amounts(tx, some)
        online = await _online(tx, some, now)
        rows = select(invoice, debtor.c.name).join(debtor, debtor.c.id == invoice.c.debtor_id)
        for row in await tx.execute(rows.where(invoice.c.id.in_(some))):
            key = InvoiceId(row.id)
            mine = (key, DebtorId(row.debtor_id), row.number, row.name, open_now[key], row.due_date)
            owed.append(Owed(*mine, _references(creditor, row), online.get(key, frozenset())))
    return owed


def _references(creditor: Creditor, row: Any) -> frozenset[str]:
    if row.reference:
        return frozenset({row.reference, plain(row.reference)})
    try:
        return frozenset({reference_of(Kind(creditor.reference), row.number)})
    except BadInput:  # too long for one: its links have references of their own
        return frozenset()


async def _online(
    tx: AsyncConnection, invoices: Sequence[InvoiceId], now: datetime
) -> Mapping[InvoiceId, frozenset[int]]:
    """What was paid through a provider lately and has not been seen on a statement."""
    query = (
        select(payment_link_invoice.c.invoice_id, payment.c.amount)
        .join(payment, payment.c.link_id == payment_link_invoice.c.link_id)
        .outerjoin(bank_decision, bank_decision.c.payment_id == payment.c.id)
        .where(
            payment_link_invoice.c.invoice_id.in_(invoices),
            payment.c.provider != TRANSFER,
            payment.c.status == PaymentStatus.PAID,
            payment.c.paid_at > now - _PAID_OUT,
            bank_decision.c.line_id.is_(None),
        )
    )
    found: defaultdict[InvoiceId, set[int]] = defaultdict(set)
    for key, minor in await tx.execute(query):
        found[InvoiceId(key)].add(minor)
    return {key: frozenset(minors) for key, minors in found.items()}


async def _payers(tx: AsyncConnection, creditor: Creditor, ibans: Iterable[str]) -> dict[str, frozenset[DebtorId]]:
    """Who has paid from these accounts before, or has told that one is theirs."""
    payers: defaultdict[str, set[DebtorId]] = defaultdict(set)
    for some in batched(sorted(ibans), _AT_ONCE):
        paid = (
            select(bank_line.c.iban, payment_link.c.debtor_id)
            .join(bank_decision, bank_decision.c.line_id == bank_line.c.id)
            .join(payment, payment.c.id == bank_decision.c.payment_id)
            .join(payment_link, payment_link.c.id == payment.c.link_id)
            .where(bank_line.c.creditor_id == creditor.key, bank_line.c.iban.in_(some), bank_line.c.amount > 0)
        )
        told = select(debtor.c.iban, debtor.c.id).where(debtor.c.creditor_id == creditor.key, debtor.c.iban.in_(some))
        for query in (paid, told):
            for iban, key in await tx.execute(query):
                payers[iban].add(DebtorId(key))
    return {iban: frozenset(who) for iban, who in payers.items()}


async def _claims(tx: AsyncConnection, creditor: Creditor, ibans: Iterable[str]) -> list[Claimed]:
    """Who says to have paid from accounts that end so, and whose money has not been found."""
    found = []
    for some in batched(sorted({iban[-4:] for iban in ibans}), _AT_ONCE):
        query = select(claim).where(
            claim.c.creditor_id == creditor.key, claim.c.state != ClaimState.SETTLED, claim.c.account_end.in_(some)
        )
        for row in await tx.execute(query):
            amount = row.amount if row.currency == "EUR" else None
            invoices = [InvoiceId(key) for key in row.invoices]
            found.append(Claimed(DebtorId(row.debtor_id), invoices, amount, row.account_end))
    return found
