"""No change may make the answers worse: each gate is a little below what was measured (docs/understanding.md)."""

import asyncio
from pathlib import Path

import pytest

from app import trained
from app.repository import ROOT
from app.settings import Settings
from bench.answers.__main__ import measure
from bench.answers.figures import Judged, figures

pytestmark = pytest.mark.slow

LEAST = {"right": 0.66, "found": 0.90}
MOST = {"wrong": 0.05}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    settings = Settings(var_dir=ROOT / "var")
    trained.everything(settings, print)
    folder: Path = tmp_path_factory.mktemp("answers")
    return asyncio.run(measure(trained.answering(settings, trained.understanding(settings)), folder))


def test_questions_to_the_demo_shop(judged: list[Judged]) -> None:
    measured = {name: figure.value for name, figure in figures(judged).items()}
    assert {name: value for name, value in measured.items() if value < LEAST.get(name, 0)} == {}
    assert {name: value for name, value in measured.items() if value > MOST.get(name, 1)} == {}
