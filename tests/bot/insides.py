"""Run by the engine's Python (`test_patches.py` reads what it prints): Rasa's insides, and our patches beside them."""

import hashlib
import inspect
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

from bot.engine import patches, stubs


def _wander(random: Random, domain: Any) -> Any:
    """A dialogue without sense: any intents, actions, forms and slots, one after another."""
    from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, ActiveLoop, SlotSet, UserUttered
    from rasa.shared.core.trackers import DialogueStateTracker

    events: list[Any] = [ActionExecuted("action_session_start")]
    for _ in range(random.randrange(12)):
        events += [ActionExecuted("action_listen"), UserUttered("…", {"name": random.choice(sorted(domain.intents))})]
        form = random.choice(sorted(domain.form_names))
        slot = random.choice(["verified", "away", "wanted", "requested_slot"])
        step = random.choice(
            [
                [],
                [SlotSet(slot, random.choice([True, False, None, "pay"]))],
                [ActionExecuted(random.choice(domain.action_names_or_texts))],
                [ActionExecuted(form), ActiveLoop(form), SlotSet("requested_slot", "postcode")],
                [ActionExecutionRejected(form)],
                [ActiveLoop(None), SlotSet("requested_slot", None)],
            ]
        )
        events += step
    return DialogueStateTracker.from_events("a", events, domain.slots)


def main(model: str) -> None:
    missing = stubs.install()
    import rasa
    import tensorflow  # type: ignore[import-untyped]
    from rasa.core.actions.action import RemoteAction
    from rasa.core.actions.forms import FormAction
    from rasa.core.agent import Agent
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.core.processor import MessageProcessor
    from rasa.core.tracker_store import InMemoryTrackerStore, SQLTrackerStore, create_engine_kwargs
    from rasa.engine.runner.dask import DaskGraphRunner
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import ActionExecuted, Event, UserUttered
    from rasa.shared.core.trackers import DialogueStateTracker
    from rasa.shared.utils.common import all_subclasses

    relied_upon = [
        # replaced
        RemoteAction._validate_action_result,
        RemoteAction.action_response_format_spec,
        Event.resolve_by_type,
        DaskGraphRunner.run,
        MessageProcessor._run_action,
        Agent._create_tracker_store,
        create_engine_kwargs,
        RulePolicy._find_action_from_rules,
        RulePolicy._prediction_states,
        RulePolicy._get_possible_keys,
        RulePolicy._is_rule_applicable,
        DialogueStateTracker.past_states,
        DialogueStateTracker.generate_all_prior_trackers,
        Domain.states_for_tracker_history,
        # called, or followed, by our channel
        MessageProcessor.handle_message,
        MessageProcessor.fetch_tracker_and_update_session,
        MessageProcessor._handle_message_with_tracker,
        MessageProcessor._run_prediction_loop,
        SQLTrackerStore.save,
        # what our forms' actions reckon with
        FormAction.validate,
        FormAction.activate,
        FormAction.do,
        FormAction.request_next_slot,
    ]
    sources = {f.__qualname__: hashlib.sha256(inspect.getsource(f).encode()).hexdigest()[:12] for f in relied_upon}

    _, metadata, runner = MessageProcessor._load_model(Path(model))
    answers = [
        {"events": [], "responses": []},
        {"events": [{"event": "slot", "name": "wanted", "value": None}], "responses": [{"custom": {"key": "a"}}]},
        {},
        {"events": [{"event": "no such event"}]},
        {"events": {}},
        {"responses": "text"},
        [],
    ]
    trackers = [
        DialogueStateTracker.from_events(
            "a", [ActionExecuted("action_listen"), UserUttered("…", {"name": intent})], metadata.domain.slots
        )
        for intent in ("greet", "pay", "self_harm", "out_of_scope")
    ]

    wandering = [_wander(Random(seed), metadata.domain) for seed in range(300)]

    def predicted(tracker: DialogueStateTracker) -> object:
        name = metadata.core_target
        found = runner.run(inputs={"__tracker__": tracker}, targets=[name])[name]
        return found.probabilities, [str(event) for event in found.events], found.hide_rule_turn

    def observed() -> dict[str, object]:
        def verdict(answer: object) -> str:
            try:
                return str(RemoteAction("a", None)._validate_action_result(answer))
            except Exception as error:
                return type(error).__name__

        return {
            "schema": [verdict(answer) for answer in answers],
            "events": {
                c.type_name: str(Event.resolve_by_type(c.type_name)) for c in all_subclasses(Event) if c.type_name
            },
            "graph": [predicted(tracker) for tracker in trackers],
            "rules": [predicted(tracker) for tracker in wandering],
        }

    before = observed()
    patches.apply()
    from bot.engine import rules

    rules.apply()
    after = observed()
    try:
        tensorflow.keras.Model()
        called = "called"
    except stubs.StubUsed as error:
        called = str(error)
    store = Agent._create_tracker_store(InMemoryTrackerStore(Domain.empty()), Domain.empty())
    found = {
        "version": rasa.__version__,
        "sources": sources,
        "same": {name: before[name] == after[name] for name in before},
        "verdicts": before["schema"],
        "actions": [max(p) for p, *_ in before["graph"]],  # type: ignore[attr-defined]
        "ways": len({str(p) for p, *_ in before["rules"]}),  # type: ignore[attr-defined]
        "interrupted": sum(bool(e) for _, e, _ in before["rules"]),  # type: ignore[attr-defined]
        "missing": missing,
        "stub": called,
        "store": type(store).__name__,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
