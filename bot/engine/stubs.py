"""Stand-ins for libraries that Rasa 3.6.21 imports and this engine never uses.

They are left out of the environment (pyproject.toml, override-dependencies): 2.5 GB become 0.4. A stubbed module can be
imported, and its names read and subclassed; calling one raises StubUsed. `install` must run before any import of rasa.
"""

from __future__ import annotations

import sys
import types
from abc import ABCMeta
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

LEFT_OUT = (
    "tensorflow",
    "tensorflow_text",
    "tensorflow_hub",
    "keras",
    "pydot",
    "sklearn_crfsuite",
    # chat channels: rasa.core.channels imports them all
    "aiogram",
    "fbmessenger",
    "mattermostwrapper",
    "rocketchat_API",
    "slack_sdk",
    "webexteamssdk",
    # stores and brokers
    "aio_pika",
    "aiormq",
    "boto3",
    "botocore",
    "confluent_kafka",
    "pymongo",
)


class StubUsed(ImportError):
    """A library that is left out of this engine was called."""


class _Named(ABCMeta):
    """The class of stand-in classes: any attribute is another stand-in, and none can be called."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith(("__", "_abc")):
            raise AttributeError(name)
        return _stand_in(f"{cls.__dict__.get('stands_for', cls.__name__)}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        for base in cls.__mro__:  # a class of Rasa's that derives from a stand-in counts as one
            if "stands_for" in base.__dict__:
                raise StubUsed(f"{base.__dict__['stands_for']} is left out of this engine on purpose")
        return super().__call__(*args, **kwargs)


def _stand_in(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return _Named(attribute, (), {"stands_for": name, "__module__": module})


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = _stand_in(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


class _Finder:
    """Finds the modules that are left out, and everything below them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        parts = name.split(".")
        if any(".".join(parts[:length]) in self._names for length in range(1, len(parts) + 1)):
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__path__ = []


def install() -> list[str]:
    """Stand in for what is missing, and say what that is. What is installed is left alone."""
    missing = [name for name in LEFT_OUT if _missing(name)]
    sys.meta_path.insert(0, _Finder(missing))
    return missing


def _missing(name: str) -> bool:
    try:
        return name not in sys.modules and find_spec(name) is None
    except ModuleNotFoundError:
        return True
