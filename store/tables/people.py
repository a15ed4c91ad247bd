"""Creditors, debtors, their contact points, and what protects them."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from store.tables.base import identifier, metadata, moment, plain, reference
from store.types import Json

creditor = Table(
    "creditor",
    metadata,
    identifier(),  # its key
    Column("config", Json, nullable=False),  # core.creditor.Creditor, secrets as references
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)

debtor = Table(
    "debtor",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("customer_number", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # consumer, business
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", String(20)),  # E.164
    Column("street", Text),
    Column("house_number", String(20)),
    Column("postcode", String(16)),
    Column("city", Text),
    Column("country", String(2)),
    Column("date_of_birth", Date),
    Column("language", String(2)),
    Column("iban", String(34)),
    Column("endpoint", String(80)),  # of e-invoices: scheme:number
    Column("marketing_consent", Boolean, nullable=False, default=False),
    moment("marketing_consent_at"),
    moment("blocked_at"),  # the shop has blocked the account, as it told us
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
    UniqueConstraint("creditor_id", "customer_number"),
    plain("customer_number"),
    Index("ix_debtor_plain_number", "creditor_id", "plain_number"),
    Index("ix_debtor_creditor_phone", "creditor_id", "phone"),
)

# An address of a person on a channel: a number, a chat, a session. Recognition is not proof: `verified_until` is.
contact_point = Table(
    "contact_point",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("channel", String(16), nullable=False),  # web, rest, whatsapp, sms, telegram
    Column("address", Text, nullable=False),
    reference("conversation_id", "conversation", index=True),
    reference("debtor_id", "debtor", nullable=True, index=True),  # as recognised or verified
    moment("verified_until"),
    moment("confirmed_until"),  # by a code to the address on file, or the shop's token: what binds may be agreed on
    Column("locale", String(2)),
    moment("opted_out_at"),
    moment("last_inbound_at"),  # opens WhatsApp's window of 24 hours
    moment("created_at", nullable=False),
    UniqueConstraint("creditor_id", "channel", "address"),
)

# Guesses are counted per customer record, per address and per network address.
verification_attempt = Table(
    "verification_attempt",
    metadata,
    identifier(),
    Column("creditor_id", String(64), nullable=False),
    Column("scope", String(16), nullable=False),  # debtor, contact_point, network
    Column("subject", Text, nullable=False),
    moment("at", nullable=False),
    Index("ix_verification_attempt_subject", "creditor_id", "scope", "subject", "at"),
)

# A code to the telephone on file, before what binds.
one_time_code = Table(
    "one_time_code",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor"),
    reference("contact_point_id", "contact_point", index=True),  # where it was asked for
    Column("cause", String(200), nullable=False, unique=True),  # the turn
    Column("hash", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),  # wrong guesses
    moment("created_at", nullable=False),
    moment("expires_at", nullable=False),
    moment("used_at"),
    Index("ix_one_time_code_debtor", "debtor_id", "created_at"),
)

# Stopping needs no proof; only a person lifts it.
hold = Table(
    "hold",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("conversation_id", "conversation", index=True),
    reference("debtor_id", "debtor", nullable=True, index=True),
    reference("invoice_id", "invoice", nullable=True),
    Column("reason", String(32), nullable=False),  # core.hold.Reason
    # Only heard beside another wish: reminders, fees and offers stop, and what the bot says stays as it is.
    Column("suspected", Boolean, nullable=False, default=False),
    Column("by", String(80), nullable=False),  # "turn:<id>" or "agent:<id>"
    moment("since", nullable=False),
    moment("lifted_at"),
    Column("lifted_by", String(80)),
    UniqueConstraint("conversation_id", "reason", "by"),
)

# How long each class of data is kept; erasure follows it (app's scheduler).
retention = Table(
    "retention",
    metadata,
    Column("data", String(32), primary_key=True),  # messages, care, dialogue, ledger, attempts, sessions
    Column("days", Integer, nullable=False),
)
