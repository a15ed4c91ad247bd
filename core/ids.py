"""Identifiers: opaque strings, told apart by type."""

import secrets
import time
from typing import NewType

CreditorKey = NewType("CreditorKey", str)
DebtorId = NewType("DebtorId", str)
ConversationId = NewType("ConversationId", str)
ContactPointId = NewType("ContactPointId", str)
TurnId = NewType("TurnId", str)
OutboundId = NewType("OutboundId", str)
InvoiceId = NewType("InvoiceId", str)
LinkId = NewType("LinkId", str)
AgentId = NewType("AgentId", str)


def new_id() -> str:
    """A fresh identifier of 32 hex digits that sorts by time (48 bits of milliseconds, then 80 random bits)."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def new_secret() -> str:
    """128 random bits, safe in an address: for tokens, sessions and buttons."""
    return secrets.token_urlsafe(16)
