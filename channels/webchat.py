"""Rasa's socket.io channel: the web chat's side of the line.

A client sends `session_request` and `user_uttered`; it hears `session_confirm`, `history`, `bot_uttered` and
`chat_error {"code", …}`. Rasa's own widgets know the first, second and fourth of these, and pass over the others.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

import socketio
from aiohttp import web

from channels import client
from channels.client import Details
from channels.origins import Origins
from channels.rate import Brake
from channels.web import Chat
from core.errors import BadInput, NotFound
from core.message import Address

_GOODBYE = 2  # seconds for the last words on the lines
MAX_FRAME = 64 * 1024  # bytes: a message of 4,000 characters, a token, and room to spare


class WebChat:
    """The socket.io server with the chat's events; `app` attaches `server`, and may add namespaces of its own.

    `remote` tells a client's network address from its first request (behind a proxy only `app` knows it). `manager`
    carries emits between processes, where there are several.
    """

    def __init__(
        self,
        chat: Chat,
        origins: Origins,
        brake: Brake,
        remote: Callable[[web.BaseRequest], str],
        manager: socketio.AsyncManager | None = None,
    ) -> None:
        self._chat = chat
        self._origins = origins
        self._brake = brake
        self._remote = remote
        self.server = socketio.AsyncServer(
            async_mode="aiohttp",
            client_manager=manager,
            cors_allowed_origins=lambda origin, environ: origins.allow(origin),
            cors_credentials=False,
            max_http_buffer_size=MAX_FRAME,
            async_handlers=False,  # one client's messages are taken in the order in which they were sent
        )
        self.server.on("connect", self._connected)
        self.server.on("session_request", self._requested)
        self.server.on("user_uttered", self._uttered)

    async def emit(self, account: str, address: Address, payload: Mapping[str, Any]) -> None:
        """One `bot_uttered` to everyone in a session's room."""
        await self.server.emit("bot_uttered", dict(payload), room=_room(account, address))

    async def close(self) -> None:
        """Hang up on everyone, so that a process that stops waits for nobody; their clients come back by themselves."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                lines = list(self.server.eio.sockets.values())
                await asyncio.gather(*(line.close() for line in lines), return_exceptions=True)
                for line in lines:  # engine.io says goodbye, and then waits for the client to hang up: we do not
                    await line.queue.put(None)
        await self.server.shutdown()

    async def _connected(self, sid: str, environ: Mapping[str, Any], *_: object) -> None:
        remote = self._remote(environ["aiohttp.request"])
        await self.server.save_session(sid, {"remote": remote, "origin": environ.get("HTTP_ORIGIN")})

    async def _requested(self, sid: str, *data: object) -> dict[str, Any]:
        return await self._told(sid, self._open(sid, *data))

    async def _uttered(self, sid: str, *data: object) -> dict[str, Any]:
        return await self._told(sid, self._receive(sid, *data))

    async def _told(self, sid: str, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """The acknowledgement of an event. What went wrong is also said aloud: not every client asks for one."""
        try:
            result: dict[str, Any] = await work
        except _Slow as error:
            result = {"code": "slow_down", "seconds": error.seconds}
        except NotFound:
            result = {"code": "not_found"}
        except BadInput as error:
            result = {"code": "bad_input", "detail": str(error)}
        else:
            return result
        await self.server.emit("chat_error", result, to=sid)
        return {"error": result["code"]}

    async def _open(self, sid: str, data: object = None, *_: object) -> dict[str, Any]:
        fields = data if isinstance(data, Mapping) else {}
        asked = client.details(fields.get("customData"), fields.get("metadata"))
        line = await self.server.get_session(sid)
        session = client.session(fields.get("session_id"))
        await self._join(sid, line, session, asked)
        creditor, remote = line["creditor"], line["remote"]
        # The room comes first: what is said while the history is read is then heard twice, never not at all.
        history = await self._chat.open(creditor, session, locale=asked.locale, token=asked.token, remote=remote)
        await self.server.emit("session_confirm", session, to=sid)
        await self.server.emit("history", list(history), to=sid)
        return {"session_id": session}

    async def _join(self, sid: str, line: dict[str, Any], session: str, asked: Details) -> None:
        self._hold_back(line, session)
        creditor = (await self._chat.creditor(asked.creditor)).key
        if not self._origins.allow(line["origin"], creditor):
            raise NotFound("No such creditor for this origin.")
        if "session" in line:
            await self.server.leave_room(sid, _room(line["creditor"], line["session"]))
        line |= {"creditor": creditor, "session": session}
        await self.server.save_session(sid, line)
        await self.server.enter_room(sid, _room(creditor, session))

    async def _receive(self, sid: str, data: object = None, *_: object) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise BadInput("“user_uttered” carries an object.")
        text = client.text(data.get("message"))
        asked = client.details(data.get("customData"), data.get("metadata"))
        line = await self.server.get_session(sid)
        if "session" not in line:
            # socket.io sends what it has kept during a broken line before the client can ask for its session.
            await self._open(sid, data)
            line = await self.server.get_session(sid)
        self._hold_back(line, line["session"])
        await self._chat.receive(
            line["creditor"],
            line["session"],
            text,
            button=asked.button,
            message_id=asked.message_id,
            locale=asked.locale,
            token=asked.token,
            remote=line["remote"],
        )
        return {"message_id": asked.message_id}

    def _hold_back(self, line: Mapping[str, Any], session: str) -> None:
        if seconds := self._brake.wait(session, line["remote"]):
            raise _Slow(seconds)


class _Slow(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _room(creditor: str, session: str) -> str:
    """A creditor's key has no slash, so that no session of one can name a room of another."""
    return f"{creditor}/{session}"
