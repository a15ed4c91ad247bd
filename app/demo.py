"""`effen demo`: the fictional plant shop, everything on this machine."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import monotonic

import click
from sqlalchemy import select

from app import creditor_files, engine, trained
from app.compose import wired
from app.imports import load as load_file
from app.repository import DEMO
from app.server import running
from app.settings import Settings, kept
from core.clock import Clock, SystemClock
from core.creditor import Creditor
from core.errors import Conflict
from core.ids import CreditorKey
from desk.accounts import Accounts
from store.database import Database
from store.schema import migrate
from store.tables.people import creditor

# Kind and name of each file, in the order of loading.
FILES = (
    ("debtors", "debtors.csv"),
    ("invoices", "invoices.csv"),
    ("invoices", "invoice-2026-0042.xml"),
    ("orders", "orders.csv"),
    ("products", "products.tsv"),
    ("faq", "faq.csv"),
)
_DAY = re.compile(r"\{today([+-]\d+)\}")
# Who works in the demo's desk.
_STAFF = {"agent@bloemenblad.example": ("Roos Wilg", "agent"), "care@bloemenblad.example": ("Hanne Linde", "care")}


async def run(settings: Settings, *, fresh: bool) -> None:
    """Until Ctrl-C. The first start trains the models; later ones take seconds."""
    began = monotonic()
    settings = furnished(settings)
    if fresh:
        _forget(settings)
    click.echo("Effen demo: a plant shop that does not exist, and everything on this machine.")
    with _step("database"):
        await asyncio.to_thread(migrate, settings.store_url)
    await asyncio.to_thread(trained.everything, settings, click.echo)
    with _step("dialogue engine"), _log(settings).open("ab") as log:
        process = await engine.start(settings, engine.ports(settings)[0], log)
    try:
        with _step("understanding"):
            understanding = await asyncio.to_thread(trained.understanding, settings)
            answering = await asyncio.to_thread(trained.answering, settings, understanding)
        async with wired(settings, SystemClock(), understanding, answering, os.environ) as effen:
            with _step("demo shop"):
                await load(effen.db, effen.clock, settings)
            async with running(effen, {"web", "worker", "scheduler"}):
                with _step("waiting for the engine"):
                    await engine.ready(settings.engine_url.split(",")[0], process)
                _welcome(settings, monotonic() - began)
                await _interrupted(process)
                click.echo("\nStopping …")
    finally:
        await engine.stop(process)


def furnished(settings: Settings) -> Settings:
    """The settings with what the demo needs: made secrets, and providers that are our own simulator."""
    if settings.production:
        raise Conflict("the demo is for development: EFFEN_ENVIRONMENT says production")
    for name in ("BLOEM_TOKEN_SECRET", "BLOEM_TELEGRAM_SECRET"):
        os.environ.setdefault(name, kept(settings.var_dir / "secrets" / name.lower()))
    # The shape of a bot's token: its number, a colon, a secret.
    secret = kept(settings.var_dir / "secrets" / "bloem_telegram_token")[:35]
    os.environ.setdefault("BLOEM_TELEGRAM_TOKEN", f"100000001:{secret}")
    return settings.model_copy(
        update={
            "twilio_api_url": f"{settings.public_url}/simulator/twilio",
            "telegram_api_url": f"{settings.public_url}/simulator/telegram",
        }
    )


async def load(db: Database, clock: Clock, settings: Settings) -> None:
    """Apply the demo's creditor and load its files once; dates are relative to this first day."""
    config = creditor_files.read(DEMO / "creditor.yml")
    first = not await _is_there(db, config)
    await creditor_files.apply(db, clock, config)
    if first:
        today = clock.now().astimezone(config.zone).date()
        for kind, name in FILES:
            text = dated((DEMO / name).read_text("utf-8"), today)
            result = await load_file(db, clock, settings, kind, text.encode(), config.key)
            if result.bad:
                raise Conflict(f"demo/{name}: {result.bad}")
    accounts = Accounts(db, clock)
    for email, (name, role) in _STAFF.items():
        if first:
            await accounts.add(
                CreditorKey(config.key), email, name, role, kept(settings.var_dir / "secrets" / "desk_password")[:12]
            )


def dated(text: str, today: date) -> str:
    """`{today+3}` as the date that it is."""
    return _DAY.sub(lambda match: (today + timedelta(days=int(match[1]))).isoformat(), text)


async def _is_there(db: Database, config: Creditor) -> bool:
    async with db.read() as tx:
        return await tx.scalar(select(creditor.c.id).where(creditor.c.id == config.key)) is not None


def _forget(settings: Settings) -> None:
    for url in (settings.store_url, settings.engine_store_url):
        if not url.startswith("sqlite:///"):
            raise Conflict("--fresh forgets the demo's own SQLite files, not a database server's")
        path = url.removeprefix("sqlite:///")
        for name in (path, f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = monotonic()
    click.echo(f"  {name} …", nl=False)
    yield
    click.echo(f" {monotonic() - began:.1f} s")


def _log(settings: Settings) -> Path:
    path = settings.var_dir / "log" / "engine.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _welcome(settings: Settings, seconds: float) -> None:
    at = settings.public_url
    password = kept(settings.var_dir / "secrets" / "desk_password")[:12]
    click.echo(
        f"\nReady after {seconds:.0f} s.\n\n"
        f"  Shop with chat   {at}/demo/shop     (try: wat moet ik nog betalen? · 2026-0042 · 1234 AB)\n"
        f"  Phones           {at}/simulator     (WhatsApp, SMS, Telegram)\n"
        f"  Desk             {at}/desk          ({next(iter(_STAFF))} · {password})\n\n"
        f"The engine's log is {_log(settings)}. Ctrl-C stops everything."
    )


async def _interrupted(process: asyncio.subprocess.Process) -> None:
    """Until Ctrl-C or SIGTERM. Raises RuntimeError when the engine ends by itself."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ended = asyncio.create_task(process.wait())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not stop.is_set():
        raise RuntimeError(f"the engine has ended (exit {process.returncode}); its own log says why")
