"""Training: repeatable, quick the second time, honest about what it was made of."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.understanding.conftest import DATA, Trained
from understanding import examples
from understanding.encoder import TUNED
from understanding.report import Judged, report
from understanding.seen import SEEN, read_seen
from understanding.seen import key as key_of
from understanding.training import fingerprint, is_trained, train


def test_the_same_sentences_give_the_same_model(trained: Trained, tmp_path: Path) -> None:
    assert train(DATA, tmp_path) == trained.card
    with np.load(tmp_path / "model.npz") as ours, np.load(trained.directory / "model.npz") as theirs:
        assert set(ours) == set(theirs)
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_only_new_sentences_are_encoded_again(trained: Trained, tmp_path: Path) -> None:
    data, model = tmp_path / "data", tmp_path / "model"
    shutil.copytree(DATA, data)
    shutil.copytree(trained.directory, model)
    with np.load(model / "vectors.npz") as file:
        arrays = dict(file)
    arrays["vectors"][:] = arrays["vectors"][::-1]  # told apart from freshly made ones
    np.savez(model / "vectors.npz", **arrays)
    with (data / "nl" / "small.yml").open("a") as file:
        file.write("    - hee een nieuwe zin\n")
    train(data, model)
    with np.load(model / "vectors.npz") as file:
        after = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    assert len(after) == len(arrays["keys"]) + 1
    for key, vector in zip(arrays["keys"].tolist(), arrays["vectors"], strict=True):
        np.testing.assert_array_equal(after[key], vector)


def test_a_model_knows_what_it_was_trained_on(trained: Trained, tmp_path: Path) -> None:
    assert is_trained(DATA, trained.directory)
    assert not is_trained(DATA, tmp_path)
    data = tmp_path / "data"
    shutil.copytree(DATA, data)
    assert fingerprint(data) == fingerprint(DATA)
    (data / "en" / "small.yml").write_text((data / "en" / "small.yml").read_text() + "    - one more\n")
    assert not is_trained(data, trained.directory)


def test_the_card_says_how_well_it_does(trained: Trained) -> None:
    figures = trained.card["cross_validation"]
    seen = read_seen(TUNED / SEEN)
    assert figures["sentences"] == sum(key_of(sentence.text) not in seen for sentence in examples.read(DATA))
    assert figures["macro_f1"] > 0.5
    assert figures["care_recall"] > 0.9
    assert set(figures["languages"]) == {"nl", "en", "fr", "de"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("nlu: [", "nl/x.yml", id="no YAML"),
        pytest.param("nlu:\n- examples: |\n    - a\n", "nl/x.yml", id="no intent"),
        pytest.param("version: '3.1'\n", "nl/x.yml", id="no examples"),
        pytest.param("nlu: []\n", "no training sentences", id="empty"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "nl").mkdir()
    (tmp_path / "nl" / "x.yml").write_text(content)
    with pytest.raises(ValueError, match=message):
        examples.read(tmp_path)


def test_report() -> None:
    judged = [
        Judged("pay", "nl", ("pay", "greet"), care=None),
        Judged("pay", "nl", ("greet", "pay"), care="complaint"),
        Judged("self_harm", "en", ("self_harm", "pay"), care="self_harm"),
        Judged("hardship", "en", ("pay", "greet"), care=None),
    ]
    figures = report(judged)
    assert figures["accuracy"] == 0.5
    assert figures["among_three"] == 0.75
    assert figures["macro_f1"] == pytest.approx((0.5 + 1 + 0) / 3, abs=1e-4)
    assert (figures["care_recall"], figures["care_precision"], figures["crisis_recall"]) == (0.5, 0.5, 1)
    assert figures["languages"]["nl"]["accuracy"] == 0.5
    assert figures["languages"]["nl"]["care_recall"] is None
    assert figures["confused"][0] == {"is": "pay", "taken_for": "greet", "times": 1}
