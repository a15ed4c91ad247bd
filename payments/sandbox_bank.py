"""The sandbox bank's page: the payer chooses how the payment ends."""

from aiohttp import web
from jinja2 import Environment, PackageLoader

from core.lifecycle import PaymentStatus
from core.texts import Texts
from payments.sandbox import Entry, Sandbox

# What a button sends → the status that it brings about.
_OUTCOMES = {
    "succeed": PaymentStatus.PAID,
    "delay": PaymentStatus.PENDING,
    "fail": PaymentStatus.FAILED,
    "cancel": PaymentStatus.CANCELLED,
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


def routes(bank: Sandbox, texts: Texts) -> list[web.RouteDef]:
    """`/sandbox/bank/{payment}`: development only."""
    pages = _Pages(bank, texts)
    return [web.get("/sandbox/bank/{payment}", pages.show), web.post("/sandbox/bank/{payment}", pages.decide)]


class _Pages:
    def __init__(self, bank: Sandbox, texts: Texts) -> None:
        self._bank = bank
        self._texts = texts
        self._template = Environment(loader=PackageLoader("payments"), autoescape=True).get_template("bank.html")

    async def show(self, request: web.Request) -> web.Response:
        entry = await self._entry(request)

        def text(key: str, **args: object) -> str:
            return self._texts.text(key, entry.order.locale, **args)

        page = self._template.render(
            t=text,
            locale=entry.order.locale,
            order=entry.order,
            outcomes=list(_OUTCOMES) if entry.status is PaymentStatus.OPEN else [],
        )
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)

    async def decide(self, request: web.Request) -> web.Response:
        entry = await self._entry(request)
        outcome = _OUTCOMES.get(str((await request.post()).get("outcome", "")))
        if outcome is None:
            raise web.HTTPBadRequest
        await self._bank.decide(entry.id, outcome)
        raise web.HTTPSeeOther(entry.order.return_url)

    async def _entry(self, request: web.Request) -> Entry:
        entry = await self._bank.find(request.match_info["payment"])
        if entry is None:
            raise web.HTTPNotFound
        return entry
