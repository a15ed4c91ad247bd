"""Invoices and credit notes from UBL files. An invoice is booked and corrected as one from a CSV file is."""

import hashlib
import re
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.imports import cells, credit_notes, debtors, invoices
from billing.ubl import tree
from billing.ubl.document import Document, Party, document_of
from billing.ubl.totals import check
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import DebtorId, InvoiceId
from core.imported import Imported
from store.database import Database
from store.tables.invoices import invoice_document
from store.tables.money import invoice
from store.tables.people import debtor
from store.upsert import upsert

# Of a number that tells who somebody is: the Dutch chamber of commerce has eight digits.
_SHORTEST = 8


async def load(
    database: Database,
    clock: Clock,
    creditor: Creditor,
    content: bytes,
    *,
    dry_run: bool = False,
    coming: Set[str] = frozenset(),
) -> Imported:
    """One file, an invoice or a credit note. `coming`: invoices that a dry run has found good before."""
    result, now = Imported(), clock.now()
    try:
        document = read(content)
        digest = hashlib.sha256(content).hexdigest()
        async with database.begin() as tx:
            if document.credit_note:
                changed = await _credit(tx, creditor, document, now, coming)
            else:
                changed = await _invoice(tx, creditor, document, digest, now)
            if dry_run:
                await tx.rollback()
    except BadInput as error:
        result.bad.append((1, str(error)))
    else:
        result.loaded, result.unchanged = int(changed), int(not changed)
    return result


async def load_all(
    database: Database,
    clock: Clock,
    creditor: Creditor,
    files: Sequence[tuple[str, Callable[[], bytes]]],
    *,
    dry_run: bool = False,
) -> dict[str, Imported]:
    """Many files, by their names; credit notes after the invoices that they refer to."""
    order = sorted(files, key=lambda file: (tree.is_credit_note(file[1]()[:4096]), file[0]))
    results: dict[str, Imported] = {}
    good: set[str] = set()
    for name, content in order:
        results[name] = await load(database, clock, creditor, content(), dry_run=dry_run, coming=good)
        if dry_run and not results[name].bad:
            good.add(read(content()).number)
    return results


def read(content: bytes) -> Document:
    """A file as a document whose sums are right. Raises BadInput."""
    document = document_of(tree.read(content))
    check(document)
    if document.totals.payable.minor < 0 or document.totals.gross.minor < 0:
        raise BadInput("the amount is below zero; send a credit note for what is given back")
    return document


def is_seller(creditor: Creditor, document: Document) -> bool:
    """Whether the file comes from the creditor: one of the seller's numbers stands in `registration`, or its IBAN.

    Countries and punctuation do not matter: `BE 0123.456.789` is `0123456789`.
    """
    known = {_bare(number) for number in re.split(r"[,;/|]", creditor.registration)}
    known |= {_bare(number) for number in creditor.registration.split()}
    ibans = {re.sub(r"\s", "", iban).upper() for iban in document.ibans}
    numbers = {_bare(number) for number in document.seller.numbers}
    return creditor.iban in ibans or any(len(number) >= _SHORTEST for number in known & numbers)


def _bare(number: str) -> str:
    compact = re.sub(r"[^0-9A-Z]", "", number.upper())
    return re.sub(r"^[A-Z]+(?=[0-9]{8})", "", compact)


async def _invoice(tx: AsyncConnection, creditor: Creditor, document: Document, digest: str, now: datetime) -> bool:
    _check_seller(creditor, document)
    query = select(invoice).where(invoice.c.creditor_id == creditor.key, invoice.c.number == document.number)
    known = (await tx.execute(query.with_for_update())).one_or_none()
    stored = None
    if known is not None:
        of_it = select(invoice_document).where(invoice_document.c.invoice_id == known.id)
        stored = (await tx.execute(of_it)).one_or_none()
        if stored is not None and stored.digest == digest:
            return False
    if document.due is None:
        raise BadInput("DueDate is missing; without it nobody knows when to pay")
    prepaid = document.totals.prepaid
    if prepaid.minor < 0:
        raise BadInput("PrepaidAmount is below zero")
    if stored is not None and stored.prepaid != prepaid.minor:
        raise BadInput("PrepaidAmount is another one than before; what was paid since is booked as a payment")
    owner = await _buyer(tx, creditor, document.buyer, now, known)
    amount = document.totals.payable + prepaid
    given: dict[str, Any] = {
        "invoice_number": document.number,
        "issue_date": document.issued,
        "due_date": document.due,
        "currency": document.currency,
        "amount": f"{amount.decimal:f}",
        "description": _description(document),
    }
    if known is None:
        given["open_amount"] = f"{document.totals.payable.decimal:f}"
    if document.reference is not None:
        given["reference"] = document.reference
    if creditor.kind == "agency":
        given["principal"] = document.seller.name
    await invoices.keep(tx, creditor, owner, known, given, now)
    key = InvoiceId(known.id if known is not None else (await tx.execute(query)).one().id)
    values: dict[str, Any] = {
        "digest": digest,
        "amount": amount.minor,
        "prepaid": prepaid.minor,
        "content": content_of(document),
    }
    values |= {"pdf": document.pdf, "imported_at": now}
    await upsert(tx, invoice_document, ("invoice_id",), invoice_id=key, **values)
    return True


