"""What the creditor's shop is to be told: an outbox of signed webhooks."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from store.tables.base import identifier, metadata, moment, reference

shop_webhook = Table(
    "shop_webhook",
    metadata,
    identifier(),  # the webhook-id: the same in every attempt
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", index=True),
    Column("event", String(32), nullable=False),
    Column("cause", String(200), nullable=False, unique=True),
    Column("body", Text, nullable=False),  # JSON, exactly as it is signed and sent
    Column("state", String(16), nullable=False),  # core.lifecycle.WebhookState
    Column("attempts", Integer, nullable=False),
    moment("next_at", nullable=False),
    moment("lease_until"),
    Column("error", String(40)),  # of the last attempt: "500", "timeout"
    moment("created_at", nullable=False),
    moment("ended_at"),
    Index("ix_shop_webhook_waiting", "state", "next_at"),
    Index("ix_shop_webhook_creditor", "creditor_id", "state", "lease_until"),
)
