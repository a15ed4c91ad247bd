"""The page that gives a copy of an invoice: to whoever has its address, for some days. Works without JavaScript."""

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from aiohttp import web

from billing.copies import Copies, Copy, last_day
from billing.copy_pdf import render
from billing.creditors import creditor_of
from billing.invoice_events import InvoiceEvents
from billing.page import HEADERS, TEMPLATES, choose
from billing.previews import is_view
from core.clock import Clock
from core.message import Locale
from core.texts import Texts
from store.database import Database


def routes(
    database: Database,
    clock: Clock,
    copies: Copies,
    events: InvoiceEvents,
    texts: Texts,
    wait: Callable[[web.Request, str], int],
) -> list[web.RouteDef]:
    """`wait`: how many seconds a request for a token has to wait, 0 for none."""
    page = CopyPage(database, clock, copies, events, texts, wait)
    return [web.get("/i/{token}", page.show), web.get("/i/{token}/copy.pdf", page.pdf)]


class CopyPage:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        copies: Copies,
        events: InvoiceEvents,
        texts: Texts,
        wait: Callable[[web.Request, str], int],
    ) -> None:
        self._database = database
        self._clock = clock
        self._copies = copies
        self._events = events
        self._texts = texts
        self._wait = wait

    async def show(self, request: web.Request) -> web.Response:
        copy = await self._copy(request)
        contents = await self._copies.contents(copy)
        creditor = contents.creditor
        if is_view(request):
            await self._events.copy_viewed(copy.id, copy.invoice)
        until = last_day(copy.expires_at, creditor)
        context = {"creditor": creditor, "number": contents.invoice.number, "until": until, "token": copy.token}
        return web.Response(**self._html("copy.title", "copy.page_until", copy.locale, **context))

    async def pdf(self, request: web.Request) -> web.Response:
        """As the creditor has printed it, where its file had that; else made of what we know."""
        copy = await self._copy(request)
        contents = await self._copies.contents(copy)
        speak = self._speaker(copy.locale)
        body = contents.pdf
        if body is None:
            body = await asyncio.to_thread(render, contents, speak, copy.locale, self._clock.now())
        name = speak("copy.file", number=contents.invoice.number)
        headers = HEADERS | {"Content-Disposition": _attached(name), "Content-Security-Policy": "sandbox"}
        return web.Response(body=body, content_type="application/pdf", headers=headers)

    async def _copy(self, request: web.Request) -> Copy:
        """The page's copy. Raises the answer for an address that is unknown, over, or asked for too fast."""
        token = request.match_info["token"]
        guess = choose(None, request.headers.get("Accept-Language", ""), ["nl"])
        if seconds := self._wait(request, token):
            slow = self._html("copy.page_slow_title", "copy.page_slow", guess)
            slow["headers"]["Retry-After"] = str(seconds)
            raise web.HTTPTooManyRequests(**slow)
        copy = await self._copies.by_token(token)
        if copy is None:
            raise web.HTTPNotFound(**self._html("pay.unknown_title", "copy.page_unknown", guess))
        if self._clock.now() >= copy.expires_at:
            async with self._database.read() as connection:
                creditor = await creditor_of(connection, copy.creditor)
            raise web.HTTPGone(**self._html("copy.page_over_title", "copy.page_over", copy.locale, creditor=creditor))
        return copy

    def _html(self, title: str, said: str, locale: Locale, **context: Any) -> dict[str, Any]:
        """A page, as a response or an exception takes it; `title` and `said` are keys."""
        nonce, t = secrets.token_urlsafe(16), self._speaker(locale)
        text = TEMPLATES.get_template("copy.html").render(
            t=t, locale=locale, nonce=nonce, title=title, said=said, **context
        )
        policy = (
            f"default-src 'none'; img-src https:; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
        )
        headers = HEADERS | {"Content-Security-Policy": policy}
        return {"text": text, "content_type": "text/html", "headers": headers}

    def _speaker(self, locale: Locale) -> Callable[..., str]:
        def speak(key: str, **args: Any) -> str:
            return self._texts.text(key, locale, **args)

        return speak


def _attached(name: str) -> str:
    """To be kept under this name (RFC 6266): in plain letters, and as it is."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "copy"
    return f"attachment; filename=\"{plain}.pdf\"; filename*=UTF-8''{quote(name, safe='')}.pdf"
