"""Nobody reads or does anything without a session; nothing is done without the proof of our own form."""

import re
from typing import Any

import pytest
from aiohttp import web

from core.hold import Reason
from core.ids import new_id
from desk.sessions import ABSOLUTE, IDLE
from store.tables.staff import audit, desk_session
from tests.clock import FakeClock
from tests.desk.conftest import Server, csrf_in
from tests.desk.world import PASSWORD, TULP, World

PUBLIC = {("GET", "/desk/login"), ("POST", "/desk/login"), ("GET", "/desk/static/{name}")}


def guarded(world: World) -> list[web.RouteDef]:
    routes = world.desk.routes()
    assert len(routes) > len(PUBLIC)
    return [route for route in routes if (route.method, route.path) not in PUBLIC]


async def test_every_route_wants_a_session(world: World, server: Server) -> None:
    browser = server.browser()
    for route in guarded(world):
        path = re.sub(r"\{\w+\}", lambda _: new_id(), route.path)
        answer = await (browser.get(path) if route.method == "GET" else browser.post(path))
        if route.method == "GET":
            assert answer.status == 303, route.path
            assert answer.headers["Location"].startswith("/desk/login?next="), route.path
        else:
            assert answer.status == 401, route.path
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"], route.path
        assert answer.headers["Cache-Control"] == "no-store", route.path


async def test_every_post_wants_the_token(world: World, server: Server) -> None:
    agent = await world.agent("Sanne de Wit")
    talk = await world.talk(agent=agent.id)
    browser = await server.logged_in(agent)
    posts = [route.path for route in guarded(world) if route.method == "POST"]
    before, deeds = await world.row(talk), await world.all(audit)
    for path in posts:
        path = re.sub(r"\{\w+\}", lambda _: new_id(), path.replace("{id}", talk))
        for csrf in ("", "wrong", "é"):
            answer = await browser.post(path, csrf=csrf, text="hi", key=new_id(), confirm="yes")
            assert answer.status == 403, (path, csrf)
        answer = await browser.post(path, headers={"Origin": "https://evil.example"}, text="hi", key=new_id())
        assert answer.status == 403, path
    assert await world.row(talk) == before
    assert await world.all(audit) == deeds


async def test_login_form_wants_its_token(world: World, server: Server) -> None:
    agent = await world.agent("Sanne de Wit")
    browser = server.browser()
    assert (await browser.post("/desk/login", csrf="", email=agent.email, password=PASSWORD)).status == 403
    token = csrf_in(await browser.page("/desk/login"))
    form = {"csrf": token, "email": agent.email, "password": PASSWORD}
    assert (await browser.post("/desk/login", headers={"Origin": "https://evil.example"}, **form)).status == 403
    assert (await browser.post("/desk/login", headers={"Origin": "http://desk.example"}, **form)).status == 303


