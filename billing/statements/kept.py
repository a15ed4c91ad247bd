"""Statements as they are kept: each once, and each of their lines once, whatever else it comes in."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.statements.camt import Line, LineKind, Statement
from core.ids import CreditorKey, new_id
from store.tables.bank import bank_line, bank_statement
from store.upsert import insert_once


@dataclass(frozen=True, slots=True)
class Kept:
    """`id`: None where the statement was known. `lines`: new ones; `duplicates`: known ones, in it or all of it."""

    id: str | None
    lines: int
    duplicates: int


async def keep(tx: AsyncConnection, creditor: CreditorKey, statement: Statement, by: str, now: datetime) -> Kept:
    """Store a statement and those of its lines that no other one has brought."""
    key = new_id()
    fresh = await insert_once(
        tx,
        bank_statement,
        id=key,
        creditor_id=creditor,
        account=statement.account,
        number=statement.number,
        sequence=statement.sequence,
        content_hash=_hash(
            statement.opening.minor, statement.closing.minor, [_content(each) for each in statement.lines]
        ),
        currency=statement.opening.currency,
        opening=statement.opening.minor,
        closing=statement.closing.minor,
        by=by,
        created_at=now,
    )
    if not fresh:
        return Kept(None, 0, len(statement.lines))
    new = 0
    for position, (line, identity) in enumerate(zip(statement.lines, _identities(statement), strict=True)):
        content = _hash(statement.account, _content(line))
        # Without the bank's reference it may be another payment that says the same, or the same one again.
        twin = line.bank_reference is None and await _told_before(tx, creditor, content, key)
        new += await insert_once(
            tx,
            bank_line,
            id=new_id(),
            creditor_id=creditor,
            statement_id=key,
            position=position,
            identity=identity,
            content=content,
            twin=twin,
            kind=line.kind,
            currency=line.amount.currency,
            amount=line.amount.minor,
            booked_on=line.booked_on,
            bank_reference=line.bank_reference,
            end_to_end=line.end_to_end,
            reference=line.reference,
            text=line.text,
            name=line.name,
            iban=line.iban,
            reason=line.reason,
            created_at=now,
            looked_at=now if line.kind is LineKind.DEBIT else None,
        )
    return Kept(key, new, len(statement.lines) - new)


async def known(tx: AsyncConnection, creditor: CreditorKey, statement: Statement) -> int:
    """How many of its lines are kept already."""
    query = select(func.count()).where(
        bank_line.c.creditor_id == creditor, bank_line.c.identity.in_(_identities(statement))
    )
    return int((await tx.execute(query)).scalar_one())


async def _told_before(tx: AsyncConnection, creditor: CreditorKey, content: str, statement: str) -> bool:
    before = exists().where(
        bank_line.c.creditor_id == creditor, bank_line.c.content == content, bank_line.c.statement_id != statement
    )
    return bool(await tx.scalar(select(before)))


def _identities(statement: Statement) -> list[str]:
    """By the bank's reference a line is known wherever it comes; without one, in this statement alone.

    The same twice in one statement is two lines.
    """
    seen: Counter[str] = Counter()
    identities = []
    for line in statement.lines:
        if line.bank_reference is not None:
            told: Sequence[Any] = [line.bank_reference, line.part, line.amount.minor, line.booked_on.isoformat()]
        else:
            told = [statement.number, statement.sequence, _content(line)]
        identity = _hash(statement.account, *told)
        identities.append(_hash(identity, seen[identity]))
        seen[identity] += 1
    return identities


def _content(line: Line) -> list[Any]:
    money = [line.amount.minor, line.amount.currency, line.booked_on.isoformat()]
    return [line.kind, *money, line.part, line.end_to_end, line.reference, line.text, line.name, line.iban]


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
