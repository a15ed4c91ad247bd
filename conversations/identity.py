"""Who somebody is: verified by what they know, or by the shop's signed token."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import structlog
from jwt.types import Options
from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import gate
from conversations.contacts import IDLE, SESSION_CHANNELS, ContactPoint, contact_of, new_conversation, reach
from conversations.context import message_of
from conversations.creditors import Creditors
from conversations.holds import attach, part
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.hold import URGENT
from core.ids import ConversationId, CreditorKey, DebtorId, TurnId, new_id
from core.lifecycle import ConversationState, TurnState
from core.message import Address, Locale
from store.database import Database, changed
from store.tables import money
from store.tables.people import contact_point, debtor, hold, verification_attempt
from store.tables.people import creditor as shop
from store.tables.talk import button, conversation, inbound, outbound
from store.wake import Wake

log = structlog.get_logger(__name__)

# Wrong answers are forgotten after this long.
_WINDOW = timedelta(hours=24)
# From all addresses together: per customer record, and per network address (a household or an office shares one).
_PER_DEBTOR = 10
_PER_NETWORK = 30


@dataclass(frozen=True, slots=True)
class Verification:
    ok: bool
    left: int  # tries that remain
    locked: bool  # no more tries: a person has to help


class Identity:
    def __init__(
        self, db: Database, clock: Clock, wake: Wake, creditors: Creditors, secrets: Mapping[str, str]
    ) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake
        self._creditors = creditors
        self._secrets = secrets  # the environment, for a creditor's ${NAME}

    async def needs(self, turn: TurnId) -> Sequence[str]:
        """What is asked besides the number. In Belgium a postcode alone is weak: the house number as well."""
        async with self._db.read() as tx:
            creditor = await self._creditors.get((await message_of(tx, turn)).creditor_id)
        return needed(creditor)

    async def verify(self, turn: TurnId, number: str, factors: Mapping[str, str]) -> Verification:
        """Check an invoice or customer number with what belongs to it; on success the conversation is the debtor's.

        An unknown number and a wrong factor get the same answer.
        """
        now = self._clock.now()
        async with self._db.begin() as tx:
            message = await message_of(tx, turn)
            creditor = await self._creditors.get(message.creditor_id)
            # One guess after the other, so that none that comes at the same moment is left uncounted.
            await tx.execute(select(shop.c.id).where(shop.c.id == creditor.key).with_for_update(key_share=True))
            record = await _record(tx, creditor.key, number)
            subjects = {"contact_point": message.contact_point_id}
            if record is not None:
                subjects["debtor"] = record.id
            if remote := message.flags.get("remote"):
                subjects["network"] = remote
            wrong = {scope: await _wrong(tx, creditor.key, scope, subjects[scope], now) for scope in subjects}
            allowed = creditor.verification.attempts
            if wrong["contact_point"] >= allowed or wrong.get("network", 0) >= _PER_NETWORK:
                return Verification(ok=False, left=0, locked=True)
            # A record that is being guessed at answers as one that there is none of.
            guarded = wrong.get("debtor", 0) >= _PER_DEBTOR
            if (
                record is None
                or guarded
                or not all(_fits(record, name, factors.get(name, "")) for name in needed(creditor))
            ):
                for scope, subject in subjects.items():
                    await tx.execute(
                        insert(verification_attempt).values(
                            id=new_id(), creditor_id=creditor.key, scope=scope, subject=subject, at=now
                        )
                    )
                left = allowed - wrong["contact_point"] - 1
                return Verification(ok=False, left=left, locked=left <= 0)
            point = contact_of(
                (await tx.execute(select(contact_point).where(contact_point.c.id == message.contact_point_id))).one()
            )
            keeps = IDLE if point.channel in SESSION_CHANNELS else timedelta(days=creditor.verification.remember_days)
            await _bind(tx, point, DebtorId(record.id), now + keeps, now)
        self._wake.ring("outbox")
        return Verification(ok=True, left=allowed, locked=False)

    async def identify(
        self, creditor: CreditorKey, channel: str, address: Address, token: str, locale: Locale | None = None
    ) -> bool:
        """Verify a session by the shop's token (JWT HS256: `sub` the customer number, `exp`); False for a bad one.

        Raises BadInput for a session that is verified as somebody else: it belongs to one person.
        """
        config = await self._creditors.get(creditor)
        secret = config.secret(config.token_secret, dict(self._secrets))
        if not secret:
            log.warning("token.no_secret", creditor=creditor)
            return False
        try:
            # Expiry is for our own clock to judge, below.
            options: Options = {"require": ["exp", "sub"], "verify_exp": False}
            claims = jwt.decode(token, secret, algorithms=["HS256"], options=options)
            until = datetime.fromtimestamp(int(claims["exp"]), UTC)
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, OSError) as error:
            log.info("token.refused", creditor=creditor, why=type(error).__name__)
            return False
        now = self._clock.now()
        async with self._db.begin() as tx:
            record = await tx.scalar(
                select(debtor.c.id).where(
                    debtor.c.creditor_id == creditor, debtor.c.customer_number == str(claims["sub"])
                )
            )
            if record is None or until <= now:
                log.info("token.refused", creditor=creditor, why="unknown customer or expired")
                return False
            point = await reach(tx, creditor, channel, address, now, locale)
            if point.debtor not in (None, record):
                # Neither may what they write go into the other's conversation, nor theirs to who reads this session.
                raise BadInput("this session is another customer's: start a fresh one")
            if not (point.verified(now) and point.debtor == record):
                await _bind(tx, point, DebtorId(record), until, now)
            confirmed = update(contact_point).where(contact_point.c.id == point.id)
            await tx.execute(confirmed.values(confirmed_until=until))
        self._wake.ring("outbox")
        return True


def needed(creditor: Creditor) -> Sequence[str]:
    """The factors besides a number, by the creditor's settings and its country's caution."""
    asked = [name for name in creditor.verification.factors if not name.endswith("_number") or name == "house_number"]
    asked = asked or ["postcode"]
    if creditor.country == "BE" and not {"house_number", "date_of_birth"} & set(asked):
        asked.append("house_number")
    return asked


def _plain(text: object) -> str:
    return re.sub(r"[^0-9A-Z]", "", str(text or "").upper())


def _fits(record: Row[Any], factor: str, given: str) -> bool:
    on_file = getattr(record, factor)
    if factor == "date_of_birth":
        return on_file is not None and given.strip() == on_file.isoformat()
    return bool(_plain(on_file)) and _plain(on_file) == _plain(given)


async def _record(tx: AsyncConnection, creditor: str, number: str) -> Row[Any] | None:
    """The debtor with this customer number, or with an invoice of this number, however it is spelled."""
    plain = _plain(number)
    if not plain:
        return None

    by_invoice = select(money.invoice.c.debtor_id).where(
        money.invoice.c.creditor_id == creditor, money.invoice.c.plain_number == plain
    )
    query = select(debtor).where(
        debtor.c.creditor_id == creditor, or_(debtor.c.plain_number == plain, debtor.c.id.in_(by_invoice))
    )
    rows = (await tx.execute(query.limit(2))).all()
    return rows[0] if len(rows) == 1 else None


async def _wrong(tx: AsyncConnection, creditor: str, scope: str, subject: str, now: datetime) -> int:
    query = select(func.count()).where(
        verification_attempt.c.creditor_id == creditor,
        verification_attempt.c.scope == scope,
        verification_attempt.c.subject == subject,
        verification_attempt.c.at > now - _WINDOW,
    )
    return await tx.scalar(query) or 0


async def _bind(tx: AsyncConnection, point: ContactPoint, who: DebtorId, until: datetime, now: datetime) -> None:
    """From now on this contact point speaks for `who`: its thread joins the debtor's conversation."""
    # Locked, so that a message that comes in meanwhile finds the conversation in which it belongs.
    locked = select(contact_point).where(contact_point.c.id == point.id).with_for_update(key_share=True)
    point = contact_of((await tx.execute(locked)).one())
    of = await tx.scalar(select(conversation.c.debtor_id).where(conversation.c.id == point.conversation))
    if of is not None and of != who:
        point = await _part(tx, point, now)
    await attach(tx, point.conversation, who)
    home = await tx.scalar(
        select(conversation.c.id).where(conversation.c.creditor_id == point.creditor, conversation.c.debtor_id == who)
    )
    if home is None:
        await tx.execute(
            update(conversation)
            .where(conversation.c.id == point.conversation, conversation.c.debtor_id.is_(None))
            .values(debtor_id=who, updated_at=now)
        )
        home = point.conversation
    elif home != point.conversation:
        await _merge(tx, point.conversation, home, now)
    await tx.execute(
        update(contact_point)
        .where(contact_point.c.id == point.id)
        .values(debtor_id=who, verified_until=until, confirmed_until=None, conversation_id=home)
    )
    await gate.open_for(tx, home, point.id, now)
    changed(tx, home)


