"""What the shop is told: a payment was booked, an invoice is paid, an account may be used again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.creditors import creditor_of
from billing.ledger import OWED, Account, Kind
from core.clock import Clock
from core.creditor import Creditor
from core.errors import NotFound
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.lifecycle import WebhookState
from core.money import Money
from store.database import Database
from store.tables.money import booking, invoice, payment, payment_link, posting
from store.tables.people import debtor
from store.tables.webhooks import shop_webhook
from store.upsert import insert_once
from store.wake import Wake

PAYMENT_BOOKED, INVOICE_PAID, ACCOUNT_RELEASED = "payment.booked", "invoice.paid", "account.released"
TOPIC = "shop"


class ShopNotices:
    """`booked` is a subscriber. A notice has what it tells of as its cause, so it is written once."""

    def __init__(self, database: Database, clock: Clock, wake: Wake) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def booked(self, payload: Mapping[str, Any]) -> None:
        """Less is owed: by a payment, a bank line, a credit note, the creditor's own correction."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            row = (await tx.execute(select(booking).where(booking.c.id == payload["booking_id"]))).one()
            creditor = await creditor_of(tx, row.creditor_id)
            if creditor.webhook is None:
                return
            sides = list(await tx.execute(select(posting).where(posting.c.booking_id == row.id)))
            owners = {DebtorId(each.debtor_id) for each in sides if each.debtor_id}
            for owner in sorted(owners):
                await self._of_debtor(tx, row, creditor, owner, sides, now)
        self._wake.ring(TOPIC)

    async def release(self, who: DebtorId) -> bool:
        """Ask the shop to let this account be used again, once; False where it is not blocked, or something is overdue.

        True also where it was asked before, and where it is not known yet whether it has heard.
        """
        now = self._clock.now()
        async with self._database.begin() as tx:
            row = (await tx.execute(select(debtor).where(debtor.c.id == who))).one()
            creditor = await creditor_of(tx, row.creditor_id)
            released = creditor.webhook is not None and await self._release(tx, creditor, row, now)
        if released:
            self._wake.ring(TOPIC)
        return released

    async def block(self, creditor: CreditorKey, number: str, *, blocked: bool) -> None:
        """The shop says that it has blocked a customer's account, or no longer. Raises NotFound."""
        of = (debtor.c.creditor_id == creditor, debtor.c.customer_number == number)
        async with self._database.begin() as tx:
            row = (await tx.execute(select(debtor).where(*of).with_for_update())).one_or_none()
            if row is None:
                raise NotFound("there is no such customer")
            since = (row.blocked_at or self._clock.now()) if blocked else None
            await tx.execute(update(debtor).where(debtor.c.id == row.id).values(blocked_at=since))

    async def blocked(self, who: DebtorId) -> bool:
        """Whether the shop has blocked the account, as far as we know."""
        async with self._database.read() as tx:
            return (await tx.execute(select(debtor.c.blocked_at).where(debtor.c.id == who))).scalar_one() is not None

    async def _of_debtor(
        self, tx: AsyncConnection, row: Any, creditor: Creditor, owner: DebtorId, sides: Sequence[Any], now: datetime
    ) -> None:
        who = (await tx.execute(select(debtor).where(debtor.c.id == owner))).one()
        shares = _shares([each for each in sides if each.debtor_id == owner])
        numbers = await _numbers(tx, shares)
        open_after = {key: await _open_at(tx, key, max(each.seq for each in sides)) for key in shares}
        common = {"customer_number": who.customer_number, "booked_at": row.at.isoformat()}
        if row.kind == Kind.PAYMENT:
            credit = -sum(each.minor for each in sides if each.debtor_id == owner and each.account == Account.CREDIT)
            currency = sides[0].currency
            invoices = [
                {
                    "number": numbers[key],
                    "paid": _amount(paid, currency),
                    "open": _amount(open_after[key], currency),
                }
                for key, paid in shares.items()
            ]
            data = {
                **common,
                **await _payment(tx, row.cause),
                "amount": _amount(sum(shares.values()) + credit, currency),
                "credit": _amount(credit, currency),
                "currency": currency,
                "invoices": invoices,
            }
            await _put(tx, who, PAYMENT_BOOKED, f"{PAYMENT_BOOKED}:{row.id}:{owner}", data, now)
        for key, paid in shares.items():
            if paid > 0 >= open_after[key] and open_after[key] + paid > 0:
                data = {**common, "invoice_number": numbers[key]}
                await _put(tx, who, INVOICE_PAID, f"{INVOICE_PAID}:{row.id}:{key}", data, now)
        await self._release(tx, creditor, who, now)

    async def _release(self, tx: AsyncConnection, creditor: Creditor, who: Any, now: datetime) -> bool:
        if who.blocked_at is None or await _overdue(tx, who.id, now, creditor):
            return False
        cause = f"{ACCOUNT_RELEASED}:{who.id}:{who.blocked_at.isoformat()}"
        await _put(tx, who, ACCOUNT_RELEASED, cause, {"customer_number": who.customer_number}, now)
        return True


