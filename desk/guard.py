"""What stands before every page of the desk: a session, a proof that a form is ours, and headers."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlsplit

from aiohttp import web

from desk.sessions import Session, Sessions

Handler = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]
Refusal = Callable[[web.Request, Session | None, int, str], Awaitable[web.Response]]
Faults = Callable[[web.Request, Session, Exception], Awaitable[web.Response]]

# A page that keeps itself fresh says so: that is not work, and must not keep a session alive.
LIVE = "X-Desk-Live"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_LOGIN_COOKIE = "effen-desk-login"
_LOGIN_MINUTES = 60


class Guard:
    def __init__(self, sessions: Sessions, public_url: str, refuse: Refusal, fault: Faults) -> None:
        self._sessions = sessions
        self._public = urlsplit(public_url)
        self._refuse = refuse
        self._fault = fault
        self.secure = self._public.scheme == "https"
        # The prefix makes browsers refuse a cookie that a neighbouring host has set (RFC 6265bis, 4.1.3.2).
        self.cookie = "__Host-effen-desk" if self.secure else "effen-desk"

    async def session(self, request: web.Request) -> Session | None:
        secret = request.cookies.get(self.cookie)
        working = LIVE not in request.headers
        return await self._sessions.find(secret, working=working) if secret else None

    def same_origin(self, headers: Mapping[str, str]) -> bool:
        """Browsers name the origin of every POST and of every web socket; other clients may leave it out."""
        origin = headers.get("Origin")
        return origin is None or urlsplit(origin).netloc in (self._public.netloc, headers.get("Host"))

    def private(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """For agents who are logged in; a POST also proves that it comes from our own form."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            session = await self.session(request)
            if session is None:
                if request.method == "GET" and LIVE not in request.headers:
                    raise web.HTTPSeeOther(f"/desk/login?next={quote(request.path_qs)}")
                return await self._refuse(request, None, 401, "desk.live.gone")
            if request.method == "POST":
                token = str((await request.post()).get("csrf", ""))
                if not self.same_origin(request.headers) or not session.proves(token):
                    return await self._refuse(request, session, 403, "desk.error.csrf")
            try:
                return await handler(request, session)
            except web.HTTPException:
                raise
            except Exception as error:
                return await self._fault(request, session, error)

        return _with_headers(guarded)

    def public(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        return _with_headers(handler)

    def let_in(self, response: web.Response, secret: str) -> None:
        # Lax, not Strict: the link in an urgent alert must find its reader logged in.
        response.set_cookie(self.cookie, secret, path="/", httponly=True, samesite="Lax", secure=self.secure)
        response.del_cookie(_LOGIN_COOKIE, path="/desk/login")

    def let_out(self, response: web.Response) -> None:
        response.del_cookie(self.cookie, path="/", httponly=True, samesite="Lax", secure=self.secure)

    def login_token(self, request: web.Request) -> str:
        """Before there is a session, a form is proven by a cookie that says the same."""
        return request.cookies.get(_LOGIN_COOKIE) or secrets.token_urlsafe(32)

    def keep_login_token(self, response: web.Response, token: str) -> None:
        response.set_cookie(
            _LOGIN_COOKIE,
            token,
            path="/desk/login",
            httponly=True,
            samesite="Strict",
            secure=self.secure,
            max_age=_LOGIN_MINUTES * 60,
        )

    def proves_login(self, request: web.Request, form: Mapping[str, object]) -> bool:
        kept, given = request.cookies.get(_LOGIN_COOKIE, ""), str(form.get("csrf", ""))
        same = hmac.compare_digest(kept.encode(), given.encode())
        return bool(kept) and same and self.same_origin(request.headers)


def _with_headers(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            answer.headers.update(HEADERS)
            raise
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answered
