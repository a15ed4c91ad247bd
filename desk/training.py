"""The training inbox at the desk: what the bot was not sure of, judged by a lead."""

from aiohttp import web

from conversations.training import INTENTS, Training
from desk.entry import Page
from desk.guard import Guard
from desk.sessions import Session


class TrainingPages:
    def __init__(self, training: Training, guard: Guard, page: Page) -> None:
        self._training = training
        self._guard = guard
        self._page = page

    def routes(self) -> list[web.RouteDef]:
        private = self._guard.private
        return [
            web.get("/desk/training", private(self._inbox)),
            web.post("/desk/training/{id}/accept", private(self._accept)),
            web.post("/desk/training/{id}/discard", private(self._discard)),
        ]

    async def _inbox(self, request: web.Request, session: Session) -> web.Response:
        waiting = await self._training.waiting(session.agent)
        return await self._page(request, session, "training.html", waiting=waiting, intents=INTENTS)

    async def _accept(self, request: web.Request, session: Session) -> web.Response:
        intent = str((await request.post()).get("intent", ""))
        await self._training.accept(session.agent, request.match_info["id"], intent)
        raise web.HTTPSeeOther("/desk/training")

    async def _discard(self, request: web.Request, session: Session) -> web.Response:
        await self._training.discard(session.agent, request.match_info["id"])
        raise web.HTTPSeeOther("/desk/training")
