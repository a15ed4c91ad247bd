"""What the shop has not heard, for somebody to look at and to send again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, select, update

from billing.shop.notices import TOPIC
from core.clock import Clock
from core.errors import Conflict, NotFound
from core.ids import CreditorKey
from core.lifecycle import WEBHOOK, WebhookState, sources
from store.database import Database
from store.tables.webhooks import shop_webhook
from store.wake import Wake


@dataclass(frozen=True, slots=True)
class FailedWebhook:
    id: str
    event: str
    attempts: int
    error: str
    created_at: datetime


class Unheard:
    def __init__(self, database: Database, clock: Clock, wake: Wake) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def of(self, creditor: CreditorKey, most: int = 100) -> list[FailedWebhook]:
        """What the shop has not heard, the newest first."""
        query = select(shop_webhook).where(
            shop_webhook.c.creditor_id == creditor, shop_webhook.c.state == WebhookState.FAILED
        )
        async with self._database.read() as tx:
            rows = await tx.execute(query.order_by(shop_webhook.c.created_at.desc()).limit(most))
            return [FailedWebhook(row.id, row.event, row.attempts, row.error, row.created_at) for row in rows]

    async def again(self, creditor: CreditorKey, identifier: str) -> None:
        """Try one that has failed from the start. Raises NotFound, Conflict where it has not failed."""
        now = self._clock.now()
        ours = (shop_webhook.c.id == identifier, shop_webhook.c.creditor_id == creditor)
        values = {"state": WebhookState.QUEUED, "attempts": 0, "next_at": now, "ended_at": None, "lease_until": None}
        guarded = update(shop_webhook).where(*ours, shop_webhook.c.state.in_(sources(WEBHOOK, WebhookState.QUEUED)))
        async with self._database.begin() as tx:
            if (await tx.execute(select(shop_webhook.c.id).where(*ours))).one_or_none() is None:
                raise NotFound("there is no such webhook")
            queued: CursorResult[Any] = await tx.execute(guarded.values(**values))
            if not queued.rowcount:
                raise Conflict("it has not failed")
        self._wake.ring(TOPIC)
