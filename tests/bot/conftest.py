"""One engine and one action server for all of these tests; each test has its own world and dialogue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.process import ActionServer, Engine, engine, train
from tests.bot.talk import Talk
from tests.bot.world import World


@pytest.fixture(scope="session")
def model(pytestconfig: pytest.Config) -> Path:
    """Trained once for its inputs."""
    assert pytestconfig.cache is not None
    return train(pytestconfig.cache.mkdir("engine"))


@pytest.fixture(scope="session")
def action_server() -> Iterator[ActionServer]:
    server = ActionServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running(model: Path, action_server: ActionServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    with engine(model, f"sqlite:///{folder / 'engine.db'}", action_server.url, folder / "engine.log") as process:
        yield process


@pytest.fixture
def world(action_server: ActionServer) -> World:
    world = World()
    action_server.serve(world)
    return world


@pytest.fixture
def talk(running: Engine, world: World) -> Talk:
    return Talk(running.url, world)
