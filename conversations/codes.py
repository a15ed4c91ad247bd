"""A one-time code to the address on file: a postcode and a number are too little for what binds somebody.

Not asked of who writes from the number on file itself, nor of who came with the shop's signed token.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contacts import telephone
from conversations.context import message_of
from conversations.creditors import Creditors
from core.clock import Clock
from core.errors import SendFailed
from core.ids import TurnId, new_id
from core.message import Address, Channel, Locale, Rendered
from core.texts import Texts
from store.database import Database
from store.tables.people import contact_point, debtor, one_time_code
from store.tables.talk import conversation

log = structlog.get_logger(__name__)

_LIFE = timedelta(minutes=10)
# What it has confirmed may be agreed on for this long.
_CONFIRMED = timedelta(minutes=30)
_GUESSES = 3  # of one code
_AN_HOUR, _A_DAY = 3, 6  # codes to one customer: nobody's telephone is to be flooded, and nobody may guess on
_DIGITS = 6
_ON_FILE = frozenset({"whatsapp", "sms"})  # addresses that the provider vouches for, and that are telephone numbers


class Codes:
    """`secret` makes the stored hashes worthless to who reads the table alone."""

    def __init__(
        self, db: Database, clock: Clock, creditors: Creditors, sms: Channel, texts: Texts, secret: str
    ) -> None:
        self._db = db
        self._clock = clock
        self._creditors = creditors
        self._sms = sms
        self._texts = texts
        self._secret = secret.encode()

    async def confirmed(self, turn: TurnId) -> bool:
        """Whether who writes has shown to have the address on file, or came with the shop's token."""
        now = self._clock.now()
        async with self._db.read() as tx:
            point = await _point(tx, turn)
        if point.phone is not None and point.channel in _ON_FILE and telephone(point.address) == point.phone:
            return True
        return point.confirmed_until is not None and point.confirmed_until > now

    async def send(self, turn: TurnId) -> bool:
        """Send a code by SMS to the number on file, once for this turn; False where that cannot be, or not now."""
        now = self._clock.now()
        key, code = new_id(), f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        async with self._db.begin() as tx:
            point = await _point(tx, turn)
            creditor = await self._creditors.get(point.creditor_id)
            if point.phone is None or creditor.channels.sms is None:
                return False
            if await tx.scalar(select(one_time_code.c.id).where(one_time_code.c.cause == turn)):
                return True
            # Of this customer's, whoever asks: locked, so that many at once are counted.
            await tx.execute(select(debtor.c.id).where(debtor.c.id == point.debtor_id).with_for_update())
            if await _count(tx, point, now - timedelta(hours=1)) >= _AN_HOUR:
                return False
            if await _count(tx, point, now - timedelta(days=1)) >= _A_DAY:
                return False
            await tx.execute(
                insert(one_time_code).values(
                    id=key,
                    creditor_id=point.creditor_id,
                    debtor_id=point.debtor_id,
                    contact_point_id=point.id,
                    cause=turn,
                    hash=self._hash(key, code),
                    attempts=0,
                    created_at=now,
                    expires_at=now + _LIFE,
                )
            )
        locale = Locale(point.spoken or creditor.languages[0])
        text = self._texts.text("code.sms", locale, code=code, creditor=creditor.name)
        try:
            await self._sms.send(Rendered(f"code-{key}", creditor.key, Address(point.phone), text))
        except SendFailed as error:
            log.warning("code.not_sent", code=error.code)
            if not error.uncertain:
                return False
        return True

    async def check(self, turn: TurnId, code: str) -> bool:
        """Whether this is the code that was sent last, in time, and not guessed at; it works once."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            point = await _point(tx, turn)
            newest = (
                select(one_time_code)
                .where(one_time_code.c.contact_point_id == point.id, one_time_code.c.debtor_id == point.debtor_id)
                .order_by(one_time_code.c.created_at.desc(), one_time_code.c.id.desc())
                .limit(1)
                .with_for_update()
            )
            row = (await tx.execute(newest)).one_or_none()
            if row is None or row.used_at is not None or row.attempts >= _GUESSES or now >= row.expires_at:
                return False
            of_row = update(one_time_code).where(one_time_code.c.id == row.id)
            if not hmac.compare_digest(row.hash, self._hash(row.id, code)):
                await tx.execute(of_row.values(attempts=row.attempts + 1))
                return False
            await tx.execute(of_row.values(used_at=now))
            until = min(now + _CONFIRMED, point.verified_until or now)
            of_point = update(contact_point).where(contact_point.c.id == point.id)
            await tx.execute(of_point.values(confirmed_until=until))
        return True

    def _hash(self, key: str, code: str) -> str:
        return hmac.new(self._secret, f"{key}:{code}".encode(), hashlib.sha256).hexdigest()


async def _point(tx: AsyncConnection, turn: TurnId) -> Any:
    """Who writes, with the number on file of who they are."""
    message = await message_of(tx, turn)
    query = (
        select(contact_point, debtor.c.phone, conversation.c.locale.label("spoken"))
        .join_from(contact_point, conversation, conversation.c.id == contact_point.c.conversation_id)
        .outerjoin(debtor, debtor.c.id == contact_point.c.debtor_id)
        .where(contact_point.c.id == message.contact_point_id)
    )
    return (await tx.execute(query)).one()


async def _count(tx: AsyncConnection, point: Any, since: datetime) -> int:
    query = select(func.count()).where(one_time_code.c.debtor_id == point.debtor_id, one_time_code.c.created_at > since)
    return await tx.scalar(query) or 0