async def _part(tx: AsyncConnection, point: ContactPoint, now: datetime) -> ContactPoint:
    """A number that has changed hands, or two customers on one telephone: somebody else's conversation stays theirs.

    What was written here since the other's verification ended goes along: with the dialogue that is under way, with
    what it holds, and with the person whom it called.
    """
    old = (await tx.execute(select(conversation).where(conversation.c.id == point.conversation))).one()
    fresh = await new_conversation(tx, point.creditor, now, old.locale)
    since = point.verified_until or now
    heard = and_(inbound.c.contact_point_id == point.id, inbound.c.conversation_id == old.id)
    said = and_(outbound.c.contact_point_id == point.id, outbound.c.conversation_id == old.id)
    new = or_(inbound.c.received_at > since, inbound.c.state == TurnState.RECEIVED)
    await tx.execute(update(inbound).where(heard, new).values(conversation_id=fresh))
    turns = select(inbound.c.id).where(inbound.c.conversation_id == fresh)
    wrote = select(inbound.c.id, inbound.c.received_at).where(inbound.c.conversation_id == fresh)
    times = {row.id: row.received_at for row in await tx.execute(wrote)}
    await part(tx, ConversationId(old.id), fresh, times)
    called, left = _called(old, times)
    care, kept = [await _crisis(tx, talk) for talk in (fresh, ConversationId(old.id))]
    await tx.execute(update(outbound).where(said, outbound.c.turn_id.in_(turns)).values(conversation_id=fresh))
    outbounds = select(outbound.c.id).where(outbound.c.conversation_id == fresh)
    await tx.execute(update(button).where(button.c.outbound_id.in_(outbounds)).values(conversation_id=fresh))
    await tx.execute(
        update(conversation)
        .where(conversation.c.id == fresh)
        .values(
            dialogue=old.dialogue,
            dialogue_events=old.dialogue_events,
            form=old.form,
            introduced=old.introduced,
            contact_point_id=point.id,
            care=care,
            **called,
        )
    )
    others = select(contact_point.c.id).where(
        contact_point.c.conversation_id == old.id,
        contact_point.c.id != point.id,
        contact_point.c.debtor_id == old.debtor_id,
    )
    elsewhere = await tx.scalar(others.order_by(contact_point.c.last_inbound_at.desc()).limit(1))
    await tx.execute(
        update(conversation)
        .where(conversation.c.id == old.id)
        .values(
            dialogue=f"{old.id}:{new_id()}",
            dialogue_events=0,
            form=None,
            introduced=False,
            contact_point_id=elsewhere,
            care=old.care and (kept or not care),
            updated_at=now,
            **left,
        )
    )
    await tx.execute(
        update(contact_point)
        .where(contact_point.c.id == point.id)
        .values(conversation_id=fresh, debtor_id=None, verified_until=None, confirmed_until=None)
    )
    changed(tx, old.id)
    return contact_of((await tx.execute(select(contact_point).where(contact_point.c.id == point.id))).one())


