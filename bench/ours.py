"""The product under load: app and engine as processes, SQLite, the demo's data and customers of its own."""

import csv
import io
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from sys import executable

import jwt

from app import demo, engine
from app.imports import load
from app.repository import ROOT
from app.settings import Settings
from bench.ports import free_port
from bench.served import Served, served
from core.clock import SystemClock
from store.database import Database
from store.schema import migrate

_SECRET = "the-shop-s-own-secret-of-thirty-two-bytes"
_CREDITOR = "bloem"


@dataclass(frozen=True, slots=True)
class Product:
    settings: Settings
    app: Served
    engine: Served


def settings(folder: Path) -> Settings:
    """Ports of this run's own and stores in `folder`; the models are those of `make train` (EFFEN_VAR_DIR)."""
    port, actions, dialogue = free_port(), free_port(), free_port()
    return Settings(
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        actions_url=f"http://127.0.0.1:{actions}/webhook",
        engine_url=f"http://127.0.0.1:{dialogue}",
        database_url=f"sqlite:///{folder / 'effen.db'}",
        engine_database_url=f"sqlite:///{folder / 'engine.db'}",
        engine_token="a-token-between-app-and-engine",
        secret_key="a-secret-key-for-an-hour-of-load",
    )


async def furnish(chosen: Settings, customers: int) -> None:
    """The demo's shop, and `customers` people with two open invoices each."""
    os.environ |= _secrets()
    migrate(chosen.store_url)
    db, clock = Database(chosen.store_url), SystemClock()
    try:
        await demo.load(db, clock, chosen)
        today = clock.now().date()
        numbers = [customer(number) for number in range(customers)]
        debtors = _csv(
            {"customer_number": n, "kind": "consumer", "name": f"Klant {n}", "postcode": "1234 AB", "country": "NL"}
            for n in numbers
        )
        invoices = _csv(
            {
                "invoice_number": f"{n}-{which}",
                "customer_number": n,
                "issue_date": today - timedelta(days=20),
                "due_date": today + timedelta(days=10 * which),
                "currency": "EUR",
                "amount": f"{10 * which}.50",
                "open_amount": f"{10 * which}.50",
                "description": "Planten",
            }
            for n in numbers
            for which in (1, 2)
        )
        for kind, content in (("debtors", debtors), ("invoices", invoices)):
            result = await load(db, clock, chosen, kind, content, _CREDITOR)
            if result.bad:
                raise RuntimeError(f"{kind}: {result.bad}")
    finally:
        await db.close()


def customer(number: int) -> str:
    return f"B-{number:05d}"


def token(customer_number: str) -> str:
    """What the shop signs for a customer who is logged in there."""
    claims = {"sub": customer_number, "exp": SystemClock().now() + timedelta(hours=1)}
    return jwt.encode(claims, _SECRET, algorithm="HS256")


@asynccontextmanager
async def running(chosen: Settings, logs: Path) -> AsyncIterator[Product]:
    """Engine and app, each a process."""
    engine.train(chosen)
    at = f"{chosen.engine_url}/webhooks/effen/"
    async with (
        served(
            "engine",
            engine.command(chosen, engine.ports(chosen)[0]),
            at,
            cwd=ROOT,
            environment=engine.environment(chosen),
            log=logs / "engine.log",
        ) as dialogue,
        served(
            "app",
            [executable, "-m", "bench.app"],
            f"{chosen.public_url}/health/ready",
            cwd=ROOT,
            environment=_environment(chosen),
            log=logs / "app.log",
        ) as app,
    ):
        yield Product(chosen, app, dialogue)


def _environment(chosen: Settings) -> Mapping[str, str]:
    named = ("public_url", "port", "actions_url", "engine_url", "database_url", "engine_database_url", "engine_token")
    values = {f"EFFEN_{name.upper()}": str(getattr(chosen, name)) for name in (*named, "secret_key")}
    values["EFFEN_VAR_DIR"] = str(chosen.var_dir.resolve())
    return values | _secrets() | {"OMP_NUM_THREADS": "1"}


def _secrets() -> dict[str, str]:
    return {
        "BLOEM_TOKEN_SECRET": _SECRET,
        "BLOEM_TELEGRAM_TOKEN": "100000001:a-token-that-nobody-asks-for-here-0",
        "BLOEM_TELEGRAM_SECRET": "a-secret-that-nobody-asks-for-here",
    }


def _csv(rows: Iterator[dict[str, object]]) -> bytes:
    table = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, table[0])
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue().encode()
