"""The product on a stage: app and engine as they run, with stand-ins for the providers, and a look behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from sqlalchemy import Table, func, select

from app import creditor_files, trained
from app.compose import Effen, wired
from app.demo import FILES, dated
from app.imports import load
from app.repository import DEMO
from app.server import running
from app.settings import Settings
from core.clock import Clock
from core.lifecycle import OutboundState, TurnState
from store.database import Database
from store.schema import migrate
from store.tables.people import debtor, hold
from store.tables.talk import conversation, event, inbound, outbound
from tests.clock import FakeClock
from tests.fakes.smtp import FakeSmtp
from tests.fakes.telegram import SECRET, TOKEN, FakeTelegram
from tests.fakes.twilio import FakeTwilio
from understanding import Understanding

ENVIRONMENT = {
    "BLOEM_TOKEN_SECRET": "the-shop-s-own-secret-of-thirty-two-bytes",
    "BLOEM_TELEGRAM_TOKEN": TOKEN,
    "BLOEM_TELEGRAM_SECRET": SECRET,
}
_PATIENCE = 30.0


class Behind:
    """Questions about what is in a store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def rows(self, table: Table, *where: Any) -> Sequence[Any]:
        order = table.c.seq if "seq" in table.c else table.c.id
        async with self._db.read() as tx:
            return (await tx.execute(select(table).where(*where).order_by(order))).all()

    async def one(self, table: Table, *where: Any) -> Any:
        (row,) = await self.rows(table, *where)
        return row

    async def until(self, met: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait on a condition; fails by name when it does not come."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while not await met():
            assert asyncio.get_running_loop().time() < deadline, f"waited in vain: {what}"
            await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """Until nothing waits: every message has its turn, every event its subscribers, every answer has left."""

        async def quiet() -> bool:
            async with self._db.read() as tx:
                waiting = [
                    select(inbound.c.seq).where(inbound.c.state == TurnState.RECEIVED),
                    select(outbound.c.seq).where(outbound.c.state.in_([OutboundState.QUEUED, OutboundState.SENDING])),
                    select(event.c.seq).where(event.c.handled_at.is_(None)),
                ]
                for query in waiting:
                    if await tx.scalar(query.limit(1)) is not None:
                        return False
                return True

        await self.until(quiet, "for everything to be done")

    async def said(self, after: int = 0) -> list[str]:
        """The keys of what was said since the outbound row `after`."""
        return [row.key for row in await self.rows(outbound, outbound.c.seq > after)]

    async def last(self) -> int:
        async with self._db.read() as tx:
            return await tx.scalar(select(func.max(outbound.c.seq))) or 0

    async def debtor(self, customer_number: str) -> Any:
        return await self.one(debtor, debtor.c.customer_number == customer_number)

    async def holds(self) -> list[tuple[str, str | None]]:
        """Reason and customer number of every hold that stands, oldest first."""
        known = {row.id: row.customer_number for row in await self.rows(debtor)}
        rows = await self.rows(hold, hold.c.lifted_at.is_(None))
        return [(row.reason, known.get(row.debtor_id)) for row in sorted(rows, key=lambda row: row.since)]

    async def talks(self) -> Sequence[Any]:
        """The conversations that have not been merged into another."""
        return await self.rows(conversation, conversation.c.merged_into.is_(None))


class Stage(Behind):
    """The running product, the world around it, and what is behind."""

    def __init__(
        self,
        effen: Effen,
        clock: FakeClock,
        http: aiohttp.ClientSession,
        twilio: FakeTwilio,
        telegram: FakeTelegram,
        smtp: FakeSmtp,
    ) -> None:
        super().__init__(effen.db)
        self.effen = effen
        self.clock = clock
        self.http = http
        self.twilio = twilio
        self.telegram = telegram
        self.smtp = smtp

    @property
    def url(self) -> str:
        return self.effen.settings.public_url

    async def later(self, **parts: float) -> None:
        """Let time go by, and what was put off until then be done."""
        self.clock.advance(**parts)
        for topic in ("inbox", "outbox", "event"):
            self.effen.wake.ring(topic)
        await self.settled()


@asynccontextmanager
async def staged(
    settings: Settings, understanding: Understanding, database_url: str, clock: FakeClock | None = None
) -> AsyncIterator[Stage]:
    """The product, running over a database that is furnished already."""
    clock = clock or FakeClock()
    async with (
        FakeTwilio(clock.now()) as twilio,
        FakeTelegram() as telegram,
        FakeSmtp() as smtp,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):
        settings = settings.model_copy(
            update={
                "database_url": database_url,
                "twilio_api_url": twilio.url,
                "telegram_api_url": telegram.url,
                "smtp_url": smtp.url,
            }
        )
        answering = trained.answering(settings, understanding)
        async with (
            wired(settings, clock, understanding, answering, ENVIRONMENT) as effen,
            running(effen, {"web", "worker"}),
        ):
            yield Stage(effen, clock, http, twilio, telegram, smtp)


async def furnish(settings: Settings, database_url: str, clock: Clock) -> None:
    """The demo shop, its customers and what they owe, its orders, products and questions."""
    await asyncio.to_thread(migrate, database_url)
    db = Database(database_url)
    config = creditor_files.read(DEMO / "creditor.yml")
    await creditor_files.apply(db, clock, config)
    today = clock.now().astimezone(config.zone).date()
    for kind, name in FILES:
        content = dated((DEMO / name).read_text("utf-8"), today).encode()
        result = await load(db, clock, settings, kind, content, config.key)
        assert not result.bad, result.bad
    await db.close()
