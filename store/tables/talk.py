"""Conversations: what came in, what goes out, and what happened."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from store.tables.base import identifier, metadata, moment, reference
from store.types import Json

# (creditor, debtor) once verified; before that one for each contact point.
conversation = Table(
    "conversation",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    reference("debtor_id", "debtor", nullable=True),
    Column("state", String(16), nullable=False),  # core.lifecycle.ConversationState
    Column("locale", String(2)),  # last language that was clear
    Column("dialogue", String(80), nullable=False),  # the engine's name for the present session
    Column("dialogue_events", Integer, nullable=False, default=0),
    Column("dialogue_slots", Json, nullable=False, default=dict),  # carried into the next session
    Column("form", String(64)),  # the open form, if any
    Column("contact_point_id", String(64)),  # last written from: answers go there
    Column("introduced", Boolean, nullable=False, default=False),  # said that it is an AI system
    Column("agent_id", String(64)),
    Column("reason", String(32)),  # core.hold.Reason of the handoff
    Column("priority", Integer, nullable=False, default=0),
    Column("summary", Json),  # facts for the agent: {"reason_detail", "proposal", "last_intents"…}
    Column("care", Boolean, nullable=False, default=False),  # a crisis transcript: for the role `care`
    moment("opened_at"),
    moment("snoozed_until"),
    Column("merged_into", String(64)),
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
    UniqueConstraint("creditor_id", "debtor_id"),  # NULLs do not collide
    Index("ix_conversation_queue", "creditor_id", "state", "priority", "opened_at"),
)

# The inbox. A turn is one inbound message: what was understood, and how it ended.
inbound = Table(
    "inbound",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),  # order of arrival
    Column("id", String(64), nullable=False, unique=True),  # the turn's id
    reference("creditor_id", "creditor"),
    Column("channel", String(16), nullable=False),
    Column("external_id", Text, nullable=False),
    reference("conversation_id", "conversation"),
    reference("contact_point_id", "contact_point"),
    Column("text", Text, nullable=False),
    Column("button_id", String(64)),
    Column("media", Json, nullable=False),
    Column("flags", Json, nullable=False),  # {"opt_out", "opt_in", "cut", "start"}
    moment("received_at", nullable=False),
    Column("state", String(16), nullable=False),  # core.lifecycle.TurnState
    Column("outcome", String(16)),  # core.lifecycle.TurnOutcome
    Column("parse", Json),  # as understood
    Column("intent", String(64)),
    Column("care", String(32)),
    Column("attempts", Integer, nullable=False, default=0),
    moment("first_claimed_at"),
    moment("lease_until"),
    Column("lease", String(64)),  # fences a late result
    moment("finished_at"),
    UniqueConstraint("creditor_id", "channel", "external_id"),
    Index("ix_inbound_waiting", "state", "conversation_id", "seq"),
    Index("ix_inbound_conversation", "conversation_id", "seq"),
)

# What came with a message that a person reads.
picture = Table(
    "picture",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("turn_id", String(64), ForeignKey("inbound.id"), nullable=False),
    Column("number", Integer, nullable=False),  # of the turn's, from 0
    Column("media_type", String(32)),  # as its content says; null where it is no picture
    Column("content", LargeBinary),
    moment("created_at", nullable=False),
    UniqueConstraint("turn_id", "number"),
)

# The outbox. `rendered` is the exact text, stored before the provider is called.
outbound = Table(
    "outbound",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    reference("creditor_id", "creditor"),
    reference("conversation_id", "conversation"),
    reference("contact_point_id", "contact_point"),
    Column("cause", String(200), nullable=False, unique=True),  # doing it twice is doing it once
    Column("turn_id", String(64), index=True),
    Column("author", String(16), nullable=False),  # bot, agent, system
    Column("agent_id", String(64)),
    Column("key", String(80), nullable=False),  # message key; "agent.text" for what an agent typed
    Column("args", Json, nullable=False),
    Column("options", Json, nullable=False),  # as asked for; their buttons are rows of `button`
    Column("locale", String(2)),
    Column("proactive", Boolean, nullable=False, default=False),  # what we start, as against an answer
    Column("state", String(16), nullable=False),  # core.lifecycle.OutboundState
    Column("rendered", Json),  # the parts of a message, each a core.message.Rendered
    Column("parts_sent", Integer, nullable=False, default=0),
    Column("fetched_by", String(64)),  # REST: the turn whose answer carried it
    Column("attempts", Integer, nullable=False, default=0),
    moment("next_at", nullable=False),
    moment("lease_until"),
    Column("lease", String(64)),
    Column("provider_id", String(80), index=True),
    Column("error", String(200)),
    moment("created_at", nullable=False),
    moment("attempted_at"),
    moment("sent_at"),
    moment("delivered_at"),
    moment("read_at"),
    Index("ix_outbound_waiting", "state", "next_at"),
    Index("ix_outbound_conversation", "conversation_id", "seq"),
    Index("ix_outbound_contact_point", "contact_point_id", "seq"),
)

# What the provider called the parts of a long message before the last: one that does not arrive is seen.
sent_part = Table(
    "sent_part",
    metadata,
    Column("outbound_id", String(64), ForeignKey("outbound.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("provider_id", String(80), nullable=False, index=True),
    moment("at", nullable=False),
)

button = Table(
    "button",
    metadata,
    identifier(),  # opaque, 128 bits
    reference("conversation_id", "conversation", index=True),
    Column("outbound_id", String(64), nullable=False, index=True),
    Column("position", Integer, nullable=False),  # from 1: what is typed where there are no buttons
    Column("option", Json, nullable=False),  # core.message.Option
    moment("expires_at", nullable=False),
)

# What the bot was not sure of, and what the person chose then, for somebody to judge (conversations/training.py).
sentence = Table(
    "sentence",
    metadata,
    identifier(),
    reference("creditor_id", "creditor"),
    Column("turn_id", String(64), nullable=False, unique=True),
    Column("text", Text, nullable=False),  # masked
    Column("language", String(2)),
    Column("readings", Json, nullable=False),  # intents, likeliest first
    Column("chosen", String(64), nullable=False),  # by the person
    Column("intent", String(64)),  # as accepted by a lead
    moment("created_at", nullable=False),
    Index("ix_sentence_creditor", "creditor_id", "created_at"),
)

# Effects across packages: written in the transaction of their cause, handled by subscribers that app wires.
event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False),
    Column("payload", Json, nullable=False),  # ids only
    moment("created_at", nullable=False),
    moment("handled_at"),
    Column("attempts", Integer, nullable=False, default=0),
    moment("next_at", nullable=False),
    Column("error", String(200)),
    Index("ix_event_waiting", "handled_at", "next_at"),
)
