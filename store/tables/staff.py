"""The people who work in the desk."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from store.tables.base import identifier, metadata, moment, reference
from store.types import Json

agent = Table(
    "agent",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),  # agent, supervisor, marketer, admin, care
    Column("password_hash", Text, nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    moment("locked_until"),
    moment("created_at", nullable=False),
    UniqueConstraint("email"),
)

desk_session = Table(
    "desk_session",
    metadata,
    Column("id", String(64), primary_key=True),  # hash of the cookie's secret
    reference("agent_id", "agent"),
    Column("csrf", String(64), nullable=False),
    moment("created_at", nullable=False),
    moment("seen_at", nullable=False),
    moment("expires_at", nullable=False),
)

# Who did what in the desk: append-only.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("creditor_id", String(64), nullable=False),
    Column("agent_id", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("detail", Json, nullable=False),
    moment("at", nullable=False),
)
