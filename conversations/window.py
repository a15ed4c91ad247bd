"""WhatsApp's window: free-form messages only for a day after the person's last one; then an approved template."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from conversations.contacts import ContactPoint
from core.creditor import Creditor

_WINDOW = timedelta(hours=24)
# Message key → the creditor's name for its approved template, and what its {{1}}, {{2}} … stand for.
TEMPLATES: Mapping[str, tuple[str, Sequence[str]]] = {
    "reminder.upcoming": ("payment_reminder", ("creditor", "invoice", "amount", "due")),
    "promise.missed": ("promise_missed", ("day",)),
    "plan.instalment_due": ("instalment_due", ("amount", "due", "link")),
    "plan.instalment_missed": ("instalment_missed", ("amount", "due", "link")),
    "plan.broken": ("plan_broken", ()),
    "claim.lapsed": ("payment_proof", ("day",)),
    "debit.failed": ("direct_debit_failed", ("amount", "invoice", "link")),
    "account.released": ("account_released", ()),
}


def closed(point: ContactPoint, now: datetime) -> bool:
    """Whether only a template is taken there now."""
    if point.channel != "whatsapp":
        return False
    return point.last_inbound_at is None or now - point.last_inbound_at >= _WINDOW


def template(key: str, point: ContactPoint, creditor: Creditor, now: datetime) -> tuple[str | None, Sequence[str]]:
    """The approved template that a message goes out as, and the names of its variables; None where it needs none."""
    if not closed(point, now) or creditor.channels.whatsapp is None:
        return None, ()
    name, order = TEMPLATES.get(key, ("", ()))
    return creditor.channels.whatsapp.templates.get(name), order


def takes(key: str, point: ContactPoint, creditor: Creditor, now: datetime) -> bool:
    """Whether a message of this key can arrive there now."""
    return not closed(point, now) or template(key, point, creditor, now)[0] is not None
