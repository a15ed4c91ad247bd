"""State machines as data: one enum and one transition table each."""

from collections.abc import Mapping
from enum import StrEnum

from core.errors import IllegalTransition


class ConversationState(StrEnum):
    PENDING = "pending"  # the bot's
    OPEN = "open"  # an agent's, or waiting for one
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class TurnState(StrEnum):
    RECEIVED = "received"
    DONE = "done"


class TurnOutcome(StrEnum):
    ANSWERED = "answered"  # by the bot
    DESK = "desk"  # given to the agent who has the conversation
    SILENT = "silent"  # deliberate silence, logged
    APOLOGISED = "apologised"  # the engine failed: an apology and a handoff
    IGNORED = "ignored"  # an opt-out that the provider has answered itself


class OutboundState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have arrived: settled by receipt or inquiry, never by resending
    WITHHELD = "withheld"  # not sent on purpose: opted out, held, superseded, nobody verified


class LinkState(StrEnum):
    CREATED = "created"
    SENT = "sent"
    VIEWED = "viewed"
    STARTED = "started"
    PAID = "paid"
    FAILED = "failed"  # the last attempt failed; it may be tried again
    EXPIRED = "expired"
    REVOKED = "revoked"


class PaymentStatus(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class RefundState(StrEnum):
    """Of money that an agent pays back."""

    ASKED = "asked"  # of the provider; whether it has heard us is not known yet
    TAKEN = "taken"  # by the provider: its money is on its way
    DONE = "done"  # gone from the payment, as the provider says, and booked
    REFUSED = "refused"  # by the provider, or it came back


class PromiseState(StrEnum):
    MADE = "made"
    KEPT = "kept"
    BROKEN = "broken"
    REPLACED = "replaced"  # by a later promise, or a plan


class PlanState(StrEnum):
    AGREED = "agreed"
    KEPT = "kept"
    BROKEN = "broken"
    ENDED = "ended"  # by a person


class InstalmentState(StrEnum):
    DUE = "due"
    ANNOUNCED = "announced"  # the person has been sent its link
    PAID = "paid"
    MISSED = "missed"


class ClaimState(StrEnum):
    """Of "I have paid already": what a person says, until the money is found."""

    OPEN = "open"
    SETTLED = "settled"
    LAPSED = "lapsed"


class WebhookState(StrEnum):
    """Of what the shop is told."""

    QUEUED = "queued"
    DELIVERED = "delivered"  # the shop has answered 2xx
    FAILED = "failed"  # tried for days, or the shop wants no more; somebody looks


CONVERSATION: Mapping[ConversationState, frozenset[ConversationState]] = {
    ConversationState.PENDING: frozenset(
        {ConversationState.OPEN, ConversationState.SNOOZED, ConversationState.RESOLVED}
    ),
    ConversationState.OPEN: frozenset(
        {ConversationState.PENDING, ConversationState.SNOOZED, ConversationState.RESOLVED}
    ),
    ConversationState.SNOOZED: frozenset(
        {ConversationState.PENDING, ConversationState.OPEN, ConversationState.RESOLVED}
    ),
    ConversationState.RESOLVED: frozenset({ConversationState.PENDING, ConversationState.OPEN}),
}

OUTBOUND: Mapping[OutboundState, frozenset[OutboundState]] = {
    # On an open line (web chat, REST) it is sent by being stored.
    OutboundState.QUEUED: frozenset({OutboundState.SENDING, OutboundState.SENT, OutboundState.WITHHELD}),
    OutboundState.SENDING: frozenset(
        {OutboundState.SENT, OutboundState.QUEUED, OutboundState.FAILED, OutboundState.UNKNOWN, OutboundState.WITHHELD}
    ),
    # Receipts come twice and out of order: a state is only ever raised.
    OutboundState.SENT: frozenset({OutboundState.DELIVERED, OutboundState.READ, OutboundState.FAILED}),
    OutboundState.DELIVERED: frozenset({OutboundState.READ}),
    OutboundState.READ: frozenset(),
    OutboundState.FAILED: frozenset({OutboundState.QUEUED}),
    OutboundState.UNKNOWN: frozenset(
        {OutboundState.SENT, OutboundState.DELIVERED, OutboundState.READ, OutboundState.FAILED, OutboundState.QUEUED}
    ),
    # Its person has shown who they are.
    OutboundState.WITHHELD: frozenset({OutboundState.QUEUED}),
}

LINK: Mapping[LinkState, frozenset[LinkState]] = {
    LinkState.CREATED: frozenset(set(LinkState) - {LinkState.CREATED}),
    LinkState.SENT: frozenset(set(LinkState) - {LinkState.CREATED, LinkState.SENT}),
    LinkState.VIEWED: frozenset(
        {LinkState.STARTED, LinkState.PAID, LinkState.FAILED, LinkState.EXPIRED, LinkState.REVOKED}
    ),
    LinkState.STARTED: frozenset({LinkState.PAID, LinkState.FAILED, LinkState.EXPIRED, LinkState.REVOKED}),
    LinkState.FAILED: frozenset({LinkState.STARTED, LinkState.PAID, LinkState.EXPIRED, LinkState.REVOKED}),
    # Money that arrives late is money all the same.
    LinkState.EXPIRED: frozenset({LinkState.PAID}),
    LinkState.REVOKED: frozenset({LinkState.PAID}),
    LinkState.PAID: frozenset(),
}

PAYMENT: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.OPEN: frozenset(set(PaymentStatus) - {PaymentStatus.OPEN}),
    PaymentStatus.PENDING: frozenset(
        {PaymentStatus.PAID, PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}
    ),
    PaymentStatus.FAILED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.CANCELLED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.EXPIRED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.PAID: frozenset(),
}

