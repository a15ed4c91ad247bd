"""What came on the bank account and is nobody's for certain; and the upload of a statement."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.web_request import FileField

from billing.statements.deciding import LONGEST, Decided, Deciding, NoInvoice, NoReason
from billing.statements.refused import Refused
from billing.statements.statements import Statements, Summary
from billing.statements.xml import MAX_BYTES
from core.agent import NotAllowed, Right
from desk.entry import Page
from desk.guard import Guard
from desk.sessions import Session

_FORM = 64 * 1024  # what stands around the file


class PaymentPages:
    def __init__(self, statements: Statements, deciding: Deciding, guard: Guard, page: Page) -> None:
        self._statements = statements
        self._deciding = deciding
        self._guard = guard
        self._page = page

    def routes(self) -> list[web.RouteDef]:
        private = self._guard.private
        return [
            web.get("/desk/payments", private(self._list)),
            web.post("/desk/payments/statement", _large(private(self._upload))),
            web.post("/desk/payments/{id}/confirm", private(self._confirm)),
            web.post("/desk/payments/{id}/choose", private(self._choose)),
            web.post("/desk/payments/{id}/aside", private(self._aside)),
        ]

    async def _list(self, request: web.Request, session: Session) -> web.Response:
        return await self._show(request, session)

    async def _show(
        self,
        request: web.Request,
        session: Session,
        status: int = 200,
        *,
        error: str | None = None,
        error_args: dict[str, object] | None = None,
        summary: Summary | None = None,
    ) -> web.Response:
        aside = request.query.get("tab") == "aside"
        lines = await self._deciding.listed(session.agent, aside=aside)
        return await self._page(
            request,
            session,
            "payments.html",
            status,
            lines=lines,
            aside=aside,
            longest=LONGEST,
            full=len(lines) >= LONGEST,
            error=error,
            error_args=error_args or {},
            summary=summary,
        )

    async def _upload(self, request: web.Request, session: Session) -> web.Response:
        if not session.agent.may(Right.BOOK):
            raise NotAllowed("book")
        field = (await request.post()).get("statement")
        if not isinstance(field, FileField) or not (content := field.file.read()):
            return await self._show(request, session, 400, error="desk.payments.no_file")
        try:
            by = f"agent:{session.agent.id}"
            summary = await self._statements.load(session.agent.creditor, content, by)
        except Refused as refused:
            key = f"desk.statement.refused.{refused.code}"
            return await self._show(request, session, 400, error=key, error_args=refused.args_of_text)
        return await self._show(request, session, summary=summary)

    async def _confirm(self, request: web.Request, session: Session) -> web.Response:
        form = await request.post()
        line, seen = request.match_info["id"], _seen(form.get("seen"))
        return await self._decided(
            request, session, self._deciding.confirm(session.agent, line, seen), "payment_booked"
        )

    async def _choose(self, request: web.Request, session: Session) -> web.Response:
        form = await request.post()
        line, seen = request.match_info["id"], _seen(form.get("seen"))
        choice = self._deciding.choose(session.agent, line, str(form.get("number", "")), seen)
        return await self._decided(request, session, choice, "payment_booked")

    async def _aside(self, request: web.Request, session: Session) -> web.Response:
        form = await request.post()
        line, seen = request.match_info["id"], _seen(form.get("seen"))
        choice = self._deciding.put_aside(session.agent, line, str(form.get("reason", "")), seen)
        return await self._decided(request, session, choice, "payment_aside")

    async def _decided(
        self, request: web.Request, session: Session, choice: Awaitable[None], notice: str
    ) -> web.Response:
        try:
            await choice
        except NoInvoice:
            return await self._show(request, session, 400, error="desk.payments.no_invoice")
        except NoReason:
            return await self._show(request, session, 400, error="desk.payments.no_reason")
        except Decided as decided:
            if decided.name is None:
                return await self._show(request, session, 409, error="desk.payments.overtaken")
            args: dict[str, object] = {"name": decided.name}
            return await self._show(request, session, 409, error="desk.payments.decided", error_args=args)
        raise web.HTTPSeeOther(f"/desk/payments?notice={notice}")


def _seen(value: object) -> int:
    text = str(value or "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _large(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A statement is larger than what the app takes elsewhere; only who is logged in gets as far as its body."""

    async def with_room(request: web.Request) -> web.StreamResponse:
        large = request.clone(client_max_size=MAX_BYTES + _FORM)
        response = await handler(large)
        if not large.can_read_body:  # it was read: aiohttp closes the files of its own request alone
            for field in (await large.post()).values():
                if isinstance(field, FileField):
                    field.file.close()
        return response

    return with_room
