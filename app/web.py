"""The two listeners: the public port, and the actions' own on loopback or the private network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

import widget
from app import health, playground
from app.compose import Effen
from app.proxies import remote_of
from billing import copy_page, pay_page
from billing import webhooks as payment_webhooks
from channels import rest
from channels import webhooks as channel_webhooks
from channels.rate import Brake
from core.errors import BadInput, Conflict, NotFound
from core.message import Inbound, Receipt
from payments import sandbox_bank

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
_STOPPING = 10.0  # seconds for requests that are under way when we stop; a REST client asks again
_STATUS: dict[type[Exception], int] = {NotFound: 404, BadInput: 400, Conflict: 409}


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Our own errors as HTTP, anything else as a bare 500 that is logged; and headers that no page should lack."""
    try:
        response = await handler(request)
    except tuple(_STATUS) as error:
        detail = {"type": "about:blank", "status": _STATUS[type(error)], "detail": str(error)}
        response = web.json_response(detail, status=_STATUS[type(error)], content_type="application/problem+json")
    except web.HTTPException:
        raise
    except Exception as error:
        route = request.match_info.route.resource
        log.exception("request.failed", route=route.canonical if route else "?", error=type(error).__name__)
        response = web.json_response({"type": "about:blank", "status": 500}, status=500)
    if not response.prepared:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def public(effen: Effen) -> web.Application:
    """Everything that the outside may call."""
    settings = effen.settings
    app = web.Application(middlewares=[guarded], client_max_size=MAX_BODY)
    remote = remote_of(settings.trusted_proxies)
    effen.webchat.server.attach(app)
    app.on_shutdown.append(lambda _: effen.webchat.close())
    twilio = [effen.channels["whatsapp"], effen.channels["sms"]]
    app.add_routes(
        channel_webhooks.routes(
            {
                "/webhooks/twilio/messages": twilio,
                "/webhooks/twilio/status": twilio,
                "/webhooks/telegram/{account}": [effen.channels["telegram"]],
            },
            public_url=settings.public_url,
            accept=lambda item: accept(effen, item),
            refused=effen.metrics.refused,
            remote=remote,
        )
    )
    app.add_routes(rest.routes(effen.chats, effen.origins, effen.brake, remote))
    app.add_routes(
        payment_webhooks.routes(
            effen.db, effen.payments, effen.providers, public_url=settings.public_url, refused=effen.metrics.refused
        )
    )
    pages = Brake(monotonic)
    app.add_routes(
        copy_page.routes(
            effen.db,
            effen.clock,
            effen.copies,
            effen.invoice_events,
            effen.texts,
            lambda request, token: pages.wait(token, remote(request)),
        )
    )
    app.add_routes(pay_page.routes(effen.db, effen.links, effen.payments, effen.texts, public_url=settings.public_url))
    app.add_routes(widget.routes(effen.creditors.get, effen.texts))
    app.add_routes(effen.api.routes())
    app.add_routes(effen.desk.routes())
    if effen.sandbox is not None:
        app.add_routes(sandbox_bank.routes(effen.sandbox, effen.texts))
        app.add_routes(playground.routes(effen))
    app.add_routes(health.routes(effen.db, effen.http, settings.engine_url.split(","), effen.metrics))
    return app


async def accept(effen: Effen, item: Inbound | Receipt) -> None:
    """Store what a channel's webhook carried. Raises NotFound for an account that is nobody's."""
    if isinstance(item, Receipt):
        await effen.outbox.receipt(item)
    else:
        await effen.inbox.receive(effen.accounts.owner(item.channel, item.account), item)


def private(effen: Effen) -> web.Application:
    """The actions, for the engine alone."""
    app = web.Application(client_max_size=4 * MAX_BODY)
    app.add_routes(effen.actions)
    return app


@asynccontextmanager
async def listening(effen: Effen, *, host: str, port: int) -> AsyncIterator[None]:
    """Both listeners, until the block ends."""
    actions = urlsplit(effen.settings.actions_url)
    runners = []
    try:
        for app, at, on in (
            (public(effen), host, port),
            (private(effen), actions.hostname or "127.0.0.1", actions.port or 5055),
        ):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOPPING)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, at, on).start()
        yield
    finally:
        for runner in runners:
            await runner.cleanup()
