"""Whatever people write and tap, in whatever order: an answer, a way out, and no word of a debt before the proof.

EFFEN_FUZZ_SEED=17 shows conversation 17 again, alone.
"""

import asyncio
import json
import logging
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select

from app.repository import ROOT
from app.settings import Settings
from core.agent import Role
from core.ids import CreditorKey
from core.lifecycle import TurnOutcome
from core.message import Locale
from desk.accounts import Accounts, agent_of
from locales import Renderer
from store.tables.staff import agent as staff
from store.tables.talk import inbound
from tests.clock import FakeClock
from tests.desk.world import PASSWORD
from tests.whole.conftest import Dialogue
from tests.whole.crowd import customer, settle_in
from tests.whole.stage import Stage, staged
from tests.whole.wander import Material, Wanderer
from understanding import Understanding

pytestmark = pytest.mark.slow

# Hours that go by after each turn: buttons expire and a web session's proof lapses on the way.
_HOURS = (0.0, 0.0, 0.1, 0.0, 0.6, 0.0, 30.0, 0.0)
_AT_ONCE = 10


@pytest.mark.parametrize(
    ("conversations", "turns"), [(100, 4), pytest.param(2000, 8, marks=pytest.mark.soak)], ids=["short", "long"]
)
async def test_conversations_by_chance(
    settings: Settings,
    understanding: Understanding,
    dialogue: Dialogue,
    furnished: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    conversations: int,
    turns: int,
) -> None:
    only = os.environ.get("EFFEN_FUZZ_SEED")
    seeds = [int(only)] if only else range(conversations)
    settings = settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    material = Material.read(ROOT / "bot/data/nlu", frozenset(Renderer().catalogues[Locale("nl")].messages))
    faults: list[str] = []
    for start in range(0, len(seeds), _AT_ONCE):
        batch = seeds[start : start + _AT_ONCE]
        # A fresh shop every time: time goes by in all of its conversations alike.
        database = shutil.copy(furnished, tmp_path / f"effen-{start}.db")
        clock = FakeClock()
        with structlog.testing.capture_logs() as logs:
            async with staged(settings, understanding, f"sqlite:///{database}", clock) as stage:
                faults += await _batch(stage, settings, batch, material, turns)
                await _one_event_a_turn(stage, settings)
        # That somebody is woken is logged as loudly as a fault, and is none.
        loud = [e for e in logs if e["log_level"] in ("error", "critical") and e["event"] != "care.urgent"]
        faults += [f"logged in the conversations {list(batch)}: {entry}" for entry in loud]
    assert faults == [], "\n\n".join(faults)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def _batch(stage: Stage, settings: Settings, seeds: Sequence[int], material: Material, turns: int) -> list[str]:
    """What went wrong, each with its conversation."""
    effen, clock = stage.effen, stage.clock
    people = [customer(seed, clock.now().date()) for seed in seeds]
    await settle_in(effen.db, clock, settings, people)
    owners = {word: each for each in people for word in each.secrets}
    await Accounts(effen.db, clock).add(CreditorKey("bloem"), "roos@example.test", "Roos Wilg", Role.CARE, PASSWORD)
    agent = agent_of(await stage.one(staff))
    wanderers = [Wanderer(stage, each, material, owners, agent) for each in people]
    for turn in range(turns):
        await asyncio.gather(*(each.step() for each in wanderers))
        clock.advance(hours=_HOURS[turn % len(_HOURS)])
    await asyncio.gather(*(each.leave() for each in wanderers))
    await stage.settled()
    return [each.fault for each in wanderers if each.fault]


async def _one_event_a_turn(stage: Stage, settings: Settings) -> None:
    """In the engine's own book each turn that it answered stands once, and no other."""
    async with stage.effen.db.read() as tx:
        turns = {row.id: row for row in await tx.execute(select(inbound))}
    with sqlite3.connect(settings.engine_store_url.removeprefix("sqlite:///")) as book:
        events = book.execute("SELECT data FROM events WHERE type_name = 'user'").fetchall()
    written = Counter(json.loads(data)["message_id"] for (data,) in events)
    assert [turn for turn in turns if written[turn] > 1] == []
    unasked = [turn for turn, row in turns.items() if row.outcome != TurnOutcome.ANSWERED and written[turn]]
    assert unasked == []