async def _put(tx: AsyncConnection, who: Any, event: str, cause: str, data: Mapping[str, Any], now: datetime) -> None:
    body = {"type": event, "timestamp": now.isoformat(), "data": dict(data)}
    await insert_once(
        tx,
        shop_webhook,
        id=f"msg_{new_id()}",
        creditor_id=who.creditor_id,
        debtor_id=who.id,
        event=event,
        cause=cause,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        state=WebhookState.QUEUED,
        attempts=0,
        next_at=now,
        created_at=now,
    )


def _shares(sides: Sequence[Any]) -> dict[InvoiceId, int]:
    """What the booking takes off each invoice, in minor units; negative where it adds to it."""
    shares: dict[InvoiceId, int] = {}
    for each in sides:
        if each.invoice_id and each.account in OWED:
            key = InvoiceId(each.invoice_id)
            shares[key] = shares.get(key, 0) - each.minor
    return shares


async def _numbers(tx: AsyncConnection, keys: Mapping[InvoiceId, int]) -> dict[InvoiceId, str]:
    query = select(invoice.c.id, invoice.c.number).where(invoice.c.id.in_(list(keys)))
    return {InvoiceId(row.id): row.number for row in await tx.execute(query)}


async def _open_at(tx: AsyncConnection, key: InvoiceId, seq: int) -> int:
    """What was open right after a booking: later ones have notices of their own."""
    query = select(func.coalesce(func.sum(posting.c.minor), 0)).where(
        posting.c.invoice_id == key, posting.c.account.in_(OWED), posting.c.seq <= seq
    )
    return int((await tx.execute(query)).scalar_one())


async def _overdue(tx: AsyncConnection, who: str, now: datetime, creditor: Creditor) -> bool:
    today = now.astimezone(creditor.zone).date()
    query = (
        select(invoice.c.id)
        .join(posting, posting.c.invoice_id == invoice.c.id)
        .where(invoice.c.debtor_id == who, invoice.c.due_date < today, posting.c.account.in_(OWED))
        .group_by(invoice.c.id)
        .having(func.sum(posting.c.minor) > 0)
        .limit(1)
    )
    return (await tx.execute(query)).first() is not None


async def _payment(tx: AsyncConnection, cause: str) -> dict[str, str | None]:
    """Of a payment at a provider; a bank line has none."""
    kind, _, key = cause.partition(":")
    query = (
        select(payment.c.id, payment.c.provider, payment.c.method, payment_link.c.reference)
        .join(payment_link, payment_link.c.id == payment.c.link_id)
        .where(payment.c.id == key)
    )
    row = (await tx.execute(query)).one_or_none() if kind == "payment" else None
    names = ("payment", "provider", "method", "reference")
    return dict(zip(names, row if row is not None else (None, None, None, None), strict=True))


def _amount(minor: int, currency: str) -> str:
    return str(Money(minor, currency).decimal)
