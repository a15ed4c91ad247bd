"""What the shop sells, has sent, and answers."""

from sqlalchemy import BigInteger, Column, Date, Index, LargeBinary, String, Table, Text, UniqueConstraint

from store.tables.base import identifier, metadata, moment, reference
from store.types import Json

order = Table(
    "order",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    Column("number", String(64), nullable=False),
    Column("ordered_at", Date, nullable=False),
    Column("status", String(16), nullable=False),  # processing, shipped, delivered, returned, cancelled
    Column("carrier", Text),
    Column("tracking_url", Text),
    Column("expected_at", Date),
    Column("invoice_number", String(64)),
    moment("updated_at", nullable=False),
    UniqueConstraint("creditor_id", "number"),
)

product = Table(
    "product",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("external_id", String(120), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("image", Text),
    Column("language", String(2)),
    Column("currency", String(3)),
    Column("price", BigInteger),
    Column("availability", String(32)),
    Column("attributes", Json, nullable=False),  # brand, colour, size, … as the feed names them
    moment("updated_at", nullable=False),
    UniqueConstraint("creditor_id", "external_id"),
)

faq = Table(
    "faq",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("language", String(2), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("link", Text),
    moment("updated_at", nullable=False),
    UniqueConstraint("creditor_id", "language", "question"),
)

# The search index, made at import: one row a product or FAQ, with the vectors of what it is found by.
passage = Table(
    "passage",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("source", String(16), nullable=False),  # faq, product
    Column("source_id", String(64), nullable=False),
    Column("model", String(64), nullable=False),  # which encoder made the vectors
    Column("vectors", LargeBinary, nullable=False),  # float16, unit length: of its name, then of each sentence
    UniqueConstraint("creditor_id", "source", "source_id"),
    # Each question asks how many there are and which is the newest.
    Index("ix_passage_creditor_id", "creditor_id", "model", "id"),
)
