"""The sandbox bank's books, in our store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, select, update

from core.ids import new_secret
from core.lifecycle import PAYMENT, PaymentStatus, sources
from core.message import Locale
from core.money import Money
from core.payment import PaymentOrder
from payments.sandbox import Entry
from store.database import Database
from store.tables.money import sandbox_payment
from store.upsert import insert_once


class SandboxBooks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, order: PaymentOrder, *, key: str, at: datetime) -> str:
        values = {"order": _as_json(order), "status": PaymentStatus.OPEN, "refunds": {}, "created_at": at}
        async with self._database.begin() as tx:
            await insert_once(tx, sandbox_payment, id=f"sbx_{new_secret()}", key=key, **values)
            query = select(sandbox_payment.c.id).where(sandbox_payment.c.key == key)
            return str((await tx.execute(query)).scalar_one())

    async def find(self, key: str) -> Entry | None:
        return next(iter(await self._entries(sandbox_payment.c.id == key)), None)

    async def move(self, key: str, status: PaymentStatus, settles_at: datetime | None) -> bool:
        statement = update(sandbox_payment).where(
            sandbox_payment.c.id == key, sandbox_payment.c.status.in_(sources(PAYMENT, status))
        )
        async with self._database.begin() as tx:
            moved: CursorResult[Any] = await tx.execute(statement.values(status=status, settles_at=settles_at))
        return moved.rowcount == 1

    async def give_back(self, key: str, amount: Money, *, once: str) -> str | None:
        table = sandbox_payment.c
        async with self._database.begin() as tx:
            row = (await tx.execute(select(sandbox_payment).where(table.id == key).with_for_update())).one()
            if once in row.refunds:
                return str(row.refunds[once]["id"])
            held = _order(row.order).amount - _refunded(row)
            if amount.currency != held.currency or held < amount:
                return None
            refund = f"sbr_{new_secret()}"
            changed = update(sandbox_payment).where(table.id == key)
            made = {"id": refund, "minor": amount.minor}
            await tx.execute(changed.values(refunds={**row.refunds, once: made}))
        return refund

    async def due(self, now: datetime) -> Sequence[Entry]:
        table = sandbox_payment.c
        return await self._entries((table.status == PaymentStatus.PENDING) & (table.settles_at <= now))

    async def _entries(self, where: Any) -> list[Entry]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(sandbox_payment).where(where).order_by(sandbox_payment.c.created_at))
            return [
                Entry(row.id, _order(row.order), PaymentStatus(row.status), row.settles_at, _refunded(row))
                for row in rows
            ]


def _as_json(order: PaymentOrder) -> dict[str, Any]:
    return {
        "account": order.account,
        "amount": order.amount.as_json(),
        "reference": order.reference,
        "description": order.description,
        "return_url": order.return_url,
        "webhook_url": order.webhook_url,
        "locale": order.locale,
        "method": order.method,
    }


def _refunded(row: Any) -> Money:
    currency = _order(row.order).amount.currency
    return Money(sum(each["minor"] for each in row.refunds.values()), currency)


def _order(value: Mapping[str, Any]) -> PaymentOrder:
    return PaymentOrder(**{**value, "amount": Money(*value["amount"]), "locale": Locale(value["locale"])})
