"""Accounts: passwords that are slow to guess, whoever asks."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import BadInput, Conflict, NotFound
from core.ids import CreditorKey
from desk.accounts import generate_password, lock_after
from store.tables.staff import agent, desk_session
from tests.clock import FakeClock
from tests.desk.conftest import Server
from tests.desk.world import BLOEM, PASSWORD, World


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 2), (6, 4), (8, 16), (14, 600), (5000, 600)], ids=str
)
def test_each_failure_doubles_the_wait(failures: int, seconds: int) -> None:
    assert lock_after(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("key", "email", "name", "role", "password", "error"),
    [
        ("bloem", "sanne", "Sanne", "agent", PASSWORD, BadInput),
        ("bloem", "sanne@x.example", " ", "agent", PASSWORD, BadInput),
        ("bloem", "sanne@x.example", "Sanne", "boss", PASSWORD, BadInput),
        ("bloem", "sanne@x.example", "Sanne", "agent", "too short", BadInput),
        ("nobody", "sanne@x.example", "Sanne", "agent", PASSWORD, NotFound),
        ("bloem", " KARIM@bloem.example", "Karim", "agent", PASSWORD, Conflict),
    ],
    ids=["e-mail", "name", "role", "password", "creditor", "taken"],
)
async def test_no_account_for(
    world: World, key: str, email: str, name: str, role: str, password: str, error: type[Exception]
) -> None:
    await world.agent("Karim Haddad")
    with pytest.raises(error):
        await world.accounts.add(CreditorKey(key), email, name, role, password)


async def test_a_made_password_logs_in(world: World) -> None:
    password = generate_password()
    await world.accounts.add(BLOEM, "Sanne@Bloem.example", "Sanne", "agent", password)
    found = await world.accounts.check(" sanne@bloem.EXAMPLE ", password)
    assert found is not None and found.name == "Sanne"
    assert password != generate_password()
    assert password not in str(await world.all(agent))


async def test_unknown_wrong_and_locked_get_the_same_answer(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    browser = server.browser()
    pages = set()
    for email, password in [("who@bloem.example", PASSWORD), *[(sanne.email, "wrong")] * 5, (sanne.email, PASSWORD)]:
        answer = await browser.login(email, password)
        assert answer.status == 401
        pages.add(await answer.text())
    assert len(pages) == 1


async def test_the_lock_opens_after_its_time(world: World, clock: FakeClock) -> None:
    sanne = await world.agent("Sanne de Wit")
    for _ in range(5):
        assert await world.accounts.check(sanne.email, "wrong") is None
    assert await world.accounts.check(sanne.email, PASSWORD) is None
    clock.advance(lock_after(5))
    assert await world.accounts.check(sanne.email, PASSWORD) == sanne
    for _ in range(4):  # the count has started anew
        assert await world.accounts.check(sanne.email, "wrong") is None
    assert await world.accounts.check(sanne.email, PASSWORD) == sanne


async def test_guessing_in_parallel_gains_nothing(world: World) -> None:
    sanne = await world.agent("Sanne de Wit")
    guesses = [*["wrong"] * 20, PASSWORD]
    answers = await asyncio.gather(*(world.accounts.check(sanne.email, guess) for guess in guesses))
    assert answers == [None] * 21
    (row,) = await world.all(agent)
    assert row.failures == 5


async def test_changing_the_password_logs_out_elsewhere(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    here, elsewhere = await server.logged_in(sanne), await server.logged_in(sanne)
    assert (await here.post("/desk/account", old="wrong", new="een-heel-nieuw-woord")).status == 400
    assert (await here.post("/desk/account", old=PASSWORD, new="kort")).status == 400
    assert (await here.post("/desk/account", old=PASSWORD, new="een-heel-nieuw-woord")).status == 303
    assert (await here.get("/desk")).status == 200
    assert (await elsewhere.get("/desk")).status == 303
    assert len(await world.all(desk_session)) == 1
    assert (await server.browser().login(sanne.email, PASSWORD)).status == 401
    assert (await server.browser().login(sanne.email, "een-heel-nieuw-woord")).status == 303
