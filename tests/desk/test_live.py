"""The socket: who may listen, and what is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from socketio import AsyncClient
from socketio.exceptions import ConnectionError as Refused

from core.ids import ConversationId
from store.database import changed
from tests.desk.conftest import Browser, Server
from tests.desk.world import TULP, World

Listen = Callable[..., Any]


@pytest.fixture
async def listen(server: Server) -> AsyncIterator[Listen]:
    """Open a socket as this browser, as the page's script does."""
    clients: list[AsyncClient] = []

    async def listen(
        browser: Browser, *, csrf: str | None = None, origin: str = "http://desk.example", **auth: Any
    ) -> "asyncio.Queue[Any]":
        heard: asyncio.Queue[Any] = asyncio.Queue()
        client = AsyncClient(reconnection=False)
        clients.append(client)
        client.on("changed", heard.put, namespace="/desk")
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.http.cookie_jar)
        await client.connect(
            server.url, headers={"Cookie": cookies, "Origin": origin}, namespaces=["/desk"], transports=["websocket"],
            auth={"csrf": browser.csrf if csrf is None else csrf, **auth}, wait_timeout=5,
        )  # fmt: skip
        return heard

    yield listen
    for client in clients:
        await client.disconnect()


async def test_the_queue_hears_of_its_creditors_conversations_by_id(
    world: World, server: Server, listen: Listen
) -> None:
    heard = await listen(await server.logged_in(await world.agent("Sanne de Wit")))
    theirs, ours = await world.talk(key=TULP), await world.talk()
    await world.desk.namespace.changed(theirs)
    await world.desk.namespace.changed(ConversationId("gone"))
    await world.desk.namespace.changed(ours)
    assert await asyncio.wait_for(heard.get(), 5) == {"conversation": ours}


async def test_a_conversations_page_hears_of_that_one(world: World, server: Server, listen: Listen) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    other, mine = await world.talk(), await world.talk()
    heard = await listen(browser, conversation=mine)
    await world.desk.namespace.changed(other)
    await world.desk.namespace.changed(mine)
    assert await asyncio.wait_for(heard.get(), 5) == {"conversation": mine}


async def test_a_page_hears_of_what_was_committed(world: World, server: Server, listen: Listen) -> None:
    """Several changes in a moment are told once; what was rolled back is not told."""
    world.db.watch(world.desk.namespace.look)
    sanne = await world.agent("Sanne de Wit")
    mine, dropped = await world.talk(), await world.talk()
    heard = await listen(await server.logged_in(sanne))
    with pytest.raises(RuntimeError):
        async with world.db.begin() as tx:
            changed(tx, dropped)
            raise RuntimeError
    await world.desking.take(mine, sanne)
    await world.desking.write(mine, sanne, "Goedemiddag", "1")
    assert await asyncio.wait_for(heard.get(), 5) == {"conversation": mine}
    await world.desk.namespace.changed(ConversationId("gone"))
    await world.desk.namespace.changed(dropped)
    assert await asyncio.wait_for(heard.get(), 5) == {"conversation": dropped}


async def test_who_may_not_listen(world: World, server: Server, listen: Listen) -> None:
    sanne = await server.logged_in(await world.agent("Sanne de Wit"))
    marketer = await server.logged_in(await world.agent("Mia Peeters", "marketer"))
    theirs, crisis = await world.talk(key=TULP), await world.talk(care=True)
    refusals: list[tuple[Browser, dict[str, Any]]] = [
        (server.browser(), {}),
        (marketer, {}),
        (sanne, {"csrf": "wrong"}),
        (sanne, {"origin": "https://evil.example"}),
        (sanne, {"conversation": theirs}),
        (sanne, {"conversation": crisis}),
        (sanne, {"conversation": ["x"]}),
    ]
    for browser, how in refusals:
        with pytest.raises(Refused):
            await listen(browser, **how)
