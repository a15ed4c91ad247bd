"""What the bot says to each intent in each state: the cells of docs/conversations.md, through the whole product.

Each group of states that get the same answer is played in every language for its first state, and in Dutch for the
others. Care, disputes and payment speak all four languages.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from app.settings import Settings
from store.tables.talk import inbound, outbound
from tests.whole.conftest import Dialogue
from tests.whole.states import Scene, scene_of
from understanding import Understanding

SCRIPTS = Path(__file__).parent / "scripts"
LANGUAGES = {"care": ("nl", "en", "fr", "de"), "dispute": ("nl", "en", "fr", "de"), "payment": ("nl", "en", "fr", "de")}
WORDS: Mapping[str, Mapping[str, str]] = yaml.safe_load((SCRIPTS / "words.yml").read_text("utf-8"))

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Cell:
    """bot: the keys that are said (`*`: any ending); handoff: why a person is called; form: what is open then.

    published: what is said instead in Dutch, where the demo's shop has published an answer.
    """

    intent: str
    state: str
    language: str
    bot: Sequence[str]
    buttons: Sequence[str] = ()
    handoff: str | None = None
    form: str | None = None
    published: Sequence[str] = ()
    first: bool = True  # of the states that get the same answer

    @property
    def id(self) -> str:
        return f"{self.intent}-{self.state}-{self.language}"


def everyday(cell: Cell) -> bool:
    return cell.first and cell.language == "nl"


def cells() -> Iterator[Cell]:
    for file in sorted((SCRIPTS / "cells").glob("*.yml")):
        for intent, groups in yaml.safe_load(file.read_text("utf-8")).items():
            for states, cell in groups.items():
                for place, state in enumerate(states.split()):
                    for language in LANGUAGES.get(file.stem, ("nl", "en")) if place == 0 else ("nl",):
                        yield Cell(intent, state, language, first=place == 0, **cell)


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
    "cell",
    [pytest.param(cell, id=cell.id, marks=() if everyday(cell) else pytest.mark.slow) for cell in cells()],
)
async def test_each_cell(scene: Scene, cell: Cell) -> None:
    person, _ = await scene.person(cell.state, cell.language)
    before = await scene.stage.last()
    said = await person.say(WORDS[cell.intent][cell.language])
    turn = (await scene.stage.rows(inbound))[-1]
    assert turn.intent == cell.intent, "read as something else"
    published = cell.published if cell.language == "nl" else ()
    expected = published or cell.bot
    assert len(said) == len(expected) and all(map(fnmatchcase, said, expected)), said
    rows = await scene.stage.rows(outbound, outbound.c.seq > before)
    assert {row.locale for row in rows} <= {cell.language}
    shown = [option["title"].removeprefix("option.") for row in rows for option in row.options]
    # What is found may be one answer, or several to choose from.
    assert shown == ([] if published else list(cell.buttons)) or "*" in cell.bot[-1]
    talk = await person.conversation()
    assert talk.form == cell.form
    assert (talk.state, talk.reason) == (("open", cell.handoff) if cell.handoff else ("pending", None))


async def test_every_intent_has_its_cells() -> None:
    played: dict[str, Any] = {}
    for cell in cells():
        played.setdefault(cell.intent, set()).add(cell.state)
    assert set(played) == set(WORDS)
