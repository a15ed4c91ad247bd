"""Logging in and out, and an agent's own password."""

import re
from typing import Protocol

import structlog
from aiohttp import web

from core.errors import BadInput
from desk.accounts import SHORTEST, Accounts
from desk.guard import Guard
from desk.sessions import Session, Sessions

log = structlog.get_logger(__name__)

_OWN_PATH = re.compile(r"/desk(/c/\w+|/account|/training)?(\?[\w=&-]*)?")


class Page(Protocol):
    """Renders a template of the desk."""

    async def __call__(
        self, request: web.Request, session: Session | None, template: str, status: int = 200, **context: object
    ) -> web.Response: ...


class Entry:
    def __init__(self, accounts: Accounts, sessions: Sessions, guard: Guard, page: Page) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._guard = guard
        self._page = page

    def routes(self) -> list[web.RouteDef]:
        private, public = self._guard.private, self._guard.public
        return [
            web.get("/desk/login", public(self._login_page)),
            web.post("/desk/login", public(self._login)),
            web.post("/desk/logout", private(self._logout)),
            web.get("/desk/account", private(self._account_page)),
            web.post("/desk/account", private(self._account)),
        ]

    async def _login_page(self, request: web.Request) -> web.Response:
        if await self._guard.session(request) is not None:
            raise web.HTTPSeeOther(_next(request.query.get("next", "")))
        return await self._login_form(request, request.query.get("next", ""))

    async def _login(self, request: web.Request) -> web.Response:
        form = await request.post()
        onward = str(form.get("next", ""))
        if not self._guard.proves_login(request, form):
            return await self._login_form(request, onward, "desk.login.expired", 403)
        who = await self._accounts.check(str(form.get("email", "")), str(form.get("password", "")))
        if who is None:
            log.warning("desk.login_refused")
            return await self._login_form(request, onward, "desk.login.wrong", 401)
        response = web.HTTPSeeOther(_next(onward))
        self._guard.let_in(response, await self._sessions.start(who))
        raise response

    async def _login_form(
        self, request: web.Request, onward: str, error: str | None = None, status: int = 200
    ) -> web.Response:
        token = self._guard.login_token(request)
        response = await self._page(request, None, "login.html", status, csrf=token, onward=onward, error=error)
        self._guard.keep_login_token(response, token)
        return response

    async def _logout(self, request: web.Request, session: Session) -> web.Response:
        await self._sessions.end(session)
        response = web.HTTPSeeOther("/desk/login?notice=logged_out")
        self._guard.let_out(response)
        raise response

    async def _account_page(self, request: web.Request, session: Session) -> web.Response:
        return await self._page(request, session, "account.html", error=None, shortest=SHORTEST)

    async def _account(self, request: web.Request, session: Session) -> web.Response:
        form = await request.post()
        old, new = str(form.get("old", "")), str(form.get("new", ""))
        try:
            changed = await self._accounts.change(session.agent, old, new, session.id)
        except BadInput:
            error = "desk.error.password_short"
        else:
            if changed:
                raise web.HTTPSeeOther("/desk/account?notice=password")
            error = "desk.error.password_old"
        return await self._page(request, session, "account.html", 400, error=error, shortest=SHORTEST)


def _next(path: str) -> str:
    """Where to go after logging in: a page of ours, never an address that somebody put into a link."""
    return path if _OWN_PATH.fullmatch(path) else "/desk"
