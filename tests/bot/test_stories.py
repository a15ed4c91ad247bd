"""Rasa's own end-to-end tests: words to intent by the pipeline's understanding, intent to action by the rules."""

from pathlib import Path

import pytest

from app import trained
from app.settings import Settings
from tests.bot.process import ROOT, run

pytestmark = pytest.mark.slow

STORIES = ROOT / "tests" / "bot" / "stories"


@pytest.mark.parametrize("file", sorted(STORIES.glob("test_*.yml")), ids=lambda file: file.stem)
def test_the_stories(file: Path, model: Path, tmp_path: Path) -> None:
    settings = Settings()
    trained.understanding(settings)
    done = run(
        *("test", "core", "--model", str(model), "--stories", str(file), "--e2e", "--no-plot"),
        *("--fail-on-prediction-errors", "--out", str(tmp_path)),
        EFFEN_MODEL_DIR=str(settings.model_dir.resolve()),
    )
    assert done.returncode == 0, done.stdout + done.stderr
