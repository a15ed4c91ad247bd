"""Statements of the creditor's account: kept once, and each line looked at: booked where it is sure."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import CursorResult, Select, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.creditors import creditor_of
from billing.ledger import open_amounts
from billing.statements.books import load
from billing.statements.camt import LineKind, parse
from billing.statements.kept import keep, known
from billing.statements.matching import Book, Match, Paid, Rule, match
from billing.statements.settling import invoices_of, returned_payment, settle
from core.clock import Clock
from core.creditor import Creditor
from core.ids import CreditorKey, DebtorId
from store.database import Database
from store.tables.bank import bank_decision, bank_line

log = structlog.get_logger(__name__)

_CHUNK = 500  # lines that are matched with one book
# What nobody has decided about is looked at again each day, as its invoice may have come meanwhile; this long.
_AGAIN, _HOPE = timedelta(days=1), timedelta(days=30)
_MATCHED = (LineKind.PAYMENT, LineKind.RETURN)


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import did, in lines. `statements`: new ones; `ignored`: debits of the creditor's own."""

    statements: int
    lines: int
    matched: int
    suggested: int
    unmatched: int
    ignored: int
    duplicates: int


class Statements:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def load(self, key: CreditorKey, content: bytes, by: str, *, dry_run: bool = False) -> Summary:
        """Take a file: its statements are kept together or not at all, then each line is looked at.

        What was taken before is counted as duplicates and changes nothing. Raises NotFound, Refused.
        """
        async with self._database.read() as tx:
            creditor = await creditor_of(tx, key)
        statements = await asyncio.to_thread(parse, content, creditor.iban)
        if dry_run:
            async with self._database.read() as tx:
                again = sum([await known(tx, key, each) for each in statements])
            lines = sum(len(each.lines) for each in statements)
            return Summary(len(statements), lines - again, 0, 0, 0, 0, again)
        async with self._database.begin() as tx:
            kept = [await keep(tx, key, each, by, self._clock.now()) for each in statements]
        fresh = [each.id for each in kept if each.id is not None]
        await self._look(creditor, bank_line.c.statement_id.in_(fresh))
        async with self._database.read() as tx:
            counts = Counter(_standing(row) for row in await tx.execute(_with_decision(fresh)))
        log.info("statement.loaded", creditor=key, statements=len(fresh), **counts)
        return Summary(
            statements=len(fresh),
            lines=sum(each.lines for each in kept),
            duplicates=sum(each.duplicates for each in kept),
            **{name: counts[name] for name in ("matched", "suggested", "unmatched", "ignored")},
        )

    async def run(self) -> int:
        """Look at what nobody has looked at yet, or not today; for the scheduler. How many lines were booked."""
        async with self._database.read() as tx:
            keys = (await tx.execute(select(bank_line.c.creditor_id).where(self._due()).distinct())).scalars().all()
            creditors = [await creditor_of(tx, key) for key in keys]
        return sum([await self._look(each, bank_line.c.creditor_id == each.key) for each in creditors])

    def _due(self) -> Any:
        now = self._clock.now()
        again = and_(bank_line.c.looked_at < now - _AGAIN, bank_line.c.created_at > now - _HOPE)
        decided = exists().where(bank_decision.c.line_id == bank_line.c.id)
        return and_(~decided, bank_line.c.kind != LineKind.DEBIT, or_(bank_line.c.looked_at.is_(None), again))

    async def _look(self, creditor: Creditor, where: Any) -> int:
        booked = 0
        while rows := await self._next(where):
            async with self._database.read() as tx:
                book = await load(tx, creditor, rows, self._clock.now())
            for row in rows:
                found = await self._line_or_log(creditor, row, book)
                if found is not None:
                    booked += 1
                    async with self._database.read() as tx:
                        book.settled(found.debtor, row.iban, await open_amounts(tx, found.invoices))
        return booked

    async def _next(self, where: Any) -> Sequence[Any]:
        order = (bank_line.c.created_at, bank_line.c.booked_on, bank_line.c.statement_id, bank_line.c.position)
        query = select(bank_line).where(where, self._due()).order_by(*order)
        async with self._database.read() as tx:
            return (await tx.execute(query.limit(_CHUNK))).all()

    async def _line_or_log(self, creditor: Creditor, row: Any, book: Book) -> Match | None:
        try:
            async with self._database.begin() as tx:
                return await self._line(tx, creditor, row, book)
        except Exception as error:  # whatever one line brings up, the others are looked at; it stays for a person
            log.exception("statement.line_failed", line=row.id, error=type(error).__name__)
            async with self._database.begin() as tx:
                seen = update(bank_line).where(bank_line.c.id == row.id).values(looked_at=self._clock.now())
                await tx.execute(seen)
        return None

    async def _line(self, tx: AsyncConnection, creditor: Creditor, row: Any, book: Book) -> Match | None:
        """What was booked for it; None: nothing, or somebody else has it."""
        now = self._clock.now()
        mine = update(bank_line).where(bank_line.c.id == row.id, _same(row.looked_at)).values(looked_at=now)
        taken: CursorResult[Any] = await tx.execute(mine)
        if not taken.rowcount or row.kind not in _MATCHED:
            return None
        found = await self._match(tx, row, book)
        if found is not None and found.sure and not row.twin:
            return found if await settle(tx, creditor, row, found, now) else None
        suggested = (None, None) if found is None else (list(found.invoices), found.rule)
        if suggested != (row.suggested, row.suggested_rule):
            values = dict(zip(("suggested", "suggested_rule"), suggested, strict=True))
            await tx.execute(update(bank_line).where(bank_line.c.id == row.id).values(values))
        return None

    async def _match(self, tx: AsyncConnection, row: Any, book: Book) -> Match | None:
        if row.kind == LineKind.RETURN and (gave := await returned_payment(tx, row)) is not None:
            return Match(Rule.REFERENCE, True, DebtorId(gave.debtor_id), await invoices_of(tx, gave.link_id))
        paid = Paid(abs(row.amount), row.reference, row.text, row.end_to_end, row.name, row.iban)
        found = match(paid, book)
        if row.kind == LineKind.RETURN and found is not None and found.rule not in (Rule.REFERENCE, Rule.NUMBER):
            return None  # that somebody owes such an amount says nothing about what went back
        return found


def _same(looked_at: datetime | None) -> Any:
    return bank_line.c.looked_at.is_(None) if looked_at is None else bank_line.c.looked_at == looked_at


def _with_decision(statements: Sequence[str]) -> Select[Any]:
    return (
        select(bank_line.c.kind, bank_line.c.suggested, bank_decision.c.outcome)
        .outerjoin(bank_decision, bank_decision.c.line_id == bank_line.c.id)
        .where(bank_line.c.statement_id.in_(statements))
    )


def _standing(row: Any) -> str:
    if row.kind == LineKind.DEBIT:
        return "ignored"
    if row.outcome is not None:
        return "matched"
    return "unmatched" if row.suggested is None else "suggested"
