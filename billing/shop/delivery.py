"""Delivering what the shop is told: at least once, with the same id, and never for ever."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog
from sqlalchemy import CursorResult, Row, bindparam, exists, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from billing.creditors import creditor_of
from billing.shop import addresses, signature
from billing.shop.notices import ACCOUNT_RELEASED
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.lifecycle import WebhookState
from store import events
from store.database import Database
from store.events import emit
from store.tables.people import debtor
from store.tables.webhooks import shop_webhook

log = structlog.get_logger(__name__)

# Before the 2nd, 3rd … attempt: the schedule that the specification proposes, three days in all.
BACKOFF: Sequence[timedelta] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_TIMEOUT = aiohttp.ClientTimeout(total=15)
# Longer than a request may take: a sender that dies gives it back.
_LEASE = timedelta(seconds=60)
_GONE = 410  # the shop wants no more of it


def _next() -> ReturningUpdate[Any]:
    """Lease the oldest that is due, of a shop that is not being called already: a slow one takes no other's turn."""
    now, until = (bindparam(name, type_=shop_webhook.c.next_at.type) for name in ("now", "until"))
    other = shop_webhook.alias()
    busy = exists().where(
        other.c.creditor_id == shop_webhook.c.creditor_id,
        other.c.state == WebhookState.QUEUED,
        other.c.lease_until > now,
    )
    first = (
        select(shop_webhook.c.id)
        .where(shop_webhook.c.state == WebhookState.QUEUED, shop_webhook.c.next_at <= now, ~busy)
        .order_by(shop_webhook.c.next_at, shop_webhook.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(shop_webhook)
        .where(shop_webhook.c.id == first.scalar_subquery(), shop_webhook.c.state == WebhookState.QUEUED)
        .values(attempts=shop_webhook.c.attempts + 1, lease_until=until, next_at=until)
        .returning(shop_webhook)
    )


_NEXT = _next()


def session(*, public_only: bool) -> aiohttp.ClientSession:
    """For calling shops; `public_only`: none in our own network."""
    resolver = addresses.PublicResolver() if public_only else None
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver), timeout=_TIMEOUT)


class ShopDelivery:
    """A sender; any number may run. `secret` resolves a creditor's `${NAME}`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        http: aiohttp.ClientSession,
        secret: Callable[[Creditor, str], str | None],
        *,
        public_only: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._http = http
        self._secret = secret
        self._public_only = public_only

    async def run_one(self) -> bool:
        """Make the next attempt; False where none is due."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            row = (await tx.execute(_NEXT, {"now": now, "until": now + _LEASE})).one_or_none()
            if row is None:
                return False
            creditor = await creditor_of(tx, row.creditor_id)
        error = await self._attempt(row, creditor)
        if error is None:
            await self._delivered(row)
        else:
            await self._missed(row, error)
        return True

    async def free(self) -> None:
        """On start, where this process is the only sender (SQLite): whoever was sending has died."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            leased = (shop_webhook.c.state == WebhookState.QUEUED, shop_webhook.c.lease_until > now)
            await tx.execute(update(shop_webhook).where(*leased).values(lease_until=None, next_at=now))

    async def _attempt(self, row: Row[Any], creditor: Creditor) -> str | None:
        """Why the shop has not heard it; None: it has."""
        if creditor.webhook is None:
            return "no_address"
        body = row.body.encode()
        try:
            if self._public_only:
                addresses.check(creditor.webhook.url)
            signed = signature.headers(
                self._secret(creditor, creditor.webhook.secret) or "", row.id, self._clock.now(), body
            )
            async with self._http.post(
                creditor.webhook.url,
                data=body,
                headers={**signed, "Content-Type": "application/json", "User-Agent": "Effen"},
                allow_redirects=False,
            ) as response:
                return None if 200 <= response.status < 300 else str(response.status)
        except BadInput:
            return "no_secret"
        except addresses.Refused:
            return "refused_address"
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return type(error).__name__[:40]

    async def _delivered(self, row: Row[Any]) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            if not await self._end(tx, row, WebhookState.DELIVERED, None, now) or row.event != ACCOUNT_RELEASED:
                return
            # What the shop has blocked since then stays so.
            free = update(debtor).where(debtor.c.id == row.debtor_id, debtor.c.blocked_at <= row.created_at)
            released: CursorResult[Any] = await tx.execute(free.values(blocked_at=None))
            if released.rowcount:
                payload = {"debtor_id": row.debtor_id, "webhook_id": row.id}
                await emit(tx, events.ACCOUNT_RELEASED, payload, now)

    async def _missed(self, row: Row[Any], error: str) -> None:
        now = self._clock.now()
        over = row.attempts > len(BACKOFF) or error == str(_GONE)
        log.warning("shop_webhook.missed", webhook=row.id, error=error, attempt=row.attempts, over=over)
        async with self._database.begin() as tx:
            if over:
                await self._end(tx, row, WebhookState.FAILED, error, now)
                return
            later = now + BACKOFF[row.attempts - 1]
            await tx.execute(_ours(row).values(next_at=later, lease_until=None, error=error))

    async def _end(self, tx: Any, row: Row[Any], state: WebhookState, error: str | None, now: datetime) -> bool:
        values: Mapping[str, Any] = {"state": state, "error": error, "ended_at": now, "lease_until": None}
        ended: CursorResult[Any] = await tx.execute(_ours(row).values(**values))
        return ended.rowcount == 1


def _ours(row: Row[Any]) -> Any:
    """Unless a later attempt has been begun, or it has ended."""
    return update(shop_webhook).where(
        shop_webhook.c.id == row.id,
        shop_webhook.c.state == WebhookState.QUEUED,
        shop_webhook.c.attempts == row.attempts,
    )
