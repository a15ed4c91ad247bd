"""What belongs to an invoice besides its amount: its lines and print, credit notes, copies, what became of it."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, LargeBinary, String, Table, UniqueConstraint

from store.tables.base import identifier, metadata, moment, reference
from store.types import Json

# The invoice as its UBL file had it. Kept while it is the last word: an amount that was corrected since has none.
invoice_document = Table(
    "invoice_document",
    metadata,
    Column("invoice_id", String(64), ForeignKey("invoice.id"), primary_key=True),
    Column("digest", String(64), nullable=False),  # SHA-256 of the file: the same one again is no news
    Column("amount", BigInteger, nullable=False),  # of the invoice when this was its file, minor units
    Column("prepaid", BigInteger, nullable=False),
    Column("content", Json, nullable=False),  # billing.ubl.document: lines, extras, taxed, totals
    Column("pdf", LargeBinary),  # as the creditor has printed it
    moment("imported_at", nullable=False),
)

credit_note = Table(
    "credit_note",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    Column("number", String(64), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("refers_to", Json, nullable=False),  # numbers of invoices, as the note names them
    moment("created_at", nullable=False),
    UniqueConstraint("creditor_id", "number"),
)

# A page of ours that gives a copy, to whoever has its token, for some days.
invoice_copy = Table(
    "invoice_copy",
    metadata,
    identifier(),
    Column("token", String(64), nullable=False, unique=True),  # 128 bits
    reference("creditor_id", "creditor"),
    reference("invoice_id", "invoice", index=True),
    Column("locale", String(2), nullable=False),
    Column("cause", String(200), nullable=False, unique=True),
    moment("expires_at", nullable=False, index=True),
    moment("created_at", nullable=False),
)

# What became of an invoice. Append-only; the same cause is the same event.
invoice_event = Table(
    "invoice_event",
    metadata,
    identifier(),
    reference("invoice_id", "invoice"),
    Column("kind", String(16), nullable=False),  # billing.invoice_events.Kind
    Column("cause", String(200), nullable=False),
    moment("at", nullable=False, index=True),
    UniqueConstraint("invoice_id", "kind", "cause"),
)
