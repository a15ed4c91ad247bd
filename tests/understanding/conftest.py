"""One small model, trained once for these tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from understanding import Understanding, load
from understanding.training import train

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Trained:
    directory: Path
    card: dict[str, Any]
    understanding: Understanding


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    directory = tmp_path_factory.mktemp("understanding")
    card = train(DATA, directory)
    return Trained(directory, card, load(directory))
