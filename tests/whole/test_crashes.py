"""Processes that die in the middle of things: nothing is lost, and nothing happens twice."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text, update
from sqlalchemy.engine import make_url

from app.settings import Settings
from bench.ports import free_port
from core.clock import SystemClock
from store.database import Database
from store.tables.talk import conversation, inbound, outbound
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.whole.conftest import Dialogue
from tests.whole.people import Phone, Telegrammer, Visitor
from tests.whole.process import App
from tests.whole.stage import Behind, Stage, furnish

pytestmark = pytest.mark.slow

# The engine dies


@pytest.mark.parametrize("locale", ["nl", "en"])
async def test_an_engine_killed_in_the_middle_of_a_turn(stage: Stage, dialogue: Dialogue, locale: str) -> None:
    visitor = await Visitor(stage, locale=locale).arrive()
    before = await stage.last()
    dialogue.freeze()
    await visitor.write({"nl": "ik heb dit nooit besteld", "en": "I never ordered this"}[locale])

    async def understood() -> bool:
        return (await stage.one(inbound)).intent is not None

    await stage.until(understood, "the message to be understood")
    dialogue.kill()
    await asyncio.to_thread(dialogue.start)
    await stage.settled()
    said = await stage.said(before)
    assert said[0] == "dispute.not_mine_unknown" and said[1].startswith("handoff.when") and said[2:] == ["dispute.ask"]
    assert await stage.holds() == [("dispute", None)]
    assert (await stage.one(inbound)).outcome == "answered"
    assert (await visitor.conversation()).dialogue_events > 0


async def test_an_engine_that_is_gone_for_good(stage: Stage, dialogue: Dialogue) -> None:
    visitor = await Visitor(stage).arrive()
    before, session = await stage.last(), (await visitor.conversation()).dialogue
    dialogue.kill()
    try:
        await visitor.write("hallo")

        async def understood() -> bool:
            return (await stage.one(inbound)).intent is not None

        await stage.until(understood, "the message to be understood")
        assert await stage.said(before) == []
        stage.clock.advance(seconds=21)
        await stage.settled()
    finally:
        await asyncio.to_thread(dialogue.start)
    assert await stage.said(before) == ["apology.handoff"]
    talk = await visitor.conversation()
    assert (talk.state, talk.reason) == ("open", "fault")
    assert (await stage.one(inbound)).outcome == "apologised"
    assert talk.dialogue != session, "what the engine may still find is read by nobody"


# The app dies


@dataclass
class Street(Behind):
    """The world around an app of its own: as much of a stage as people need."""

    url: str
    http: aiohttp.ClientSession
    twilio: FakeTwilio
    telegram: FakeTelegram
    clock: SystemClock
    db: Database

    def __post_init__(self) -> None:
        super().__init__(self.db)


@asynccontextmanager
async def street(settings: Settings, database_url: str) -> AsyncIterator[tuple[Street, Settings]]:
    async with (
        FakeTwilio() as twilio,
        FakeTelegram() as telegram,
        aiohttp.ClientSession() as http,
    ):
        changes = {
            "database_url": database_url,
            "twilio_api_url": twilio.url,
            "telegram_api_url": telegram.url,
        }
        db = Database(database_url)
        yield (
            Street(settings.public_url, http, twilio, telegram, SystemClock(), db),
            settings.model_copy(update=changes),
        )
        await db.close()


async def test_an_app_killed_between_storing_and_answering(
    settings: Settings, dialogue: Dialogue, database_url: str, tmp_path: Path
) -> None:
    async with street(settings, database_url) as (world, changed), App(changed, tmp_path / "log") as app:
        dialogue.freeze()
        phones = [Phone(world, number=f"+3161111111{n}") for n in range(3)]  # type: ignore[arg-type]
        for phone in phones:
            await phone.write("ik heb dit nooit besteld")

        async def claimed() -> bool:
            return all(row.intent is not None for row in await world.rows(inbound))

        await world.until(claimed, "all messages to be under way")
        app.kill()
        dialogue.thaw()
        await app.start()
        await world.settled()
        assert {row.outcome for row in await world.rows(inbound)} == {"answered"}
        keys = Counter(row.key for row in await world.rows(outbound))
        assert keys["intro.ai"] == keys["dispute.not_mine_unknown"] == 3
        # The greeting, what is said to a dispute, when somebody is there, and whether there is more: each once.
        assert len(world.twilio.messages) == 3 * 4
        assert await world.holds() == [("dispute", None)] * 3


async def test_an_app_killed_while_twilio_has_the_message(
    settings: Settings, dialogue: Dialogue, database_url: str, tmp_path: Path
) -> None:
    async with street(settings, database_url) as (world, changed), App(changed, tmp_path / "log") as app:
        phone = Phone(world)  # type: ignore[arg-type]
        world.twilio.hang()
        await phone.write("hallo")
        await taken(world, lambda: len(world.twilio.messages) == 1)
        app.kill()
        # Some time later.
        async with world.db.begin() as tx:
            long_ago = world.clock.now() - timedelta(minutes=2)
            await tx.execute(update(outbound).where(outbound.c.state == "sending").values(attempted_at=long_ago))
        await app.start()
        await world.settled()

        async def certain() -> bool:
            return {row.state for row in await world.rows(outbound)} == {"sent"}

        await world.until(certain, "an inquiry")
        assert Counter(message["body"] for message in world.twilio.messages).most_common(1)[0][1] == 1
        assert len(world.twilio.messages) == 2


async def test_an_app_killed_while_telegram_has_the_message(
    settings: Settings, dialogue: Dialogue, database_url: str, tmp_path: Path
) -> None:
    async with street(settings, database_url) as (world, changed), App(changed, tmp_path / "log") as app:
        person = Telegrammer(world)  # type: ignore[arg-type]
        world.telegram.hang()
        await person.write("hallo")
        await taken(world, lambda: len(world.telegram.messages) == 1)
        app.kill()
        await app.start()

        async def unknown() -> bool:
            return bool((await world.rows(outbound))[0].state == "unknown")

        await world.until(unknown, "nobody to know")
        await world.settled()
        assert len(world.telegram.messages) == 2, "the second answer has gone out, the first not again"
        said = await person.say("ben je er nog?")
        assert said[:2] == ["notice.again", "intro.ai"]


async def test_an_app_that_is_stopped_ends_at_once_with_visitors_on_the_line(
    settings: Settings, dialogue: Dialogue, database_url: str, tmp_path: Path
) -> None:
    async with street(settings, database_url) as (world, changed), App(changed, tmp_path / "log") as app:
        visitor = await Visitor(world).arrive()  # type: ignore[arg-type]
        await visitor.say("hallo")
        began = asyncio.get_running_loop().time()
        assert await app.stop() == 0
        assert asyncio.get_running_loop().time() - began < 5


async def taken(world: Street, met: Callable[[], bool]) -> None:
    async def so() -> bool:
        return met()

    await world.until(so, "the provider to take the message")


# Two apps


@pytest.mark.skipif(not os.environ.get("EFFEN_TEST_POSTGRES_URL"), reason="EFFEN_TEST_POSTGRES_URL names no PostgreSQL")
async def test_two_apps_on_one_database_answer_everybody_once_and_in_order(
    settings: Settings, dialogue: Dialogue, tmp_path: Path
) -> None:
    base = make_url(os.environ["EFFEN_TEST_POSTGRES_URL"])
    schema = f"whole_{os.getpid()}"
    admin = Database(base.render_as_string(hide_password=False))
    async with admin.begin() as tx:
        await tx.execute(text(f"CREATE SCHEMA {schema}"))
    url = base.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
    await furnish(settings, url, SystemClock())
    async with street(settings, url) as (world, changed):
        port = free_port()
        other = {
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "actions_url": f"http://127.0.0.1:{free_port()}",
        }
        async with App(changed, tmp_path / "one"), App(changed.model_copy(update=other), tmp_path / "two"):
            phones = [Phone(world, number=f"+3161111111{n}") for n in range(8)]  # type: ignore[arg-type]
            words = ["hallo", "wat moet ik nog betalen?", "2026-0042", "9999 ZZ", "hoe groot wordt de monstera?"]
            for word in words:
                for phone in phones:
                    await phone.write(word)
            await world.settled()
            turns = await world.rows(inbound)
            assert len(turns) == 40
            assert all(row.outcome == "answered" for row in turns)
            for talk in await world.rows(conversation):
                mine = [row for row in turns if row.conversation_id == talk.id]
                assert [row.text for row in mine] == words
                assert [row.finished_at for row in mine] == sorted(row.finished_at for row in mine)
                said = [row.turn_id for row in await world.rows(outbound, outbound.c.conversation_id == talk.id)]
                order = [row.id for row in mine]
                assert said == sorted(said, key=order.index)
                assert set(said) == set(order)
            assert len(world.twilio.messages) == len(await world.rows(outbound))
    async with admin.begin() as tx:
        await tx.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await admin.close()
