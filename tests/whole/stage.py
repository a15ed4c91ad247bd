"""The product on a stage: app and engine as they run, with stand-ins for Twilio and Telegram, and a look behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Table, func, select

from app import creditor_files
from app.compose import Effen, wired
from app.demo import dated
from app.imports import load
from app.repository import DEMO
from app.server import running
from app.settings import Settings
from core.lifecycle import OutboundState, TurnState
from store.schema import migrate
from store.tables.talk import event, inbound, outbound
from tests.clock import FakeClock
from tests.fakes.telegram import SECRET, TOKEN, FakeTelegram
from tests.fakes.twilio import FakeTwilio
from understanding import Understanding

ENVIRONMENT = {
    "BLOEM_TOKEN_SECRET": "the-shop-s-own-secret-of-thirty-two-bytes",
    "BLOEM_TELEGRAM_TOKEN": TOKEN,
    "BLOEM_TELEGRAM_SECRET": SECRET,
}
_FILES = {"debtors": "debtors.csv", "invoices": "invoices.csv", "orders": "orders.csv"}
_SHOP = {"products": "products.tsv", "faq": "faq.csv"}
_PATIENCE = 30.0


@dataclass
class Stage:
    """The running product, and questions about its world."""

    effen: Effen
    clock: FakeClock
    http: aiohttp.ClientSession
    twilio: FakeTwilio
    telegram: FakeTelegram

    @property
    def url(self) -> str:
        return self.effen.settings.public_url

    async def rows(self, table: Table, *where: Any) -> Sequence[Any]:
        order = table.c.seq if "seq" in table.c else table.c.id
        async with self.effen.db.read() as tx:
            return (await tx.execute(select(table).where(*where).order_by(order))).all()

    async def one(self, table: Table, *where: Any) -> Any:
        (row,) = await self.rows(table, *where)
        return row

    async def until(self, met: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait on a condition; fails by name when it does not come."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while not await met():
            assert asyncio.get_running_loop().time() < deadline, f"waited in vain: {what}"
            await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Until nothing waits: every message has its turn, every event its subscribers, every answer has left."""

        async def quiet() -> bool:
            async with self.effen.db.read() as tx:
                waiting = [
                    select(func.count()).where(inbound.c.state == TurnState.RECEIVED),
                    select(func.count()).where(outbound.c.state.in_([OutboundState.QUEUED, OutboundState.SENDING])),
                    select(func.count()).where(event.c.handled_at.is_(None)),
                ]
                return not any([await tx.scalar(query) for query in waiting])

        await self.until(quiet, "for everything to be done")

    async def said(self, after: int = 0) -> list[str]:
        """The keys of what was said since the outbound row `after`."""
        return [row.key for row in await self.rows(outbound, outbound.c.seq > after)]

    async def last(self) -> int:
        async with self.effen.db.read() as tx:
            return await tx.scalar(select(func.max(outbound.c.seq))) or 0


@asynccontextmanager
async def staged(
    settings: Settings, understanding: Understanding, database_url: str, *, shop: bool = False
) -> AsyncIterator[Stage]:
    """The demo shop's product, running; `shop`: with its products and questions."""
    clock = FakeClock()
    await asyncio.to_thread(migrate, database_url)
    async with FakeTwilio() as twilio, FakeTelegram() as telegram, aiohttp.ClientSession() as http:
        settings = settings.model_copy(
            update={
                "database_url": database_url,
                "twilio_api_url": twilio.url,
                "telegram_api_url": telegram.url,
            }
        )
        async with wired(settings, clock, understanding, ENVIRONMENT) as effen:
            await furnish(effen, DEMO, {**_FILES, **(_SHOP if shop else {})})
            async with running(effen, {"web", "worker"}):
                yield Stage(effen, clock, http, twilio, telegram)


async def furnish(effen: Effen, files: Path, names: dict[str, str]) -> None:
    config = creditor_files.read(files / "creditor.yml")
    await creditor_files.apply(effen.db, effen.clock, config)
    today = effen.clock.now().astimezone(config.zone).date()
    for kind, name in names.items():
        content = dated((files / name).read_text("utf-8"), today).encode()
        result = await load(effen.db, effen.clock, effen.settings, kind, content, config.key)
        assert not result.bad, result.bad
