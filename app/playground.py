"""Development only: the demo's shop page, and phones for WhatsApp, SMS and Telegram."""

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt
from aiohttp import web
from sqlalchemy import Row, select

import simulator
from app import creditor_files
from app.compose import Effen
from app.repository import DEMO
from core.creditor import Creditor
from core.ids import CreditorKey
from core.money import Money
from store.tables.people import debtor
from store.tables.shop import product
from widget import Customer, Offer, shop_routes

_LOGIN_FOR = timedelta(minutes=30)
_ON_THE_SHELF = 6


def routes(effen: Effen) -> list[web.RouteDef]:
    """`/demo/shop` and `/simulator`."""
    settings, accounts = effen.settings, effen.accounts
    config = creditor_files.read(DEMO / "creditor.yml")

    async def offers() -> Sequence[Offer]:
        query = select(product).where(product.c.creditor_id == config.key).order_by(product.c.external_id)
        async with effen.db.read() as tx:
            rows = (await tx.execute(query.limit(_ON_THE_SHELF))).all()
        return [
            Offer(row.title, row.description, Money(row.price, row.currency) if row.currency else None) for row in rows
        ]

    async def customers() -> Sequence[Customer]:
        query = select(debtor).where(debtor.c.creditor_id == config.key).order_by(debtor.c.customer_number)
        async with effen.db.read() as tx:
            return [Customer(row.customer_number, row.name) for row in await tx.execute(query)]

    def sign(customer_number: str) -> str:
        return shop_token(config, customer_number, effen.clock.now(), dict(effen.environment))

    return [
        *shop_routes(CreditorKey(config.key), effen.texts, offers, customers, sign),
        *simulator.routes(
            _people(),
            whatsapp=accounts.whatsapp,
            sms=accounts.sms,
            telegram=accounts.telegram,
            twilio=(settings.twilio_account_sid, settings.twilio_auth_token),
            public_url=settings.public_url,
            session=effen.http,
        ),
    ]


def _price(row: Row[Any]) -> Money | None:
    return Money(row.price, row.currency) if row.currency else None


def shop_token(config: Creditor, customer_number: str, now: datetime, environment: dict[str, str]) -> str:
    """What a shop's own server signs for a customer who is logged in there."""
    secret = config.secret(config.token_secret, environment) or ""
    return jwt.encode({"sub": customer_number, "exp": now + _LOGIN_FOR}, secret, algorithm="HS256")


def _people() -> list[simulator.Person]:
    with (DEMO / "debtors.csv").open(encoding="utf-8", newline="") as file:
        return [simulator.Person(row["name"], row["phone"], row["language"]) for row in csv.DictReader(file)]
