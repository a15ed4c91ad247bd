"""The socket that tells an open page of the desk to look again. Events carry ids only: pages fetch over HTTP."""

import asyncio
from collections.abc import Set
from typing import Any

import socketio
from aiohttp import web
from sqlalchemy import select

from core.agent import Right
from core.errors import EffenError
from core.ids import ConversationId
from desk.guard import Guard
from desk.transcript import Transcripts
from store.database import Database
from store.tables.talk import conversation

_MOMENT = 0.05  # seconds


class DeskNamespace(socketio.AsyncNamespace):  # type: ignore[misc]
    """Rooms: one a creditor (the queue), one a conversation. Register with `server.register_namespace`."""

    def __init__(self, db: Database, transcripts: Transcripts, guard: Guard) -> None:
        super().__init__("/desk")
        self._db = db
        self._transcripts = transcripts
        self._guard = guard
        self._due: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """`auth`: {"csrf", "conversation"?}. Refuses without a session, its token, our origin, or the right to read."""
        request: web.Request = environ["aiohttp.request"]
        told = auth if isinstance(auth, dict) else {}
        session = await self._guard.session(request)
        if session is None or not self._guard.same_origin(request.headers):
            raise socketio.exceptions.ConnectionRefusedError("log in first")
        if not session.proves(str(told.get("csrf", ""))) or not session.agent.may(Right.TALK):
            raise socketio.exceptions.ConnectionRefusedError("not allowed")
        wanted = told.get("conversation")
        if not wanted:
            await self.enter_room(sid, f"creditor:{session.agent.creditor}")
            return
        try:
            await self._transcripts.check(ConversationId(str(wanted)), session.agent)
        except EffenError:
            raise socketio.exceptions.ConnectionRefusedError("not allowed") from None
        await self.enter_room(sid, f"conversation:{wanted}")

    def look(self, conversations: Set[str]) -> None:
        """`store.database.Database.watch`: several changes in a moment are told once."""
        if self.server.manager.rooms.get(self.namespace):
            self._due |= conversations
            if self._telling is None or self._telling.done():
                self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while self._due:
            await asyncio.sleep(_MOMENT)
            due, self._due = self._due, set()
            for identifier in due:
                await self.changed(ConversationId(identifier))

    async def changed(self, conversation_id: ConversationId) -> None:
        """Tell who looks at this conversation, or at the queue that it is in."""
        async with self._db.read() as tx:
            creditor = await tx.scalar(select(conversation.c.creditor_id).where(conversation.c.id == conversation_id))
        for room in (f"creditor:{creditor}", f"conversation:{conversation_id}"):
            await self.emit("changed", {"conversation": conversation_id}, room=room)
