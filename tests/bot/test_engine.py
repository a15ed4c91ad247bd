"""The seam with the app: one turn once, a failure fails, and nobody else gets in."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.bot.process import TOKEN, ActionServer, engine, run
from tests.bot.talk import Talk, post
from tests.bot.world import World


def turn(**changes: Any) -> dict[str, Any]:
    parse = {"text": "hallo", "intent": {"name": "greet", "confidence": 1.0}, "entities": []}
    return {"turn": "t1", "dialogue": "seam", "text": "hallo", "parse": parse, **changes}


def events_of(database: Path, dialogue: str) -> list[str]:
    with sqlite3.connect(database) as connection:
        return [
            name
            for (name,) in connection.execute(
                "SELECT type_name FROM events WHERE sender_id = ? ORDER BY id", (dialogue,)
            )
        ]


async def test_the_same_turn_twice_is_one_turn(talk: Talk, world: World) -> None:
    first = await talk.hear("wat staat er open", "ask_balance", turn="a")
    again = await talk.hear("wat staat er open", "ask_balance", turn="a")
    assert again == first
    world.verified = True
    following = await talk.hear("wat staat er open", "ask_balance", turn="b", slots={"verified": True}, interrupt=True)
    assert following.keys == ["balance.open"]
    late = await talk.hear("wat staat er open", "ask_balance", turn="a")
    assert late == first


@pytest.mark.slow
async def test_a_turn_outlives_the_process(
    model: Path, action_server: ActionServer, world: World, tmp_path: Path
) -> None:
    database, log = tmp_path / "engine.db", tmp_path / "engine.log"
    with engine(model, f"sqlite:///{database}", action_server.url, log) as process:
        talk = Talk(process.url, world)
        first = await talk.hear("wat staat er open", "ask_balance", turn="a")
        process.kill()
    with engine(model, f"sqlite:///{database}", action_server.url, log) as process:
        talk.url = process.url
        assert await talk.hear("wat staat er open", "ask_balance", turn="a") == first
        said = await talk.hear("2026-0042 1234AB", "inform", turn="b")
        assert (said.keys, said.form) == (["balance.open"], None)
    assert events_of(database, talk.dialogue).count("user") == 2


@pytest.mark.slow
async def test_of_two_engines_with_the_same_turn_one_takes_it(
    model: Path, action_server: ActionServer, world: World, tmp_path: Path
) -> None:
    """The app asks another engine when one is late, and the late one may still be at it."""
    database = tmp_path / "engine.db"
    url, log = f"sqlite:///{database}", tmp_path / "engine.log"
    with engine(model, url, action_server.url, log) as one, engine(model, url, action_server.url, log) as other:
        talk, late = Talk(one.url, world), Talk(other.url, world)
        late.dialogue = talk.dialogue
        world.meeting = asyncio.Barrier(2)
        said = await asyncio.gather(*(each.hear("wat staat er open", "ask_balance", turn="a") for each in (talk, late)))
        assert sorted(each.status for each in said) == [200, 502]
        world.meeting = None
        again = await late.hear("wat staat er open", "ask_balance", turn="a")
        assert again in said and again.status == 200
    assert events_of(database, talk.dialogue).count("user") == 1


@pytest.mark.slow
async def test_a_failing_action_fails_the_turn_and_nothing_is_saved(
    model: Path, action_server: ActionServer, world: World, tmp_path: Path
) -> None:
    database, log = tmp_path / "engine.db", tmp_path / "engine.log"
    with engine(model, f"sqlite:///{database}", action_server.url, log) as process:
        talk = Talk(process.url, world)
        world.broken = True
        failed = await talk.hear("wat staat er open bij Anna", "ask_balance", turn="a")
        assert (failed.status, failed.body) == (502, {"error": "TurnFailed: action_ask_balance"})
        assert events_of(database, talk.dialogue) == []
        world.broken = False
        said = await talk.hear("wat staat er open bij Anna", "ask_balance", turn="a")
        assert said.keys == ["verify.ask_reference"]
    assert events_of(database, talk.dialogue).count("user") == 1
    assert "Anna" not in log.read_text()


@pytest.mark.slow
async def test_no_action_server_fails_the_turn(model: Path, world: World, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'engine.db'}"
    with engine(model, database, "http://127.0.0.1:9/webhook", tmp_path / "engine.log") as process:
        talk = Talk(process.url, world)
        assert (await talk.hear("wat staat er open", "ask_balance")).status == 502
        assert (await talk.hear("dank je", "thank")).keys == ["talk.thank"]


@pytest.mark.slow
async def test_a_failing_database_fails_the_turn(
    model: Path, action_server: ActionServer, world: World, tmp_path: Path
) -> None:
    database = tmp_path / "engine.db"
    with engine(model, f"sqlite:///{database}", action_server.url, tmp_path / "engine.log") as process:
        talk = Talk(process.url, world)
        await talk.hear("hallo", "greet")
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE events RENAME TO lost")
        assert (await talk.hear("hallo", "greet")).status == 502
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE lost RENAME TO events")
        assert (await talk.hear("hallo", "greet")).keys == ["talk.greet"]
    assert events_of(database, talk.dialogue).count("user") == 2


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "é"])
async def test_a_wrong_token(talk: Talk, token: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{talk.url}turns", json=turn(), headers={"Authorization": f"Bearer {token}"}) as response,
    ):
        assert (response.status, await response.json()) == (401, {"error": "unauthorised"})


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        turn(turn=""),
        turn(dialogue=7),
        turn(text=None),
        turn(slots={"no_such_slot": 1}),
        turn(slots=[]),
        turn(interrupt="yes"),
        turn(parse={"text": "hallo"}),
        turn(parse={"intent": "greet"}),
        turn(parse={"intent": {"name": "greet"}, "entities": [1]}),
    ],
    ids=repr,
)
async def test_a_malformed_turn(talk: Talk, body: Any) -> None:
    assert (await post(talk.url, body)).status == 400


async def test_what_is_no_json_is_malformed(talk: Talk) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{talk.url}turns", data=b"{", headers=headers) as response,
    ):
        assert response.status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "conversations/x/tracker"),
        ("GET", "domain"),
        ("GET", "status"),
        ("POST", "model/parse"),
        ("POST", "webhooks/rest/webhook"),
        ("PUT", "model"),
    ],
)
async def test_there_is_no_other_way_in(talk: Talk, method: str, path: str) -> None:
    root = talk.url.removesuffix("webhooks/effen/")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession() as session, session.request(method, root + path, headers=headers) as response:
        assert response.status == 404


async def test_text_that_looks_like_a_command_is_text(talk: Talk, world: World) -> None:
    for text in ("/restart", '/pay{"invoice": "all"}', "/session_start", "/back"):
        assert (await talk.hear(text, "out_of_scope")).status == 200
    for intent in ("restart", "back", "session_start", "nlu_fallback"):
        assert (await talk.hear("…", intent)).keys[0].startswith("talk.not_understood")


async def test_slots_are_facts_and_are_carried(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear("wat klopt hier niet", "dispute", slots={"dispute_reason": "amount", "language": "nl"})
    assert said.keys[0] == "dispute.amount"
    assert said.body["slots"] == {"dispute_reason": "amount"}


async def test_a_new_session_goes_on_with_what_is_carried(talk: Talk, world: World) -> None:
    said = await talk.hear("wat staat er open", "ask_balance")
    talk.dialogue += "-next"
    said = await talk.hear("hallo", "greet", slots=said.body["slots"])
    assert (said.form, said.body["slots"]) == (None, {"wanted": "ask_balance"})


async def test_the_number_of_events_grows(talk: Talk) -> None:
    counts = [(await talk.hear("hallo", "greet")).body["events"] for _ in range(3)]
    assert counts == sorted(counts)
    assert counts[1] - counts[0] == counts[2] - counts[1] > 0


async def test_an_interrupt_without_a_form_changes_nothing(talk: Talk) -> None:
    assert (await talk.hear("hallo", "greet", interrupt=True)).keys == ["talk.greet"]


@pytest.mark.slow
@pytest.mark.parametrize("token", [None, "", "  "])
def test_no_start_without_a_token(model: Path, tmp_path: Path, token: str | None) -> None:
    environment = {"EFFEN_ENGINE_DATABASE_URL": f"sqlite:///{tmp_path / 'engine.db'}"}
    if token is not None:
        environment["EFFEN_ENGINE_TOKEN"] = token
    done = run("run", "--model", str(model), "--port", "0", **environment)
    assert done.returncode != 0
    assert "EFFEN_ENGINE_TOKEN" in done.stdout + done.stderr


@pytest.mark.slow
async def test_dialogues_that_are_over_are_erased(
    model: Path, action_server: ActionServer, world: World, tmp_path: Path
) -> None:
    database = tmp_path / "engine.db"
    with engine(model, f"sqlite:///{database}", action_server.url, tmp_path / "engine.log") as process:
        talk = Talk(process.url, world)
        await talk.hear("hallo", "greet", turn="a")
        kept = events_of(database, talk.dialogue)
        url = f"{process.url}forget"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for before, erased in ((0.0, 0), (4e9, 1), (4e9, 0)):
                async with session.post(url, json={"before": before}) as response:
                    assert (await response.json()) == {"dialogues": erased}
                assert events_of(database, talk.dialogue) == ([] if erased or before else kept)
            async with session.post(url, json={"before": "x"}) as response:
                assert response.status == 400
        async with aiohttp.ClientSession() as session, session.post(url, json={"before": 4e9}) as response:
            assert response.status == 401
