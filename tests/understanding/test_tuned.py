"""The tuned encoder: both Pythons load it, it is judged on what it never saw, and without it the wheel's own serves."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from app import trained as product
from app.settings import Settings
from tests.understanding.conftest import DATA, Trained
from tests.understanding.test_parse import ENGINE_PYTHON, ROOT
from understanding import Understanding, examples, load
from understanding.encoder import GRAPH, TUNED, e5
from understanding.graph import write_graph
from understanding.seen import SEEN, held_out, key, read_seen, write_seen
from understanding.training import is_trained, train
from understanding.weights import Weights, packed_file

pytestmark = pytest.mark.slow

CLEAR = {
    "nl": {
        "hoeveel moet ik nog betalen?": "ask_balance",
        "ik heb vorige week al betaald": "already_paid",
        "kan ik in termijnen betalen?": "request_payment_plan",
        "ik wil nu betalen, stuur me een link": "pay",
        "mag ik een medewerker spreken": "human",
        "ik heb het pakket nooit ontvangen en moet wel betalen": "dispute/not_received",
        "ik heb alles teruggestuurd en krijg toch een rekening": "dispute/returned",
        "ik ben mijn baan kwijt en kan niet betalen": "hardship",
        "mijn bewindvoerder regelt alles": "under_administration",
        "mijn vader is overleden": "report_deceased",
        "ik wil niet meer leven": "self_harm",
        "stuur me de factuur nog eens als pdf": "request_invoice_copy",
    },
    "en": {
        "how much do i still owe": "ask_balance",
        "i already paid this last week": "already_paid",
        "can i pay in instalments?": "request_payment_plan",
        "send me a payment link please": "pay",
        "i want to talk to a person": "human",
        "the parcel never arrived and you still bill me": "dispute/not_received",
        "i sent it back and still get an invoice": "dispute/returned",
        "i lost my job and cannot pay": "hardship",
        "my debt counsellor handles everything": "under_administration",
        "my father has died": "report_deceased",
        "i don't want to live anymore": "self_harm",
        "is this a scam?": "verify_legitimacy",
    },
    "fr": {
        "combien je dois encore ?": "ask_balance",
        "j'ai déjà payé la semaine dernière": "already_paid",
        "est-ce que je peux payer en plusieurs fois ?": "request_payment_plan",
        "envoyez-moi un lien pour payer": "pay",
        "je veux parler à un conseiller": "human",
        "je n'ai jamais reçu le colis et vous me facturez": "dispute/not_received",
        "j'ai tout renvoyé et je reçois encore une facture": "dispute/returned",
        "j'ai perdu mon travail et je ne peux pas payer": "hardship",
        "j'ai un administrateur de biens": "under_administration",
        "mon père est décédé": "report_deceased",
        "je ne veux plus vivre": "self_harm",
        "c'est une arnaque ?": "verify_legitimacy",
    },
    "de": {
        "wie viel muss ich noch zahlen?": "ask_balance",
        "ich habe letzte woche schon bezahlt": "already_paid",
        "kann ich in raten zahlen?": "request_payment_plan",
        "schicken sie mir einen zahlungslink": "pay",
        "ich möchte mit einem mitarbeiter sprechen": "human",
        "das paket kam nie an und ich soll trotzdem zahlen": "dispute/not_received",
        "ich habe alles zurückgeschickt und bekomme trotzdem eine rechnung": "dispute/returned",
        "ich habe meine arbeit verloren und kann nicht zahlen": "hardship",
        "ich habe einen gesetzlichen betreuer, der regelt meine rechnungen": "under_administration",
        "mein vater ist gestorben": "report_deceased",
        "ich will nicht mehr leben": "self_harm",
        "ist das betrug?": "verify_legitimacy",
    },
}


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    """The product's own model, as `effen train` leaves it."""
    settings = Settings(var_dir=ROOT / "var")
    product.everything(settings, print)
    return product.understanding(settings)


def test_the_layers_give_unit_vectors() -> None:
    assert (TUNED / GRAPH).stat().st_size < 22_000_000
    vectors = e5(TUNED / GRAPH)(["ik heb al betaald", "", "je ne peux pas payer", "x" * 5_000])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_engines_python_reads_them(trained: Trained) -> None:
    if not ENGINE_PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail("the engine's environment .venv-engine is missing")
        pytest.skip("the engine's environment .venv-engine is missing")
    script = (
        "import json, sys\n"
        "from understanding.encoder import GRAPH, TUNED, e5\n"
        "print(json.dumps(e5(TUNED / GRAPH)([sys.argv[1]])[0].tolist()))\n"
    )
    text = "ich kann nicht zahlen"
    done = subprocess.run(
        [ENGINE_PYTHON, "-W", "error", "-c", script, text],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert np.array(json.loads(done.stdout)) @ e5(TUNED / GRAPH)([text])[0] > 0.99


def test_a_model_is_trained_on_the_tuned_layers(trained: Trained) -> None:
    assert trained.card["tuned"]
    assert (trained.directory / GRAPH).read_bytes() == (TUNED / GRAPH).read_bytes()


def test_without_them_the_wheels_own_layers_serve(trained: Trained, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    card = train(DATA, tmp_path / "model", tuned=missing)
    assert not card["tuned"]
    assert card["cross_validation"]["sentences"] == len(examples.read(DATA))
    write_graph(Weights(packed_file()), tmp_path / GRAPH)
    assert (tmp_path / "model" / GRAPH).read_bytes() == (tmp_path / GRAPH).read_bytes()
    assert load(tmp_path / "model").parse("ik heb al betaald").ranking[0].name == "already_paid"
    assert is_trained(DATA, tmp_path / "model", tuned=missing)
    assert not is_trained(DATA, tmp_path / "model")
    assert not is_trained(DATA, trained.directory, tuned=missing)


def test_a_model_is_judged_on_sentences_that_its_encoder_never_saw(tmp_path: Path) -> None:
    sentences = examples.read(DATA)
    seen = {key(sentence.text) for sentence in sentences[::3]}
    write_graph(Weights(packed_file()), tmp_path / GRAPH)
    write_seen(tmp_path / SEEN, seen)
    card = train(DATA, tmp_path / "model", tuned=tmp_path)
    unseen = [sentence for sentence in sentences if key(sentence.text) not in seen]
    assert 0 < len(unseen) < len(sentences)
    assert card["cross_validation"]["sentences"] == len(unseen)


def test_one_sentence_in_ten_is_held_out() -> None:
    sentences = {sentence.text for sentence in examples.read(ROOT / "bot" / "data" / "nlu")}
    share = sum(map(held_out, sentences)) / len(sentences)
    assert 0.09 < share < 0.11
    seen = read_seen(TUNED / SEEN)
    assert seen
    assert not any(number % 10 == 0 for number in seen)
    assert not any(held_out(text) and key(text) in seen for text in sentences)
    assert key("Ik heb al BETAALD!") == key("ik heb al betaald")
    assert key("👍") != key("👎")


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [
        pytest.param(language, text, intent, id=f"{language}: {text}")
        for language, texts in CLEAR.items()
        for text, intent in texts.items()
    ],
)
def test_clear_sentences_are_read_rightly(understanding: Understanding, language: str, text: str, intent: str) -> None:
    parse = understanding.parse(text, language)
    assert parse.intent.name == intent, [(each.name, round(each.confidence, 2)) for each in parse.ranking[:3]]
