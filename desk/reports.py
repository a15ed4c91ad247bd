"""For leads: what moved on the creditor's account in a day, and what its shop has not heard."""

from datetime import date, timedelta

from aiohttp import web

from billing.remittance import Remittance, remittance
from billing.shop.unheard import Unheard
from conversations.creditors import Creditors
from core.agent import NotAllowed, Right
from core.clock import Clock
from core.errors import NotFound
from desk.entry import Page
from desk.guard import Guard
from desk.sessions import Session
from store.audit import record
from store.database import Database


class ReportPages:
    def __init__(
        self, database: Database, clock: Clock, creditors: Creditors, unheard: Unheard, guard: Guard, page: Page
    ) -> None:
        self._database = database
        self._clock = clock
        self._creditors = creditors
        self._unheard = unheard
        self._guard = guard
        self._page = page

    def routes(self) -> list[web.RouteDef]:
        private = self._guard.private
        return [
            web.get("/desk/remittance", private(self._remittance)),
            web.get("/desk/remittance.csv", private(self._csv)),
            web.get("/desk/webhooks", private(self._webhooks)),
            web.post("/desk/webhooks/{id}/again", private(self._again)),
        ]

    async def _remittance(self, request: web.Request, session: Session) -> web.Response:
        report = await self._report(request, session)
        near = (report.day - timedelta(days=1), report.day + timedelta(days=1))
        return await self._page(request, session, "remittance.html", report=report, near=near)

    async def _csv(self, request: web.Request, session: Session) -> web.Response:
        report = await self._report(request, session)
        async with self._database.begin() as tx:
            await record(tx, session.agent, "remittance", report.day.isoformat(), self._clock.now())
        name = f"remittance-{session.agent.creditor}-{report.day.isoformat()}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=report.csv(), content_type="text/csv", charset="utf-8", headers=headers)

    async def _report(self, request: web.Request, session: Session) -> Remittance:
        """Of the day in the address, else of today. Raises NotFound for what is no day."""
        _check(session)
        creditor = await self._creditors.get(session.agent.creditor)
        asked = request.query.get("day")
        try:
            day = date.fromisoformat(asked) if asked else self._clock.now().astimezone(creditor.zone).date()
            day + timedelta(days=2), day - timedelta(days=2)  # the calendar ends
        except (ValueError, OverflowError):
            raise NotFound("no such day") from None
        return await remittance(self._database, creditor, day)

    async def _webhooks(self, request: web.Request, session: Session) -> web.Response:
        _check(session)
        failed = await self._unheard.of(session.agent.creditor)
        return await self._page(request, session, "webhooks.html", failed=failed)

    async def _again(self, request: web.Request, session: Session) -> web.Response:
        _check(session)
        identifier = request.match_info["id"]
        await self._unheard.again(session.agent.creditor, identifier)
        async with self._database.begin() as tx:
            await record(tx, session.agent, "webhook_again", identifier, self._clock.now())
        raise web.HTTPSeeOther("/desk/webhooks?notice=webhook_again")


def _check(session: Session) -> None:
    if not session.agent.may(Right.REPORT):
        raise NotAllowed("report")