async def _credit(tx: AsyncConnection, creditor: Creditor, document: Document, now: datetime, coming: Set[str]) -> bool:
    _check_seller(creditor, document)
    numbers = invoice.c.number.in_(document.refers_to)
    query = select(invoice).where(invoice.c.creditor_id == creditor.key, numbers).order_by(invoice.c.id)
    found = {row.number: row for row in await tx.execute(query.with_for_update())}
    missing = [number for number in document.refers_to if number not in found]
    if missing and coming >= set(missing):
        return True
    if missing:
        raise BadInput(f"BillingReference names invoice “{missing[0][:64]}”, which is not here; import it first")
    buyer = await _known_buyer(tx, creditor, document.buyer)
    owners = {row.debtor_id for row in found.values()} | ({buyer.id} if buyer is not None else set())
    if not owners:
        raise BadInput("neither the customer nor an invoice that it refers to is known; import these first")
    if len(owners) > 1:
        raise BadInput("the customer is another one than that of the invoice in BillingReference")
    note = credit_notes.CreditNote(
        document.number, DebtorId(owners.pop()), document.issued, document.totals.payable, list(document.refers_to)
    )
    return await credit_notes.keep(tx, creditor, note, [InvoiceId(found[each].id) for each in document.refers_to], now)


def _check_seller(creditor: Creditor, document: Document) -> None:
    # An agency collects for others, whose numbers no file of ours lists: the seller is the principal.
    if creditor.kind == "agency" or is_seller(creditor, document):
        return
    who = f"“{document.seller.name}”"
    raise BadInput(
        f"AccountingSupplierParty {who} is not {creditor.name}: neither a number in `registration` nor `iban` fits"
    )


async def _buyer(tx: AsyncConnection, creditor: Creditor, buyer: Party, now: datetime, known: Any) -> DebtorId:
    """The debtor: found, else made of what the invoice says. A file never changes a debtor that is known."""
    found = await _known_buyer(tx, creditor, buyer)
    if found is not None:
        return DebtorId(found.id)
    number = buyer.customer_number or buyer.endpoint
    if known is not None and number is None:
        return DebtorId(known.debtor_id)
    if number is None:
        raise BadInput(
            "AccountingCustomerParty has no customer number (PartyIdentification without scheme) and no EndpointID"
        )
    given = {
        "customer_number": cells.text(64)(number),
        "kind": "business" if buyer.business else "consumer",
        "name": buyer.name,
        "endpoint": buyer.endpoint,
        **_address(buyer),
    }
    outcome = await debtors.keep(tx, creditor, None, given, now)
    if isinstance(outcome, str):
        raise BadInput(f"AccountingCustomerParty, {outcome}")
    made = await _known_buyer(tx, creditor, buyer)
    assert made is not None  # just stored
    return DebtorId(made.id)


async def _known_buyer(tx: AsyncConnection, creditor: Creditor, buyer: Party) -> Any:
    """By customer number, else by endpoint. Raises BadInput where several have the endpoint."""
    ours = select(debtor).where(debtor.c.creditor_id == creditor.key)
    for number in filter(None, (buyer.customer_number, buyer.endpoint)):
        if found := (await tx.execute(ours.where(debtor.c.customer_number == number))).one_or_none():
            return found
    if buyer.customer_number is not None or buyer.endpoint is None:
        return None
    having = (await tx.execute(ours.where(debtor.c.endpoint == buyer.endpoint).limit(2))).all()
    if len(having) > 1:
        raise BadInput(f"several customers have the endpoint {buyer.endpoint}; give the customer number")
    return having[0] if having else None


def _address(buyer: Party) -> dict[str, Any]:
    """What verification asks for, and how the person is reached; what is unreadable is left out, but no postcode."""
    given: dict[str, Any] = {"street": buyer.street, "city": buyer.city, "postcode": buyer.postcode}
    if buyer.street and (match := re.fullmatch(r"(.*\D)\s+(\d+\s?\S{0,8})", buyer.street)):
        given |= {"street": match[1], "house_number": match[2]}
    for name, value, read_cell in (
        ("country", buyer.country, cells.country),
        ("email", buyer.email, cells.email),
        ("phone", buyer.phone, cells.phone),
    ):
        with suppress(BadInput):
            given[name] = read_cell(value) if value else None
    return given


def _description(document: Document) -> str:
    names = list(dict.fromkeys(line.name for line in document.lines))
    text = ", ".join(names)
    return text if len(text) <= 200 else f"{text[:199].rstrip(' ,')}…"


def content_of(document: Document) -> dict[str, Any]:
    """The lines and sums as JSON; numbers stay exact, as texts, and amounts are minor units."""
    parts = {name: getattr(document, name) for name in ("lines", "extras", "taxed")}
    content = {name: [_plain(asdict(each)) for each in group] for name, group in parts.items()}
    return {**content, "totals": _plain(asdict(document.totals))}


def _plain(value: Any) -> Any:
    match value:
        case {"minor": int(minor), "currency": str()}:
            return minor
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
    return value
