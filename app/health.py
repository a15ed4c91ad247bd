"""Probes and metrics."""

import aiohttp
from aiohttp import web
from sqlalchemy import text

from app import engine
from app.metrics import Metrics
from store.database import Database


def routes(db: Database, http: aiohttp.ClientSession, engine_urls: list[str], metrics: Metrics) -> list[web.RouteDef]:
    async def live(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(request: web.Request) -> web.Response:
        """The store answers, and at least one engine: without one, messages wait and then get a person."""
        try:
            async with db.read() as tx:
                await tx.execute(text("SELECT 1"))
            store = True
        except Exception:
            store = False
        dialogue = any([await engine.answers(http, url) for url in engine_urls])
        status = 200 if store and dialogue else 503
        return web.json_response({"store": store, "engine": dialogue}, status=status)

    async def page(request: web.Request) -> web.Response:
        body = await metrics.page(db)
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/health/live", live), web.get("/health/ready", ready), web.get("/metrics", page)]
