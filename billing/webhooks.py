"""What payment providers call: something happened to a payment, so fetch the truth."""

from collections.abc import Callable, Mapping

import structlog
from aiohttp import web

from billing.creditors import creditor_of
from billing.payments import Payments
from core.errors import BadInput, BadSignature, NotFound, PaymentFailed
from core.message import Webhook
from core.payment import PaymentProvider
from store.database import Database

log = structlog.get_logger(__name__)


def routes(
    database: Database,
    payments: Payments,
    providers: Mapping[str, PaymentProvider],
    *,
    public_url: str,
    refused: Callable[[str], None],
) -> list[web.RouteDef]:
    """`POST /webhooks/{provider}/{account}` for each provider. `refused` counts what was not signed."""

    def route(provider: PaymentProvider) -> web.RouteDef:
        async def receive(request: web.Request) -> web.Response:
            account = request.match_info["account"]
            webhook = Webhook(
                method=request.method,
                url=public_url.rstrip("/") + request.raw_path,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                account=account,
                remote=request.remote or "",
            )
            try:
                async with database.read() as connection:
                    await creditor_of(connection, account)
                provider.verify(webhook)
                events = provider.parse(webhook)
                for event in events:
                    await payments.settle(provider.name, account, event.external_id)
            except NotFound:
                return web.Response(status=404)
            except BadSignature:
                refused(provider.name)
                return web.Response(status=403)
            except BadInput:
                return web.Response(status=400)
            except PaymentFailed as failed:  # the provider tries again; so does the poll
                log.warning("webhook.not_fetched", provider=provider.name, code=failed.code)
                return web.Response(status=503)
            return web.Response(status=200)

        return web.post(f"/webhooks/{provider.name}/{{account}}", receive)

    return [route(provider) for provider in providers.values()]