REFUND: Mapping[RefundState, frozenset[RefundState]] = {
    RefundState.ASKED: frozenset({RefundState.TAKEN, RefundState.DONE, RefundState.REFUSED}),
    RefundState.TAKEN: frozenset({RefundState.DONE, RefundState.REFUSED}),
    # The payer's bank has sent it back.
    RefundState.DONE: frozenset({RefundState.REFUSED}),
    # Given up on, and gone all the same.
    RefundState.REFUSED: frozenset({RefundState.DONE}),
}

PROMISE: Mapping[PromiseState, frozenset[PromiseState]] = {
    PromiseState.MADE: frozenset({PromiseState.KEPT, PromiseState.BROKEN, PromiseState.REPLACED}),
    PromiseState.KEPT: frozenset(),
    # A bank told late of what was paid in time.
    PromiseState.BROKEN: frozenset({PromiseState.KEPT}),
    PromiseState.REPLACED: frozenset(),
}

PLAN: Mapping[PlanState, frozenset[PlanState]] = {
    PlanState.AGREED: frozenset({PlanState.KEPT, PlanState.BROKEN, PlanState.ENDED}),
    PlanState.KEPT: frozenset(),
    PlanState.BROKEN: frozenset({PlanState.AGREED}),
    PlanState.ENDED: frozenset(),
}

CLAIM: Mapping[ClaimState, frozenset[ClaimState]] = {
    ClaimState.OPEN: frozenset({ClaimState.SETTLED, ClaimState.LAPSED}),
    # Money that arrives late is money all the same.
    ClaimState.LAPSED: frozenset({ClaimState.SETTLED}),
    ClaimState.SETTLED: frozenset(),
}

WEBHOOK: Mapping[WebhookState, frozenset[WebhookState]] = {
    WebhookState.QUEUED: frozenset({WebhookState.DELIVERED, WebhookState.FAILED}),
    WebhookState.FAILED: frozenset({WebhookState.QUEUED}),  # by hand
    WebhookState.DELIVERED: frozenset(),
}

INSTALMENT: Mapping[InstalmentState, frozenset[InstalmentState]] = {
    InstalmentState.DUE: frozenset({InstalmentState.ANNOUNCED, InstalmentState.PAID, InstalmentState.MISSED}),
    InstalmentState.ANNOUNCED: frozenset({InstalmentState.PAID, InstalmentState.MISSED}),
    InstalmentState.MISSED: frozenset({InstalmentState.PAID}),
    InstalmentState.PAID: frozenset(),
}


def sources[S: StrEnum](table: Mapping[S, frozenset[S]], target: S) -> frozenset[S]:
    """The states from which `target` may be reached: the WHERE of a guarded update."""
    return frozenset(state for state, targets in table.items() if target in targets)


def check[S: StrEnum](table: Mapping[S, frozenset[S]], now: S, target: S) -> S:
    """`target`, or IllegalTransition."""
    if target not in table[now]:
        raise IllegalTransition(f"{now} → {target}")
    return target
