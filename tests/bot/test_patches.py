"""What we change in Rasa, and what we rely on there: this fails when Rasa changes under it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.bot.process import PYTHON, ROOT

# Rasa 3.6.21. A new hash means: read that function again, then our patch or call beside it (tests/bot/insides.py).
SOURCES = {
    "RemoteAction._validate_action_result": "f8cdb4be6812",
    "RemoteAction.action_response_format_spec": "091b74aa3738",
    "Event.resolve_by_type": "b5cf570fa7f2",
    "DaskGraphRunner.run": "45f0f52f574f",
    "MessageProcessor._run_action": "6d383d0179ef",
    "Agent._create_tracker_store": "97499b594b45",
    "create_engine_kwargs": "dff5f0923620",
    "RulePolicy._find_action_from_rules": "be6da6ee0f54",
    "Policy._prediction_states": "ed9b82bed2f2",
    "RulePolicy._get_possible_keys": "2915fd81711e",
    "RulePolicy._is_rule_applicable": "64a108b016b4",
    "DialogueStateTracker.past_states": "5463eefb5c69",
    "DialogueStateTracker.generate_all_prior_trackers": "a1f6954347b5",
    "Domain.states_for_tracker_history": "035111ce73ac",
    "MessageProcessor.handle_message": "0c41d4780d2d",
    "MessageProcessor.fetch_tracker_and_update_session": "400f21a2ea5d",
    "MessageProcessor._handle_message_with_tracker": "f42e1ae30393",
    "MessageProcessor._run_prediction_loop": "cb30a0cbb690",
    "SQLTrackerStore.save": "57165e46eab3",
    "FormAction.validate": "def2d0fcdbee",
    "FormAction.activate": "316fc4da2b1b",
    "FormAction.do": "b3ff652bb267",
    "FormAction.request_next_slot": "d00c226ee5da",
}


@pytest.fixture(scope="module")
def insides(model: Path) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, "-W", "ignore", "-m", "tests.bot.insides", str(model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_rasa_is_the_one_that_was_patched(insides: dict[str, Any]) -> None:
    assert insides["version"] == "3.6.21"
    assert insides["sources"] == SOURCES


@pytest.mark.parametrize("patch", ["schema", "events", "graph", "rules"])
def test_a_faster_rasa_is_the_same_rasa(insides: dict[str, Any], patch: str) -> None:
    assert insides["same"][patch]


def test_what_was_compared_says_something(insides: dict[str, Any]) -> None:
    assert insides["verdicts"].count("True") == 3
    assert insides["verdicts"].count("ValidationError") == 4
    assert insides["actions"] == [1.0] * 4
    assert insides["ways"] > 20 and insides["interrupted"] > 5


def test_the_store_is_not_wrapped(insides: dict[str, Any]) -> None:
    assert insides["store"] == "InMemoryTrackerStore"


def test_what_is_left_out_is_missing_and_cannot_be_called(insides: dict[str, Any]) -> None:
    assert "tensorflow" in insides["missing"]
    assert insides["stub"] == "tensorflow.keras.Model is left out of this engine on purpose"
