"""A whole parse, and its forms for the command line and the engine."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.understanding.conftest import Trained
from understanding.care import Care
from understanding.entities import Entity
from understanding.parse import Intent, Parse

ROOT = Path(__file__).parents[2]
ENGINE_PYTHON = ROOT / ".venv-engine" / "bin" / "python"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        pytest.param("hallo", "greet", id="hello"),
        pytest.param("hoeveel moet ik betalen", "ask_balance", id="balance"),
        pytest.param("i have already paid it", "already_paid", id="paid"),
        pytest.param("👍", "affirm", id="thumb up"),
        pytest.param("👍🏿👍🏿 ", "affirm", id="thumbs up, another skin"),
        pytest.param("👎", "deny", id="thumb down"),
        pytest.param("hallo 👎", "greet", id="beside words a thumb says nothing"),
        pytest.param("", "out_of_scope", id="empty"),
        pytest.param(" \n\u200b", "out_of_scope", id="blank"),
        pytest.param("K-1001", "inform", id="customer number"),
        pytest.param("€ 12,50.", "inform", id="amount"),
        pytest.param("9000", "inform", id="number"),
        pytest.param("1234 AB, 12", "inform", id="postcode and house"),
    ],
)
def test_intent(trained: Trained, text: str, intent: str) -> None:
    assert trained.understanding.parse(text, "nl").intent.name == intent


def test_vectors_of_the_same_meaning_are_near(trained: Trained) -> None:
    vectors = trained.understanding.vectors(["ik heb al betaald", "i have already paid", "het regent", ""])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.02


def test_gibberish_is_out_of_scope(trained: Trained) -> None:
    parse = trained.understanding.parse("mfwp drozk blorp fnargle")
    assert parse.intent.name == "out_of_scope"
    assert len(parse.ranking) == 10


def test_the_object_of_the_command_line(trained: Trained) -> None:
    parsed = trained.understanding.parse("ik heb factuur F2026-0042 al betaald", None).as_json()
    assert list(parsed) == ["text", "language", "intent", "intent_ranking", "care", "entities", "readings", "also"]
    assert parsed["text"] == "ik heb factuur F2026-0042 al betaald"
    assert parsed["language"] == "nl"
    assert parsed["intent"]["name"] == parsed["intent_ranking"][0]["name"] == "already_paid"
    assert 0 < parsed["intent"]["confidence"] <= 1
    assert set(parsed["care"]) == {"name", "confidence"}
    assert parsed["entities"] == [{"entity": "invoice_number", "value": "F2026-0042", "start": 15, "end": 25}]
    assert json.loads(json.dumps(parsed)) == parsed


def test_the_engine_gets_the_family_and_the_reason() -> None:
    parse = Parse(
        text="veel te veel, F2026-0042",
        language="nl",
        intent=Intent("dispute/amount", 0.7),
        ranking=(Intent("dispute/amount", 0.5), Intent("pay", 0.25), Intent("dispute/returned", 0.2)),
        care=Care("dispute/amount", 0.8),
        entities=(Entity(14, 24, "invoice_number", "F2026-0042"),),
    )
    assert parse.for_engine() == {
        "text": "veel te veel, F2026-0042",
        "intent": {"name": "dispute", "confidence": 0.7},
        "intent_ranking": [{"name": "dispute", "confidence": 0.7}, {"name": "pay", "confidence": 0.25}],
        "entities": [
            {"entity": "invoice_number", "value": "F2026-0042", "start": 14, "end": 24},
            {"entity": "dispute_reason", "value": "amount", "start": 0, "end": 24},
        ],
    }


def test_the_engine_gets_other_intents_as_they_are(trained: Trained) -> None:
    parsed = trained.understanding.parse("hallo").for_engine()
    assert parsed["intent"]["name"] == "greet"
    assert parsed["entities"] == []
    assert "dispute" in {intent["name"] for intent in parsed["intent_ranking"]}


def test_the_engines_python_reads_the_same_model(trained: Trained) -> None:
    if not ENGINE_PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail("the engine's environment .venv-engine is missing")
        pytest.skip("the engine's environment .venv-engine is missing")
    texts = ["ik heb al betaald", "mon mari est décédé", "K-1001", "\ud800", "wat eten we"]
    script = (
        "import json, pathlib, sys\n"
        "from understanding import load\n"
        "model = load(pathlib.Path(sys.argv[1]))\n"
        "print(json.dumps([model.parse(text, 'nl').as_json() for text in json.loads(sys.argv[2])]))\n"
    )
    done = subprocess.run(
        [ENGINE_PYTHON, "-W", "error", "-c", script, trained.directory, json.dumps(texts)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for theirs, text in zip(json.loads(done.stdout), texts, strict=True):
        ours = trained.understanding.parse(text, "nl").as_json()
        assert theirs["intent"]["name"] == ours["intent"]["name"]
        assert theirs["language"] == ours["language"]
        assert theirs["care"]["name"] == ours["care"]["name"]
        assert theirs["entities"] == ours["entities"]
        assert theirs["intent"]["confidence"] == pytest.approx(ours["intent"]["confidence"], abs=0.05)
