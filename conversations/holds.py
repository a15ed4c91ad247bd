"""Holds: from now on nothing of ours presses this person. Only a person lifts one."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import recognised
from core.hold import HOLDS, Reason
from core.ids import ConversationId, DebtorId, InvoiceId, new_id
from store.database import Database
from store.tables.money import invoice
from store.tables.people import contact_point, hold
from store.tables.talk import conversation
from store.upsert import insert_once


async def place(
    tx: AsyncConnection,
    message: Row[Any],
    reason: Reason,
    said: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    suspected: bool = False,
) -> None:
    """Put the hold that `reason` calls for on the message's conversation; stopping needs no proof.

    It covers everyone recognised by the address, for the person may be any of them. `said`: the message's values; a
    dispute of invoices that a verified person names (by a tap, or by number) holds these alone. `suspected`: not what
    the message says, but what may be meant beside it; where that is said later, or was before, it is one hold.
    """
    if reason not in HOLDS:
        return
    point = (await tx.execute(select(contact_point).where(contact_point.c.id == message.contact_point_id))).one()
    verified = point.debtor_id is not None and point.verified_until is not None and point.verified_until > now
    debtors: set[DebtorId | None] = {point.debtor_id} if point.debtor_id else set()
    if not debtors:
        debtors = set(await recognised(tx, message.creditor_id, point.address)) or {None}
    over: list[tuple[DebtorId | None, InvoiceId | None]] = [(debtor, None) for debtor in sorted(debtors, key=str)]
    if reason is Reason.DISPUTE and verified:
        over = [(point.debtor_id, each) for each in await _named(tx, point.debtor_id, said)] or over
    same = select(hold).where(
        hold.c.conversation_id == message.conversation_id, hold.c.reason == reason, hold.c.lifted_at.is_(None)
    )
    if point.verified_until and not verified:
        # What was said before may be another person's: the number may have changed hands.
        same = same.where(hold.c.since > point.verified_until)
    standing = (await tx.execute(same)).all()
    if not suspected:
        standing = [row for row in standing if row.suspected or _turn(row) == message.id]
    met = [row for row in standing if any(_covers(row, *each, vague=suspected) for each in over)]
    if not suspected and met:
        await tx.execute(update(hold).where(hold.c.id.in_([row.id for row in met])).values(suspected=False))
    for debtor, disputed in over:
        if any(_covers(row, debtor, disputed, vague=suspected) for row in met):
            continue
        await insert_once(
            tx,
            hold,
            id=new_id(),
            creditor_id=message.creditor_id,
            conversation_id=message.conversation_id,
            debtor_id=debtor,
            invoice_id=disputed,
            reason=reason,
            suspected=suspected,
            by=f"turn:{message.id}:{disputed or debtor or ''}",
            since=now,
        )


def _covers(row: Row[Any], debtor: DebtorId | None, disputed: InvoiceId | None, *, vague: bool) -> bool:
    """Whether a hold holds what another would; `vague`: one that names no invoice means whatever is disputed."""
    theirs = row.debtor_id in (None, debtor)
    return theirs and (row.invoice_id in (None, disputed) or (vague and disputed is None))


def _turn(row: Row[Any]) -> str | None:
    """The turn that put this hold."""
    kind, _, rest = row.by.partition(":")
    return str(rest.partition(":")[0]) if kind == "turn" else None


async def _named(tx: AsyncConnection, debtor: DebtorId, said: Sequence[Mapping[str, Any]]) -> list[InvoiceId]:
    """The debtor's invoices that are named; none where one of the numbers is no invoice of theirs."""
    named = {_plain(value["value"]) for value in said if value["entity"] in ("invoice", "invoice_number")}
    if not named:
        return []
    theirs = (await tx.execute(select(invoice.c.id, invoice.c.number).where(invoice.c.debtor_id == debtor))).all()
    known = {name: InvoiceId(row.id) for row in theirs for name in (_plain(row.id), _plain(row.number))}
    return sorted({known[name] for name in named}) if named <= known.keys() else []


def _plain(text: object) -> str:
    return re.sub(r"[^0-9A-Z]", "", str(text).upper())


async def holding(tx: AsyncConnection, debtor: DebtorId, about: str | None = None) -> bool:
    """Whether anything holds what we would send to this debtor.

    `about`: the invoice that it is about; what holds another invoice alone does not hold that.
    """
    held = _standing(debtor)
    if about is not None:
        held = held.where(or_(hold.c.invoice_id.is_(None), hold.c.invoice_id == about))
    return (await tx.scalar(held.limit(1))) is not None


def _standing(debtor: DebtorId) -> Select[tuple[str]]:
    """The reasons of the holds that stand on this debtor, and on conversations that may be theirs."""
    talks = select(conversation.c.id).where(conversation.c.debtor_id == debtor)
    points = select(contact_point.c.conversation_id).where(contact_point.c.debtor_id == debtor)
    return select(hold.c.reason).where(
        hold.c.lifted_at.is_(None),
        or_(hold.c.debtor_id == debtor, hold.c.conversation_id.in_(talks), hold.c.conversation_id.in_(points)),
    )


class Holds:
    """What the bot asks about them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, debtor: DebtorId) -> frozenset[Reason]:
        """Why nothing presses this debtor now, as they have said; empty where nothing holds."""
        said = _standing(debtor).where(~hold.c.suspected)
        async with self._db.read() as tx:
            return frozenset(Reason(row.reason) for row in await tx.execute(said))


async def part(tx: AsyncConnection, old: ConversationId, fresh: ConversationId, turns: Collection[str]) -> None:
    """What these turns said goes along to another conversation; it stays as well, for it may be either who is meant."""
    gone = set[tuple[str | None, str]]()
    for row in await _unlifted(tx, old):
        said = (_turn(row), row.reason)
        if said[0] in turns and said not in gone:
            gone.add(said)
            await _copy(tx, row, conversation_id=fresh, debtor_id=None)


async def attach(tx: AsyncConnection, talk: ConversationId, debtor: DebtorId) -> None:
    """On verification what was said in the conversation holds the debtor, besides who was recognised by the address.

    Nobody is let go: who shared the telephone may have said it, or be meant.
    """
    rows = await _unlifted(tx, talk)
    has = {(_turn(row), row.reason) for row in rows if row.debtor_id == debtor}
    for row in rows:
        said = (_turn(row), row.reason)
        if row.debtor_id is None:
            await tx.execute(update(hold).where(hold.c.id == row.id).values(debtor_id=debtor))
        elif said[0] is not None and said not in has:
            await _copy(tx, row, debtor_id=debtor, by=f"turn:{said[0]}:{debtor}")
        has.add(said)


async def _unlifted(tx: AsyncConnection, talk: ConversationId) -> Sequence[Row[Any]]:
    query = select(hold).where(hold.c.conversation_id == talk, hold.c.lifted_at.is_(None))
    return (await tx.execute(query.order_by(hold.c.id))).all()


async def _copy(tx: AsyncConnection, row: Row[Any], **changed: Any) -> None:
    # Another's invoice says nothing about which of theirs.
    await insert_once(tx, hold, **{**row._mapping, "id": new_id(), "invoice_id": None, **changed})
