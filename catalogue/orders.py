"""Orders: where they are."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from core.ids import DebtorId
from store.database import Database
from store.tables.shop import order


@dataclass(frozen=True, slots=True)
class Order:
    number: str
    ordered_at: date
    status: str  # processing, shipped, delivered, returned, cancelled
    carrier: str | None
    tracking_url: str | None
    expected_at: date | None


class Orders:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, debtor: DebtorId, number: str | None = None) -> list[Order]:
        """The debtor's orders, the newest first; or the one with this number, capitals do not matter."""
        query = select(order).where(order.c.debtor_id == debtor).order_by(order.c.ordered_at.desc(), order.c.number)
        if number is not None:
            query = query.where(func.lower(order.c.number) == number.strip().lower())
        async with self._database.read() as connection:
            return [
                Order(row.number, row.ordered_at, row.status, row.carrier, row.tracking_url, row.expected_at)
                for row in await connection.execute(query)
            ]
