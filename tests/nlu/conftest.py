"""The product's own model, and what it makes of all messages that judge it."""

import pytest

from app import trained
from app.repository import ROOT
from app.settings import Settings
from bench.nlu.messages import LANGUAGES, OTHER_LANGUAGES, held_out, other
from bench.nlu.readings import Reading, read
from understanding import Understanding


@pytest.fixture(scope="session")
def understanding() -> Understanding:
    settings = Settings(var_dir=ROOT / "var")
    trained.everything(settings, print)
    return trained.understanding(settings)


@pytest.fixture(scope="session")
def readings(understanding: Understanding) -> list[Reading]:
    return [reading for language in LANGUAGES for reading in read(understanding, held_out(language))]


@pytest.fixture(scope="session")
def others(understanding: Understanding) -> list[Reading]:
    return [reading for language in OTHER_LANGUAGES for reading in read(understanding, other(language), "nl")]
