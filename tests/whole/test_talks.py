"""Whole conversations as scripts: what the person says or taps, what is said in answer, and what has happened then.

`scripts/talks/*.yml`: each has a name, the state it begins in (states.py), and turns. A turn is one of

    say: {nl: …, en: …}   in the person's words      word: pay     the sentence of words.yml for this intent
    tap: option.pay       the newest such button     wait: {hours: 3}        agent: back     an agent hands it back

and `bot`, the keys that are said in answer (`*`: any ending); `shows`: what can be read in it. `after`: form, handoff,
noted, wish, links (amounts in cents), promised (days from now), holds, opted_out.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from app.settings import Settings
from store.tables.money import payment_link, plan, promise
from store.tables.people import hold
from store.tables.talk import outbound
from tests.clock import FakeClock
from tests.whole.conftest import Dialogue
from tests.whole.people import Person
from tests.whole.states import Scene, scene_of
from tests.whole.test_cells import SCRIPTS, WORDS
from understanding import Understanding

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Talk:
    name: str
    given: str
    turns: Sequence[Mapping[str, Any]]
    languages: Sequence[str] = ("nl", "en")
    channel: str = "rest"
    after: Mapping[str, Any] = field(default_factory=dict)


def talks() -> Iterator[Talk]:
    for file in sorted((SCRIPTS / "talks").glob("*.yml")):
        for each in yaml.safe_load(file.read_text("utf-8")):
            yield Talk(**each)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    settings: Settings,
    understanding: Understanding,
    dialogue: Dialogue,
    furnished: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Scene]:
    async with scene_of(settings, understanding, furnished, tmp_path_factory.mktemp("scene")) as scene:
        yield scene


@pytest.mark.parametrize(
    ("talk", "language"),
    [
        pytest.param(
            talk,
            language,
            id=f"{talk.name}-{language}",
            marks=() if language == "nl" else pytest.mark.slow,
        )
        for talk in talks()
        for language in talk.languages
    ],
)
async def test_each_talk(scene: Scene, talk: Talk, language: str) -> None:
    scene.clock.set(FakeClock().now())
    person, _ = await scene.person(talk.given, language, talk.channel)
    for place, turn in enumerate(talk.turns, 1):
        before = await scene.stage.last()
        said = await _done(scene, person, turn, language)
        wanted = list(turn.get("bot", []))
        assert len(said) == len(wanted) and all(map(fnmatchcase, said, wanted)), f"turn {place}: {said}"
        if "shows" in turn:
            rows = await scene.stage.rows(outbound, outbound.c.seq > before)
            text = "\n".join(part["text"] for row in rows for part in row.rendered)
            shown = turn["shows"][language] if isinstance(turn["shows"], dict) else turn["shows"]
            assert shown in text, f"turn {place}: {text}"
    found = await _after(scene, person)
    assert {name: found[name] for name in talk.after} == dict(talk.after)


async def _done(scene: Scene, person: Person, turn: Mapping[str, Any], language: str) -> list[str]:
    if "wait" in turn:
        scene.clock.advance(**turn["wait"])
        return []
    if "agent" in turn:
        await scene.hand_back(person)
        return []
    if "tap" in turn:
        return await person.tap(turn["tap"])
    words = WORDS[turn["word"]] if "word" in turn else turn["say"]
    return await person.say(words[language] if isinstance(words, dict) else str(words))


async def _after(scene: Scene, person: Person) -> dict[str, Any]:
    stage, talk, point = scene.stage, await person.conversation(), await person.contact()
    summary = talk.summary or {}
    links = await stage.rows(payment_link, payment_link.c.conversation_id == talk.id)
    promises = await stage.rows(promise, promise.c.conversation_id == talk.id, promise.c.state == "made")
    holds = await stage.rows(hold, hold.c.conversation_id == talk.id, hold.c.lifted_at.is_(None))
    today = scene.clock.now().date()
    return {
        "form": talk.form,
        "handoff": talk.reason if talk.state == "open" else None,
        "wish": summary.get("wish"),
        "noted": summary.get("noted"),
        "links": [link.amount for link in links],
        "promised": [(row.until - today) // timedelta(days=1) for row in promises],
        "plans": len(await stage.rows(plan, plan.c.conversation_id == talk.id)),
        "holds": sorted({row.reason for row in holds}),
        "opted_out": point.opted_out_at is not None,
    }
