"""The yardstick: Rasa 3.6.21 as it comes, TensorFlow and all, with the project that `rasa init` makes."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.repository import ROOT
from bench.ports import free_port
from bench.served import Served, say, served

HOME = ROOT / "var" / "bench"
_VENV = HOME / "stock"
_PROJECT = HOME / "project"
_RASA = _VENV / "bin" / "rasa"
_UV = ROOT / ".tools" / "bin" / "uv"
_ENVIRONMENT = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONWARNINGS": "ignore",
}


def install() -> None:
    """Make the environment (2.5 GB) and the trained project, where they are not there yet: some minutes."""
    HOME.mkdir(parents=True, exist_ok=True)
    if not _RASA.exists():
        say("Installing the stock Rasa with TensorFlow, 2.5 GB (once) …")
        # Without --no-config uv would apply this repository's overrides, and leave TensorFlow out here as well.
        _run(str(_UV), "venv", "-q", "--no-config", "--clear", "-p", "3.10", str(_VENV))
        _run(
            *(str(_UV), "pip", "install", "-q", "--no-config", "--compile-bytecode", "-p", str(_VENV / "bin/python")),
            *("rasa==3.6.21", "setuptools<81"),
        )
    if not list(_PROJECT.glob("models/*.tar.gz")):
        say("rasa init --no-prompt (once; trains its model) …")
        _PROJECT.mkdir(exist_ok=True)
        _run(str(_RASA), "init", "--no-prompt", "--init-dir", ".", cwd=_PROJECT)


def _run(*command: str, cwd: Path = HOME) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**_inherited(), **_ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")


def _inherited() -> dict[str, str]:
    # OMP_NUM_THREADS is our own choice, not the stock's.
    return {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}


@asynccontextmanager
async def running(log: Path) -> AsyncIterator[Served]:
    """`rasa run` with its REST channel and its in-memory store."""
    port = free_port()
    model = max(_PROJECT.glob("models/*.tar.gz"))
    command = [str(_RASA), "run", "--interface", "127.0.0.1", "--port", str(port), "--model", str(model)]
    async with served(
        "stock Rasa", command, f"http://127.0.0.1:{port}/", cwd=_PROJECT, environment=_ENVIRONMENT, log=log
    ) as stock:
        yield stock
