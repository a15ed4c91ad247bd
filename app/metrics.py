"""What Prometheus reads at /metrics: counts, never texts or numbers of people."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.lifecycle import ConversationState, OutboundState, TurnState, WebhookState
from store.database import Database
from store.tables.talk import conversation, event, inbound, outbound
from store.tables.webhooks import shop_webhook


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._refused = Counter(
            "effen_webhooks_refused_total", "Webhooks without a valid signature", ["channel"], registry=self._registry
        )
        self._turns = Gauge("effen_turns_waiting", "Messages not yet answered", registry=self._registry)
        self._outbound = Gauge("effen_outbound", "Messages going out, by state", ["state"], registry=self._registry)
        self._open = Gauge("effen_conversations_open", "Conversations with or for a person", registry=self._registry)
        self._events = Gauge("effen_events_waiting", "Domain events not yet handled", registry=self._registry)

        self._shop = Gauge("effen_shop_webhooks", "Webhooks to shops, by state", ["state"], registry=self._registry)

    def refused(self, channel: str) -> None:
        self._refused.labels(channel).inc()

    async def page(self, db: Database) -> bytes:
        """The exposition format, counted anew."""
        async with db.read() as tx:
            self._turns.set(await _count(tx, inbound.c.state == TurnState.RECEIVED))
            self._open.set(await _count(tx, conversation.c.state == ConversationState.OPEN))
            self._events.set(await _count(tx, event.c.handled_at.is_(None)))
            for state in (OutboundState.QUEUED, OutboundState.SENDING, OutboundState.UNKNOWN, OutboundState.FAILED):
                self._outbound.labels(state).set(await _count(tx, outbound.c.state == state))
            for told in (WebhookState.QUEUED, WebhookState.FAILED):
                self._shop.labels(told).set(await _count(tx, shop_webhook.c.state == told))
        return generate_latest(self._registry)


async def _count(tx: AsyncConnection, where: ColumnElement[bool]) -> int:
    return await tx.scalar(select(func.count()).where(where)) or 0