async def test_the_cookie(world: World, server: Server) -> None:
    agent = await world.agent("Sanne de Wit")
    answer = await server.browser().login(agent.email)
    cookie = answer.cookies["effen-desk"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/" and not cookie["secure"]
    assert cookie.value not in {row.id for row in await world.all(desk_session)}


@pytest.mark.parametrize(
    ("onward", "lands"),
    [
        ("/desk?tab=mine", "/desk?tab=mine"),
        ("/desk/c/abc123", "/desk/c/abc123"),
        ("//evil.example", "/desk"),
        ("https://evil.example/desk", "/desk"),
        ("/desk/../evil", "/desk"),
        ("", "/desk"),
    ],
)
async def test_login_goes_on_inside_the_desk(world: World, server: Server, onward: str, lands: str) -> None:
    agent = await world.agent("Sanne de Wit")
    answer = await server.browser().login(agent.email, onward=onward)
    assert answer.headers["Location"] == lands


async def test_logout_ends_the_session_on_the_server(world: World, server: Server) -> None:
    agent = await world.agent("Sanne de Wit")
    browser = await server.logged_in(agent)
    kept = {cookie.key: cookie.value for cookie in browser.http.cookie_jar}
    assert (await browser.post("/desk/logout")).status == 303
    assert await world.all(desk_session) == []
    answer = await browser.get("/desk", Cookie=f"effen-desk={kept['effen-desk']}")
    assert answer.status == 303


async def test_a_session_that_is_not_used_ends(world: World, server: Server, clock: FakeClock) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    clock.advance(IDLE * 0.9)
    await browser.page("/desk")
    clock.advance(IDLE * 0.9)
    await browser.page("/desk")
    clock.advance(IDLE)
    assert (await browser.get("/desk")).status == 303


async def test_a_page_that_refreshes_itself_is_no_work(world: World, server: Server, clock: FakeClock) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    live = {"X-Desk-Live": "yes"}
    clock.advance(IDLE * 0.9)
    assert (await browser.get("/desk", **live)).status == 200
    clock.advance(IDLE * 0.2)
    assert (await browser.get("/desk", **live)).status == 401


async def test_a_session_ends_with_the_shift(world: World, server: Server, clock: FakeClock) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    for _ in range(int(ABSOLUTE / (IDLE * 0.9))):
        clock.advance(IDLE * 0.9)
        await browser.page("/desk")
    clock.advance(IDLE * 0.9)
    assert (await browser.get("/desk")).status == 303


ROLES = {
    # role: (own conversation, one in crisis, take one, take a colleague's)
    "agent": (200, 403, 303, 403),
    "supervisor": (200, 403, 303, 303),
    "admin": (200, 403, 303, 303),
    "care": (200, 200, 303, 303),
    "marketer": (403, 403, 403, 403),
}


@pytest.mark.parametrize("role", ROLES)
async def test_what_a_role_may(world: World, server: Server, role: str) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit", role))
    colleague = await world.agent("Karim Haddad")
    waits, crisis = await world.talk(), await world.talk(reason=Reason.SELF_HARM, care=True)
    taken = await world.talk(agent=colleague.id)
    relieve: Any = {"from": colleague.id}
    assert (
        (await browser.get(f"/desk/c/{waits}")).status,
        (await browser.get(f"/desk/c/{crisis}")).status,
        (await browser.post(f"/desk/c/{waits}/take")).status,
        (await browser.post(f"/desk/c/{taken}/take", **relieve)).status,
    ) == ROLES[role]


async def test_another_creditors_conversation_does_not_exist(world: World, server: Server) -> None:
    agent = await world.agent("Sanne de Wit", "supervisor")
    browser = await server.logged_in(agent)
    theirs = await world.talk(key=TULP, agent=agent.id)
    hold = await world.holds(theirs, Reason.HARDSHIP)
    before = await world.row(theirs)
    assert (await browser.get(f"/desk/c/{theirs}")).status == 404
    for deed in ("take", "write", "hand-back", "resolve"):
        answer = await browser.post(f"/desk/c/{theirs}/{deed}", text="hi", key=new_id())
        assert answer.status == 404, deed
    assert (await browser.post(f"/desk/holds/{hold}/lift", confirm="yes")).status == 404
    assert await world.row(theirs) == before
    for tab in ("open", "mine", "waiting", "bot", "resolved"):
        assert theirs not in await browser.page(f"/desk?tab={tab}")


async def test_somebody_in_crisis_waits_without_name_and_text(world: World, server: Server) -> None:
    who = await world.debtor("Omar El Amrani", "K-77")
    talk = await world.talk(reason=Reason.SELF_HARM, care=True, who=who, verified=True)
    await world.hears(talk, "ik wil niet meer leven")
    page = await (await server.logged_in(await world.agent("Sanne de Wit"))).page("/desk")
    assert f'id="r-{talk}"' in page
    assert "Iemand in nood" in page
    assert not re.search("Omar|niet meer leven", page)
    page = await (await server.logged_in(await world.agent("Lotte Bos", "care"))).page("/desk")
    assert "Omar El Amrani" in page and "niet meer leven" in page


async def test_a_crisis_does_not_cut_off_who_is_talking(world: World, server: Server) -> None:
    sanne, lotte = await world.agent("Sanne de Wit"), await world.agent("Lotte Bos", "care")
    hers, colleague = await server.logged_in(sanne), await server.logged_in(await world.agent("Karim Haddad"))
    talk = await world.talk(reason=Reason.SELF_HARM, care=True, agent=sanne.id)
    assert (await hers.post(f"/desk/c/{talk}/write", text="Ik ben er nog.", key=new_id())).status == 303
    assert (await colleague.get(f"/desk/c/{talk}")).status == 403
    care = await server.logged_in(lotte)
    relieve: Any = {"from": sanne.id}
    assert (await care.post(f"/desk/c/{talk}/take", **relieve)).status == 303
    assert (await hers.get(f"/desk/c/{talk}")).status == 403
