"""Claims to have paid: noted where the books know nothing, settled by the money, and meanwhile nobody reminds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import OWED, Kind, open_amounts
from billing.rounds import look_at
from billing.workdays import after
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput, NotFound
from core.ids import ConversationId, CreditorKey, DebtorId, InvoiceId, TurnId, new_id
from core.lifecycle import CLAIM, ClaimState, sources
from core.money import Money
from core.pictures import media_type
from store.database import Database
from store.events import CLAIM_LAPSED, PROOF_GIVEN, emit
from store.tables.money import booking, claim, posting, proof
from store.upsert import insert_once


@dataclass(frozen=True, slots=True)
class Claim:
    id: str
    debtor: DebtorId
    state: ClaimState
    invoices: Sequence[InvoiceId]
    paid_on: date | None  # as the person says; None where a picture says it
    amount: Money | None
    account_end: str | None
    until: date
    made_at: datetime
    proofs: Sequence[str] = ()  # ids of the pictures that can be looked at
    refused: int = 0  # of what was sent, and is no picture


class Claims:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        *,
        paid_on: date | None,
        amount: Money | None,
        account_end: str | None,
        key: str,
        creditor: Creditor,
    ) -> Claim:
        """Note that these invoices were paid, and look for the money until some working days from now.

        The same key: the same claim. Raises BadInput for no invoice, and for a day in the future.
        """
        now = self._clock.now()
        today = now.astimezone(creditor.zone).date()
        if not invoices or (paid_on is not None and paid_on > today):
            raise BadInput("this cannot have been paid")
        values = {
            "id": new_id(),
            "creditor_id": creditor.key,
            "debtor_id": debtor,
            "conversation_id": conversation,
            "cause": key,
            "state": ClaimState.OPEN,
            "invoices": list(invoices),
            "paid_on": paid_on,
            "currency": amount.currency if amount else None,
            "amount": amount.minor if amount else None,
            "account_end": account_end,
            "until": after(today, creditor.claims.pause_days, creditor.country),
            "created_at": now,
        }
        async with self._database.begin() as tx:
            await insert_once(tx, claim, **values)
            return _claim((await tx.execute(select(claim).where(claim.c.cause == key))).one())

    async def latest(self, debtor: DebtorId) -> Claim | None:
        """The last one that the money has not settled, open or lapsed."""
        query = select(claim).where(claim.c.debtor_id == debtor, claim.c.state != ClaimState.SETTLED)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(claim.c.created_at.desc()).limit(1))).one_or_none()
        return None if row is None else _claim(row)

    async def of(self, debtor: DebtorId) -> list[Claim]:
        """All of them with their pictures, the newest first; for the desk."""
        async with self._database.read() as connection:
            query = select(claim).where(claim.c.debtor_id == debtor).order_by(claim.c.created_at.desc())
            rows = list(await connection.execute(query))
            ours = select(proof.c.id, proof.c.claim_id, proof.c.media_type).where(
                proof.c.claim_id.in_([row.id for row in rows])
            )
            pictures = list(await connection.execute(ours.order_by(proof.c.created_at, proof.c.number)))
        return [
            _claim(
                row,
                [each.id for each in pictures if each.claim_id == row.id and each.media_type],
                sum(each.claim_id == row.id and each.media_type is None for each in pictures),
            )
            for row in rows
        ]

    async def prove(self, key: str, turn: TurnId) -> None:
        """The turn's pictures belong to this claim: they are fetched by whoever hears of it."""
        async with self._database.begin() as tx:
            await emit(tx, PROOF_GIVEN, {"claim_id": key, "turn_id": turn}, self._clock.now())

    async def keep(self, key: str, turn: TurnId, pictures: Sequence[bytes]) -> bool:
        """Store what was sent, once, where its content is a picture's; whether any is."""
        types = [media_type(content) for content in pictures]
        async with self._database.begin() as tx:
            creditor = (await tx.execute(select(claim.c.creditor_id).where(claim.c.id == key))).scalar_one()
            for number, (content, known) in enumerate(zip(pictures, types, strict=True)):
                values = {"media_type": known, "content": content if known else None, "created_at": self._clock.now()}
                about = {"creditor_id": creditor, "claim_id": key, "turn_id": turn, "number": number}
                await insert_once(tx, proof, id=new_id(), **about, **values)
        return any(types)

    async def picture(self, key: str) -> tuple[DebtorId, str, bytes]:
        """Whose proof it is, its media type and its content. Raises NotFound."""
        query = select(claim.c.debtor_id, proof).join(claim, claim.c.id == proof.c.claim_id).where(proof.c.id == key)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or row.content is None:
            raise NotFound("there is no such picture")
        return DebtorId(row.debtor_id), row.media_type, row.content

    async def run_due(self, creditor: Creditor) -> int:
        """See which claims the money has settled, and whose days are over; for the scheduler. How many ended."""
        now = self._clock.now()
        waiting = select(claim).where(
            claim.c.creditor_id == CreditorKey(creditor.key), claim.c.state == ClaimState.OPEN
        )
        async with self._database.read() as tx:
            rows = (await tx.execute(waiting.order_by(claim.c.id))).all()
        today = now.astimezone(creditor.zone).date()
        return await look_at(self._database, rows, partial(_look, today=today, now=now), "claim")

    async def settle(self, debtor: DebtorId) -> int:
        """Money was booked for this debtor: what it settles, also of claims that had lapsed. How many."""
        now = self._clock.now()
        unsettled = select(claim).where(claim.c.debtor_id == debtor, claim.c.state != ClaimState.SETTLED)
        async with self._database.begin() as tx:
            rows = [row for row in await tx.execute(unsettled.order_by(claim.c.id)) if await _paid(tx, row)]
            return sum([await _end(tx, row.id, ClaimState.SETTLED, now) for row in rows])


