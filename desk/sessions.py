"""Desk sessions, kept on the server: the cookie carries a secret, the table its hash."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from core.agent import Agent
from core.clock import Clock
from desk.accounts import agent_of
from store.audit import record
from store.database import Database
from store.tables.staff import agent, desk_session

IDLE = timedelta(hours=1)  # a lunch break; live updates of a forgotten page do not count as work
ABSOLUTE = timedelta(hours=12)  # a long shift

# A session that is used is written down at most this often.
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    agent: Agent
    csrf: str

    def proves(self, token: str) -> bool:
        """Whether a form (or a socket) carries this session's token."""
        return hmac.compare_digest(self.csrf.encode(), token.encode())


class Sessions:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def start(self, who: Agent) -> str:
        """A new session; gives the cookie's secret, which is stored nowhere."""
        secret, now = secrets.token_urlsafe(32), self._clock.now()
        async with self._db.begin() as tx:
            await tx.execute(delete(desk_session).where(_gone(now)))
            await tx.execute(
                insert(desk_session).values(
                    id=_hash(secret),
                    agent_id=who.id,
                    csrf=secrets.token_urlsafe(32),
                    created_at=now,
                    seen_at=now,
                    expires_at=now + ABSOLUTE,
                )
            )
            await record(tx, who, "login", who.id, now)
        return secret

    async def find(self, secret: str, *, working: bool) -> Session | None:
        """The session of a cookie, unless it has expired; `working` puts the end of its idle time off."""
        now = self._clock.now()
        async with self._db.read() as tx:
            query = (
                select(agent, desk_session.c.id.label("session"), desk_session.c.csrf, desk_session.c.seen_at)
                .join(desk_session, desk_session.c.agent_id == agent.c.id)
                .where(desk_session.c.id == _hash(secret), ~_gone(now))
            )
            row = (await tx.execute(query)).first()
        if row is None:
            return None
        if working and now - row.seen_at >= _NOTED_EVERY:
            async with self._db.begin() as tx:
                await tx.execute(update(desk_session).where(desk_session.c.id == row.session).values(seen_at=now))
        return Session(row.session, agent_of(row), row.csrf)

    async def end(self, session: Session) -> None:
        async with self._db.begin() as tx:
            await tx.execute(delete(desk_session).where(desk_session.c.id == session.id))
            await record(tx, session.agent, "logout", session.agent.id, self._clock.now())


def _gone(now: datetime) -> ColumnElement[bool]:
    return or_(desk_session.c.expires_at <= now, desk_session.c.seen_at <= now - IDLE)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
