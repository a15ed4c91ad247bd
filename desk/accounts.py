"""Desk accounts: passwords that are slow to guess.

Argon2id with the library's parameters (RFC 9106, low-memory profile). Guesses are counted before the password is looked
at, so that guessing in parallel gains nothing.
"""

import asyncio
import re
import secrets
from datetime import timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, delete, or_, select, update

from core.agent import Agent, Role
from core.clock import Clock
from core.errors import BadInput, Conflict, NotFound
from core.ids import AgentId, CreditorKey, new_id
from store.audit import record
from store.database import Database
from store.tables.people import creditor
from store.tables.staff import agent, desk_session
from store.upsert import insert_once

SHORTEST, LONGEST = 12, 256

# Slips of the finger cost nothing; after that each failure doubles the wait.
_FREE_FAILURES = 4
_LONGEST_LOCK = timedelta(minutes=10)

_HASHER = PasswordHasher()

# Each check takes 64 MiB and a core for a moment: a crowd waits in line.
_AT_ONCE = 2

# Without what looks alike; 16 of 31 signs are 79 bits.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


def generate_password() -> str:
    """A password that can be read out on the telephone: four groups of four signs."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(4))


def lock_after(failures: int) -> timedelta:
    """How long to wait after this many failures in a row: nothing, then 2, 4, 8 … seconds, 10 minutes at most."""
    doublings = failures - _FREE_FAILURES
    return timedelta(0) if doublings <= 0 else min(_LONGEST_LOCK, timedelta(seconds=2 ** min(doublings, 20)))


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    """What an unknown e-mail's password is checked against."""
    return hasher.hash(secrets.token_hex(16))


class Accounts:
    def __init__(self, db: Database, clock: Clock, hasher: PasswordHasher = _HASHER) -> None:
        self._db = db
        self._clock = clock
        self._hasher = hasher
        self._nobody = _nobodys(hasher)
        self._line = asyncio.Semaphore(_AT_ONCE)

    async def add(self, key: CreditorKey, email: str, name: str, role: str, password: str) -> AgentId:
        """Raises BadInput for what is not well formed, NotFound for the creditor, Conflict for an e-mail in use."""
        email, name = _normal(email), name.strip()
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            raise BadInput(f"“{email}” is not an e-mail address")
        if not name:
            raise BadInput("an agent needs a name: people are told who has joined")
        if role not in {*Role}:
            raise BadInput(f"“{role}” is no role; choose from {', '.join(Role)}")
        hashed = await self._hash(password)
        identifier = AgentId(new_id())
        async with self._db.begin() as tx:
            if await tx.scalar(select(creditor.c.id).where(creditor.c.id == key)) is None:
                raise NotFound(f"there is no creditor “{key}”; apply its YAML with `effen creditor apply`")
            added = await insert_once(
                tx,
                agent,
                id=identifier,
                creditor_id=key,
                email=email,
                name=name,
                role=role,
                password_hash=hashed,
                failures=0,
                created_at=self._clock.now(),
            )
        if not added:
            raise Conflict(f"there is an account for “{email}” already")
        return identifier

    async def check(self, email: str, password: str) -> Agent | None:
        """Who this is; None for an unknown e-mail, a wrong password and an account that is locked for the moment."""
        found = await self._attempt(_normal(email))
        right = await self._verify(found.password_hash if found else self._nobody, password)
        if found is None or not right:
            return None
        values: dict[str, Any] = {"failures": 0, "locked_until": None}
        if self._hasher.check_needs_rehash(found.password_hash):
            values["password_hash"] = await asyncio.to_thread(self._hasher.hash, password)
        async with self._db.begin() as tx:
            await tx.execute(update(agent).where(agent.c.id == found.id).values(**values))
        return agent_of(found)

    async def change(self, who: Agent, old: str, new: str, keep_session: str) -> bool:
        """Set a new password and log out everywhere but in `keep_session` (its id). False when `old` is not right.

        Raises BadInput for a `new` that is too short.
        """
        if not SHORTEST <= len(new) <= LONGEST:
            raise BadInput(f"a password has {SHORTEST} to {LONGEST} characters")
        if await self.check(who.email, old) is None:
            return False
        hashed = await self._hash(new)
        async with self._db.begin() as tx:
            await tx.execute(update(agent).where(agent.c.id == who.id).values(password_hash=hashed))
            await tx.execute(
                delete(desk_session).where(desk_session.c.agent_id == who.id, desk_session.c.id != keep_session)
            )
            await record(tx, who, "password", who.id, self._clock.now())
        return True

    async def _attempt(self, email: str) -> Row[Any] | None:
        """Count a failure in advance, so that of many guesses at once only the free ones are looked at."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            found: Row[Any] | None = (
                await tx.execute(
                    update(agent)
                    .where(agent.c.email == email, or_(agent.c.locked_until.is_(None), agent.c.locked_until <= now))
                    .values(failures=agent.c.failures + 1)
                    .returning(agent)
                )
            ).first()
            if found is not None and (lock := lock_after(found.failures)):
                await tx.execute(update(agent).where(agent.c.id == found.id).values(locked_until=now + lock))
        return found

    async def _verify(self, hashed: str, password: str) -> bool:
        async with self._line:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False

    async def _hash(self, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST:
            raise BadInput(f"a password has {SHORTEST} to {LONGEST} characters")
        async with self._line:
            return await asyncio.to_thread(self._hasher.hash, password)


def agent_of(row: Row[Any]) -> Agent:
    return Agent(AgentId(row.id), CreditorKey(row.creditor_id), row.email, row.name, Role(row.role))


def _normal(email: str) -> str:
    return email.strip().casefold()
