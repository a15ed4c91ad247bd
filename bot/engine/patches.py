"""What is changed in Rasa 3.6.21, whose version is pinned. tests/bot/test_patches.py fails when Rasa changes under one.

Gains were measured on two busy cores: best of five, for one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class TurnFailed(Exception):
    """An action failed, or the dialogue found no end: nothing of the turn may be saved."""


def apply() -> None:
    schema()
    events()
    graph()
    slots()
    failures()
    store()
    connections()


def schema() -> None:
    """The schema of an action server's answer is compiled once, not for each answer.

    Rasa checks its own constant schema anew each time: three quarters of a turn with an action. 28 → 0.8 ms an answer.
    """
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for
    from rasa.core.actions.action import RemoteAction

    constant = RemoteAction.action_response_format_spec()
    validator = validator_for(constant)(constant)

    def validate(self: Any, result: Any) -> bool:
        error = best_match(validator.iter_errors(result))
        if error is not None:
            raise error
        return True

    RemoteAction._validate_action_result = validate


def events() -> None:
    """An event's class comes from a table: Rasa walks all subclasses for each event. 0.03 → 0.0001 ms an event."""
    from rasa.shared.core.events import Event
    from rasa.shared.utils.common import all_subclasses

    original = Event.resolve_by_type
    table: dict[str, Any] = {}

    def resolve(type_name: str, default: Any = None) -> Any:
        if type_name not in table:
            for cls in all_subclasses(Event):
                table.setdefault(cls.type_name, cls)
        return table.get(type_name) or original(type_name, default)

    Event.resolve_by_type = staticmethod(resolve)


def graph() -> None:
    """The graph's nodes run in an order that is computed once: dask plans ten nodes anew. 0.56 → 0.34 ms an action."""
    from rasa.engine.exceptions import GraphRunError
    from rasa.engine.runner.dask import DaskGraphRunner

    def run(self: Any, inputs: Mapping[str, Any] | None = None, targets: Sequence[str] | None = None) -> dict[str, Any]:
        wanted = tuple(targets or self._graph_schema.target_names)
        plans = self.__dict__.setdefault("_plans", {})
        if wanted not in plans:
            plans[wanted] = _order(self._graph_schema.minimal_graph_schema(wanted).nodes, wanted)
        done = {name: (name, value) for name, value in (inputs or {}).items()}
        try:
            for name, needs in plans[wanted]:
                if name not in done:
                    done[name] = self._instantiated_nodes[name](*[done.get(need, need) for need in needs])
        except RuntimeError as error:
            raise GraphRunError("Error running runner.") from error
        return dict(done[name] for name in wanted)

    DaskGraphRunner.run = run


def _order(nodes: Mapping[str, Any], targets: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Each node after those that it needs."""
    order: dict[str, tuple[str, ...]] = {}

    def visit(name: str) -> None:
        if name in nodes and name not in order:
            needs = tuple(nodes[name].needs.values())
            for need in needs:
                visit(need)
            order[name] = needs

    for target in targets:
        visit(target)
    return list(order.items())


def slots() -> None:
    """A slot is copied at once: copy.copy goes by way of pickling, for thirty slots, five times a turn.

    5.8 → 4.7 ms of the engine's processor time for a greeting.
    """
    from rasa.shared.core.slots import Slot

    def copied(self: Any) -> Any:
        fresh = self.__class__.__new__(self.__class__)
        fresh.__dict__.update(self.__dict__)
        return fresh

    Slot.__copy__ = copied


def failures() -> None:
    """A failing action fails the turn. Rasa logs it, goes on and saves a turn without its effect or its answer."""
    from rasa.core.actions.action import ActionExecutionRejection
    from rasa.core.processor import MessageProcessor

    original = MessageProcessor._run_action

    async def run_action(self: Any, action: Any, *args: Any, **kwargs: Any) -> bool:
        run, failed = action.run, []

        async def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return await run(*args, **kwargs)
            except ActionExecutionRejection:  # a form that lets others speak
                raise
            except Exception as error:
                failed.append(error)
                return []

        action.run = watched
        again = await original(self, action, *args, **kwargs)
        if failed:
            raise TurnFailed(action.name()) from failed[0]
        return bool(again)

    MessageProcessor._run_action = run_action


def store() -> None:
    """A failing database fails the turn. Rasa wraps its store in one that goes on in memory, and forgets."""
    from rasa.core.agent import Agent

    original = Agent._create_tracker_store

    def create(store: Any, domain: Any) -> Any:
        return original(store, domain)._tracker_store

    Agent._create_tracker_store = staticmethod(create)


def connections() -> None:
    """SQLite's connection is kept. SQLAlchemy 1.4 opens one a turn; closing the last writes the log back, and waits.

    With `synchronous=NORMAL`, as the app's own store. 8.9 instead of 11.1 ms of the engine's processor time for a
    greeting, and a third less of waiting for the whole turn.
    """
    import sqlite3

    from rasa.core import tracker_store
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import QueuePool

    original = tracker_store.create_engine_kwargs

    def kwargs(url: Any) -> dict[str, Any]:
        found: dict[str, Any] = original(url)
        at = make_url(url)
        file = at.database
        if at.get_backend_name() != "sqlite" or not file:
            return found

        def opened() -> sqlite3.Connection:
            connection = sqlite3.connect(file, check_same_thread=False)
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection

        return {**found, "poolclass": QueuePool, "creator": opened}

    tracker_store.create_engine_kwargs = kwargs