def _called(old: Row[Any], turns: Mapping[str, datetime]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What changes in the parted conversation and in the old one, where one of these turns has called a person."""
    summary = old.summary or {}
    if old.state != ConversationState.OPEN or summary.get("turn") not in turns:
        return {}, {}
    called = {name: getattr(old, name) for name in ("state", "reason", "priority", "summary", "opened_at", "agent_id")}
    if old.opened_at < min(turns.values()):
        # It waited already: then it goes on to wait, and what else is in the summary is not for the other's.
        theirs = {name: fact for name, fact in summary.items() if name in ("turn", "also", "suspected")}
        rest = {name: fact for name, fact in summary.items() if name not in theirs}
        return called | {"summary": theirs, "opened_at": turns[summary["turn"]], "agent_id": None}, {"summary": rest}
    left = {"reason": None, "priority": 0, "summary": None, "opened_at": None, "agent_id": None}
    return called, {"state": ConversationState.PENDING, **left}


async def _crisis(tx: AsyncConnection, talk: ConversationId) -> bool:
    """Whether somebody was in danger here: a transcript for the few."""
    query = select(hold.c.id).where(hold.c.conversation_id == talk, hold.c.reason.in_(URGENT))
    return (await tx.scalar(query.limit(1))) is not None


async def _merge(tx: AsyncConnection, thread: ConversationId, home: ConversationId, now: datetime) -> None:
    """The anonymous thread's messages move to the debtor's conversation, and its dialogue goes along."""
    for table in (inbound, outbound, button, hold, contact_point, money.payment_link):
        await tx.execute(update(table).where(table.c.conversation_id == thread).values(conversation_id=home))
    rows = (await tx.execute(select(conversation).where(conversation.c.id.in_([thread, home])))).all()
    moving, staying = sorted(rows, key=lambda row: row.id != thread)
    values: dict[str, Any] = {
        "dialogue": moving.dialogue,
        "dialogue_events": moving.dialogue_events,
        "dialogue_slots": moving.dialogue_slots,
        "form": moving.form,
        "locale": moving.locale or staying.locale,
        "introduced": moving.introduced,
        "contact_point_id": moving.contact_point_id,
        "care": moving.care or staying.care,
        "updated_at": now,
    }
    if moving.state == ConversationState.OPEN and moving.priority >= (
        staying.priority if staying.state == ConversationState.OPEN else -1
    ):
        values |= {
            "state": moving.state,
            "reason": moving.reason,
            "priority": moving.priority,
            "summary": moving.summary,
            "opened_at": moving.opened_at,
            "agent_id": staying.agent_id or moving.agent_id,
        }
    elif staying.state in (ConversationState.RESOLVED, ConversationState.SNOOZED):
        values["state"] = ConversationState.PENDING
    await tx.execute(update(conversation).where(conversation.c.id == home).values(**values))
    await tx.execute(
        update(conversation)
        .where(conversation.c.id == thread)
        .values(
            state=ConversationState.RESOLVED, merged_into=home, dialogue=f"{thread}:merged", form=None, updated_at=now
        )
    )
