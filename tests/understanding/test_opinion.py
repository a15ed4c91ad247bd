"""The second opinion: fitted to the encoder as it comes, carried by a model, asked by its care watch."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.understanding.conftest import DATA, Trained
from understanding import load, second
from understanding.care import THRESHOLDS, family
from understanding.encoder import TUNED, UNTUNED, e5
from understanding.head import Head
from understanding.opinion import OPINION, Opinion
from understanding.training import fingerprint, train
from understanding.weights import Floats

pytestmark = pytest.mark.slow


def read(path: Path) -> Opinion:
    with np.load(path, allow_pickle=False) as file:
        opinion = Opinion.from_arrays(file)
    assert opinion is not None
    return opinion


def test_it_is_a_head_on_centred_vectors() -> None:
    head = Head(("pay", "self_harm"), np.array([[0, 0], [0, 2]], np.float32), np.zeros(2, np.float32), 0.5)
    opinion = Opinion(np.array([0.5, 0.5], np.float32), 4.0, head)

    def untuned(texts: object) -> Floats:
        return np.array([[0.0, 1.0]], np.float32)

    assert opinion.of("x", untuned) == pytest.approx({"pay": 1 / (1 + np.exp(8)), "self_harm": 1 / (1 + np.exp(-8))})
    again = Opinion.from_arrays(opinion.arrays())
    assert again is not None
    assert again.of("x", untuned) == opinion.of("x", untuned)
    assert Opinion.from_arrays({"center": opinion.center}) is None


def test_the_products_own_knows_all_care() -> None:
    assert (TUNED / OPINION).stat().st_size < 200_000
    assert set(THRESHOLDS) <= {family(name) for name in read(TUNED / OPINION).head.names}


def test_it_is_fitted_to_the_encoder_as_it_comes(trained: Trained, tmp_path: Path) -> None:
    second.fit(DATA, tmp_path, tmp_path / "kept")
    opinion = read(tmp_path / OPINION)
    shares = opinion.of("mijn vader is overleden", e5(trained.directory / UNTUNED))
    assert max(shares, key=lambda name: shares[name]) == "report_deceased"
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)


def test_a_model_carries_it(trained: Trained, tmp_path: Path) -> None:
    assert trained.understanding.untuned is not None
    np.testing.assert_array_equal(
        read(trained.directory / "model.npz").head.weights, read(TUNED / OPINION).head.weights
    )

    tuned = tmp_path / "tuned"
    shutil.copytree(TUNED, tuned)
    assert fingerprint(DATA, tuned=tuned) == fingerprint(DATA)
    (tuned / OPINION).unlink()
    assert fingerprint(DATA, tuned=tuned) != fingerprint(DATA)


def test_a_model_without_its_untuned_layers_says_so(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.directory, tmp_path / "model")
    (tmp_path / "model" / UNTUNED).unlink()
    with pytest.raises(FileNotFoundError, match="train again"):
        load(tmp_path / "model")


def test_without_tuning_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    shutil.copy(TUNED / OPINION, tmp_path / "tuned" / OPINION)
    train(DATA, tmp_path / "model", tuned=tmp_path / "tuned")
    assert not json.loads((tmp_path / "model" / "card.json").read_text())["tuned"]
    assert not (tmp_path / "model" / UNTUNED).exists()
    with np.load(tmp_path / "model" / "model.npz") as file:
        assert Opinion.from_arrays(file) is None
    assert load(tmp_path / "model").untuned is None
