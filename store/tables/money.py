"""Invoices, the ledger, payment links and payments, letters, promises and plans."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from store.tables.base import at_most_one, identifier, metadata, moment, plain, reference
from store.types import Json

invoice = Table(
    "invoice",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    Column("number", String(64), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("due_date", Date, nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),  # as invoiced, minor units; what is open is the ledger's
    Column("imported_open", BigInteger),  # open as the last file said: the same file twice is no news
    Column("description", Text, nullable=False, default=""),
    Column("reference", String(64)),
    Column("principal", Text),  # whose claim it is, where the creditor is an agency
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
    plain("number"),
    Index("ix_invoice_plain_number", "creditor_id", "plain_number"),
    UniqueConstraint("creditor_id", "number"),
    Index("ix_invoice_reference", "creditor_id", "reference"),
)

# Append-only and double entry: the postings of a booking add up to nothing.
booking = Table(
    "booking",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("cause", String(200), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),  # opening, correction, payment, refund, …
    moment("at", nullable=False),
)

posting = Table(
    "posting",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    reference("booking_id", "booking", index=True),
    Column("account", String(32), nullable=False),  # billing.ledger.Account
    reference("debtor_id", "debtor", nullable=True),
    reference("invoice_id", "invoice", nullable=True, index=True),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),  # debit positive, credit negative
    Index("ix_posting_debtor", "debtor_id", "account"),
)

payment_link = Table(
    "payment_link",
    metadata,
    identifier(),
    Column("token", String(64), nullable=False, unique=True),  # 128 bits
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor"),
    reference("conversation_id", "conversation", nullable=True),
    Column("cause", String(200), nullable=False, unique=True),
    Column("reference", String(64), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # core.lifecycle.LinkState
    Column("times", Json, nullable=False),  # state → moment
    moment("expires_at", nullable=False),
    moment("created_at", nullable=False),
    CheckConstraint("amount > 0", name="amount_positive"),
    Index("ix_payment_link_expiry", "state", "expires_at"),
    Index("ix_payment_link_debtor", "debtor_id"),
    Index("ix_payment_link_conversation", "conversation_id"),
    Index("ix_payment_link_reference", "creditor_id", "reference"),
)

payment_link_invoice = Table(
    "payment_link_invoice",
    metadata,
    Column("link_id", String(64), primary_key=True),
    Column("invoice_id", String(64), primary_key=True, index=True),
    Column("amount", BigInteger, nullable=False),
)

payment = Table(
    "payment",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("link_id", "payment_link", index=True),
    Column("provider", String(16), nullable=False),
    Column("external_id", String(120)),  # null until the provider has answered
    Column("cause", String(200), nullable=False, unique=True),  # the key given to the provider
    Column("checkout_url", Text),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),  # core.lifecycle.PaymentStatus
    Column("method", String(32)),
    Column("alias", String(120), index=True),  # another id of the provider's, where it has two
    Column("refunded", BigInteger, nullable=False, server_default="0"),  # of the amount, as booked
    Column("charged_back", BigInteger, nullable=False, server_default="0"),
    moment("created_at", nullable=False),
    moment("checked_at"),  # last fetched: open ones are polled
    moment("paid_at"),
    UniqueConstraint("creditor_id", "provider", "external_id"),
    Index("ix_payment_status", "status", "created_at"),
)

# Money that an agent pays back: asked of the provider, and booked when the payment's own state says that it has gone.
refund = Table(
    "refund",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("payment_id", "payment", index=True),
    Column("cause", String(200), nullable=False, unique=True),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # core.lifecycle.RefundState
    Column("external_id", String(120)),  # the provider's, once it has answered
    Column("code", String(64)),  # why it was refused
    Column("agent_id", String(64), nullable=False),
    moment("created_at", nullable=False),
    moment("ended_at"),
)

# What costs rest on: a letter, its sending and its receipt.
letter = Table(
    "letter",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor"),
    reference("invoice_id", "invoice", index=True),
    Column("kind", String(32), nullable=False),  # billing.law.Kind
    Column("content_hash", String(80), nullable=False),
    Column("channel", String(16), nullable=False),  # email, post
    moment("sent_at", nullable=False),
    Column("received_on", Date),
    Column("currency", String(3), nullable=False),
    Column("costs", BigInteger, nullable=False),  # as the letter names them, minor units
    UniqueConstraint("invoice_id", "content_hash"),
)

# One date, in full: until then nothing reminds.
promise = Table(
    "promise",
    metadata,
    identifier(),
    reference("creditor_id", "creditor", index=True),
    reference("debtor_id", "debtor", index=True),
    reference("conversation_id", "conversation"),
    Column("cause", String(200), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # core.lifecycle.PromiseState
    Column("until", Date, nullable=False),
    Column("invoices", Json, nullable=False),  # their ids
    moment("created_at", nullable=False),
    moment("ended_at"),
    at_most_one("promise", "debtor_id", state="made"),
)

plan = Table(
    "plan",
    metadata,
    identifier(),
    reference("creditor_id", "creditor", index=True),
    reference("debtor_id", "debtor", index=True),
    reference("conversation_id", "conversation"),
    Column("cause", String(200), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # core.lifecycle.PlanState
    Column("currency", String(3), nullable=False),
    Column("total", BigInteger, nullable=False),  # what its instalments add up to
    Column("invoices", Json, nullable=False),  # their ids
    moment("created_at", nullable=False),
    moment("ended_at"),
    moment("resumed_at"),  # it had broken only as a bank told late of what was paid in time
    at_most_one("plan", "debtor_id", state="agreed"),
)

instalment = Table(
    "instalment",
    metadata,
    Column("plan_id", String(64), ForeignKey("plan.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # core.lifecycle.InstalmentState
)

# "I have paid already", where nothing was found: until a day nothing reminds, and then the proof is asked for.
claim = Table(
    "claim",
    metadata,
    identifier(),
    reference("creditor_id", "creditor", index=True),
    reference("debtor_id", "debtor", index=True),
    reference("conversation_id", "conversation"),
    Column("cause", String(200), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # core.lifecycle.ClaimState
    Column("invoices", Json, nullable=False),  # their ids
    Column("paid_on", Date),  # as the person says; null where a picture says it
    Column("currency", String(3)),
    Column("amount", BigInteger),  # likewise, minor units
    Column("account_end", String(4)),  # of the account that it was paid from
    Column("until", Date, nullable=False),
    moment("created_at", nullable=False),
    moment("ended_at"),
)

# Pictures of a payment, as people sent them: for an agent's eyes, and never trusted.
proof = Table(
    "proof",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("claim_id", "claim", index=True),
    Column("turn_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),  # of the turn's pictures, from 0
    Column("media_type", String(32)),  # as its content says; null where it was refused
    Column("content", LargeBinary),
    moment("created_at", nullable=False),
    UniqueConstraint("turn_id", "number"),
)

# Direct debits that failed, or were taken back: as a statement or the creditor told.
direct_debit = Table(
    "direct_debit",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    reference("invoice_id", "invoice"),
    Column("cause", String(200), nullable=False, unique=True),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", String(8), nullable=False),  # ISO 20022, billing.debits
    Column("iban_end", String(4)),
    moment("at", nullable=False),
)

# Another account to collect from, as its holder wishes: a request to the creditor, who changes the mandate.
iban_change = Table(
    "iban_change",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    reference("conversation_id", "conversation"),
    Column("cause", String(200), nullable=False, unique=True),
    Column("iban", String(34), nullable=False),
    moment("created_at", nullable=False),
    moment("requested_at"),  # read back and confirmed
)

# A risk class that somebody outside tells, or that an agent decides; what the rules give is computed.
risk = Table(
    "risk",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    Column("name", String(16)),  # low, medium, high; null: no class, as an agent decided
    Column("source", String(80)),  # who outside
    Column("agent_id", String(64)),
    Column("note", Text),  # the agent's reason
    moment("at", nullable=False),
    moment("expires_at"),
    moment("withdrawn_at"),
)

# The sandbox bank's own books: development only.
sandbox_payment = Table(
    "sandbox_payment",
    metadata,
    identifier(),
    Column("key", String(200), nullable=False, unique=True),
    Column("order", Json, nullable=False),
    Column("status", String(16), nullable=False),
    moment("settles_at"),  # a delayed success
    Column("refunds", Json, nullable=False),  # key → id and minor units
    moment("created_at", nullable=False),
)
