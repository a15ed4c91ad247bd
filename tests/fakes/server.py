"""A provider's stand-in: a real HTTP server on a port of its own, which can be told to fail."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Call:
    """A request as the provider saw it; of a field that is sent several times, all values count."""

    method: str
    path: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    json: object = None

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]


class Dropped(Exception):
    """The request was taken and the line then broke, before any answer."""


class FakeServer:
    """Answers by `answer`; before that by what `trouble` holds, oldest first: each stands for one request."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.trouble: list[Callable[[web.Request], Awaitable[web.StreamResponse | None]]] = []
        self._never = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._never.set()
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    async def answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        raise NotImplementedError

    def refuse(self, status: int, body: object) -> None:
        """The next request gets this answer, JSON unless it is a string, and nothing is taken."""

        async def refused(request: web.Request) -> web.StreamResponse:
            if isinstance(body, str):
                return web.Response(text=body, status=status)
            return web.json_response(body, status=status)

        self.trouble.append(refused)

    def drop(self) -> None:
        """The next request is taken, then the line breaks."""
        self.trouble.append(self._drop)

    def hang(self) -> None:
        """The next request is taken and never answered."""
        self.trouble.append(self._hang)

    async def as_ever(self, request: web.Request) -> web.StreamResponse:
        """In `trouble`: this request is answered, the next one has trouble."""
        return await self._answer(request)

    async def _drop(self, request: web.Request) -> None:
        await self._answer(request)
        assert request.transport
        request.transport.abort()

    async def _hang(self, request: web.Request) -> None:
        await self._answer(request)
        await self._never.wait()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not self.trouble:
            return await self._answer(request)
        return await self.trouble.pop(0)(request) or web.Response(status=500)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        fields: list[tuple[str, str]] = list(request.query.items())
        files: dict[str, bytes] = {}
        json: object = None
        if request.content_type == "application/json":
            json = await request.json()
        else:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    files[name] = value.file.read()
                else:
                    fields.append((name, str(value)))
        call = Call(request.method, request.path, fields, files, json)
        self.calls.append(call)
        return await self.answer(request, call)
