"""The creditor's bank account as its statements tell it: append-only, like what was decided about each line."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from store.tables.base import identifier, metadata, moment, reference
from store.types import Json

bank_statement = Table(
    "bank_statement",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("account", String(34), nullable=False),  # IBAN
    Column("number", String(70), nullable=False),  # the bank's id of it
    Column("sequence", String(20), nullable=False),  # empty where the bank counts none
    Column("content_hash", String(64), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("opening", BigInteger, nullable=False),
    Column("closing", BigInteger, nullable=False),
    Column("by", String(80), nullable=False),  # "command" or "agent:<id>"
    moment("created_at", nullable=False),
    UniqueConstraint("creditor_id", "account", "number", "sequence", "content_hash"),
)

# Who paid, and with which words, is emptied after a time (retention): the amount stays.
bank_line = Table(
    "bank_line",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("statement_id", "bank_statement", index=True),
    Column("position", Integer, nullable=False),
    Column("identity", String(64), nullable=False),  # the same line in another statement has the same
    Column("content", String(64), nullable=False),  # a line without the bank's reference is known by what it says
    Column("twin", Boolean, nullable=False),  # and one that says the same as an earlier one is for a person
    Column("kind", String(16), nullable=False),  # billing.statements.camt.LineKind
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),  # in: positive, out: negative
    Column("booked_on", Date, nullable=False),
    Column("bank_reference", String(70)),
    Column("end_to_end", String(70)),
    Column("reference", String(140)),
    Column("text", Text, nullable=False),
    Column("name", String(140)),
    Column("iban", String(34)),
    Column("reason", String(4)),  # ISO 20022 return reason
    moment("created_at", nullable=False),
    moment("looked_at"),  # last matched; null: not yet
    Column("suggested", Json),  # ids of invoices, those due first at the front
    Column("suggested_rule", String(16)),  # billing.statements.matching.Rule
    UniqueConstraint("creditor_id", "identity"),
    Index("ix_bank_line_content", "creditor_id", "content"),
    Index("ix_bank_line_iban", "creditor_id", "iban"),
    Index("ix_bank_line_end_to_end", "creditor_id", "end_to_end"),
    Index("ix_bank_line_looked_at", "creditor_id", "kind", "looked_at"),
)

# What became of a line. The number counts what was decided about it: of two at once the second finds it taken.
bank_decision = Table(
    "bank_decision",
    metadata,
    Column("line_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("outcome", String(16), nullable=False),  # billing.statements.deciding.Outcome
    Column("rule", String(16), nullable=False),  # billing.statements.matching.Rule
    reference("payment_id", "payment", nullable=True, index=True),
    reference("invoice_id", "invoice", nullable=True),
    reference("agent_id", "agent", nullable=True),
    Column("note", Text),
    moment("at", nullable=False),
)
