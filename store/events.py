"""Domain events: a row in the transaction of its cause (docs/architecture.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database import ring
from store.tables.talk import event

# name → the ids in its payload
PAYMENT_BOOKED = "payment.booked"  # payment_id, link_id
PAYMENT_FAILED = "payment.failed"  # payment_id, link_id
# payment_id, link_id, kind (refund, chargeback), minor, cause (of the booking), reason (where a bank gave one)
PAYMENT_RETURNED = "payment.returned"
# creditor_id, debtor_id, invoice_id, amount (minor), currency, reason ("AM04"), iban_end (or null), cause (unique)
DIRECT_DEBIT_FAILED = "direct_debit.failed"
LINK_REVOKED = "link.revoked"  # link_id
CHECKOUT_OVER = "checkout.over"  # payment_id: nothing should be paid in it any more
BOOKED = "ledger.booked"  # booking_id: less is owed, or credit has come
ACCOUNT_RELEASED = "account.released"  # debtor_id, webhook_id: the shop knows that it may be used again
PROMISE_BROKEN = "promise.broken"  # promise_id
INSTALMENT_DUE = "instalment.due"  # plan_id, number: soon
INSTALMENT_MISSED = "instalment.missed"  # plan_id, number
PLAN_BROKEN = "plan.broken"  # plan_id
PLAN_RESUMED = "plan.resumed"  # plan_id: what had been missed was paid in time
PLAN_ARRANGED = "plan.arranged"  # plan_id: by an agent
CLAIM_LAPSED = "claim.lapsed"  # claim_id
PROOF_GIVEN = "proof.given"  # claim_id, turn_id: its pictures are to be fetched
IBAN_REQUESTED = "iban.requested"  # iban_change_id, debtor_id: the creditor is asked to collect from another account
MESSAGE_SENT = "message.sent"  # outbound_id: of what is about an invoice, or carries a payment link
PICTURE_SENT = "picture.sent"  # turn_id: with a message that a person reads; to be fetched
CARE_DETECTED = "care.detected"  # conversation_id, turn_id, reason
CONVERSATION_OPENED = "conversation.opened"  # conversation_id, reason


async def emit(tx: AsyncConnection, name: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Record what happened; subscribers act on it after the commit, at least once."""
    await tx.execute(insert(event), {"name": name, "payload": dict(payload), "created_at": now, "next_at": now})
    ring(tx, "event")