async def claiming(tx: AsyncConnection, debtor: DebtorId) -> bool:
    """Whether the money that this debtor says to have paid is being looked for."""
    looking = exists().where(claim.c.debtor_id == debtor, claim.c.state == ClaimState.OPEN)
    return bool(await tx.scalar(select(looking)))


async def _look(tx: AsyncConnection, row: Any, *, today: date, now: datetime) -> bool:
    if await _paid(tx, row):
        return await _end(tx, row.id, ClaimState.SETTLED, now)
    lapsed: bool = today > row.until and await _end(tx, row.id, ClaimState.LAPSED, now)
    if lapsed:
        await emit(tx, CLAIM_LAPSED, {"claim_id": row.id}, now)
    return lapsed


async def _paid(tx: AsyncConnection, row: Any) -> bool:
    """Whether the money was booked since: the amount that was claimed, or, where none was named, one of the invoices.

    Or nothing is open on them any more.
    """
    booked = (
        select(posting.c.invoice_id, func.sum(-posting.c.minor))
        .join(booking, booking.c.id == posting.c.booking_id)
        .where(
            booking.c.kind == Kind.PAYMENT,
            booking.c.at >= row.created_at,
            posting.c.invoice_id.in_(row.invoices),
            posting.c.account.in_(OWED),
        )
        .group_by(posting.c.invoice_id)
    )
    since = {InvoiceId(key): int(minor) for key, minor in await tx.execute(booked)}
    owed = await open_amounts(tx, [InvoiceId(key) for key in row.invoices])
    if not any(minor > 0 for minor in owed.values()):
        return True
    if row.amount is None:
        return any(owed[key] <= 0 for key in since)
    return sum(since.values()) >= int(row.amount)


async def _end(tx: AsyncConnection, key: str, state: ClaimState, now: datetime) -> bool:
    guarded = update(claim).where(claim.c.id == key, claim.c.state.in_(sources(CLAIM, state)))
    ended: CursorResult[Any] = await tx.execute(guarded.values(state=state, ended_at=now))
    return ended.rowcount == 1


def _claim(row: Any, proofs: Sequence[str] = (), refused: int = 0) -> Claim:
    return Claim(
        id=row.id,
        debtor=DebtorId(row.debtor_id),
        state=ClaimState(row.state),
        invoices=[InvoiceId(key) for key in row.invoices],
        paid_on=row.paid_on,
        amount=None if row.amount is None else Money(row.amount, row.currency),
        account_end=row.account_end,
        until=row.until,
        made_at=row.created_at,
        proofs=proofs,
        refused=refused,
    )
