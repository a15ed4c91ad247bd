"""The linear head: it learns what can be learnt, and its probabilities mean what they say."""

import numpy as np
import pytest

from understanding.head import Head, fit, softmax, temperature
from understanding.weights import Floats


def clouds(count: int, seed: int, spread: float = 1.0) -> tuple[Floats, list[str]]:
    """Three overlapping clouds in 8 dimensions."""
    dice = np.random.default_rng(seed)
    kinds = dice.integers(0, 3, count)
    points = dice.normal(scale=spread, size=(count, 8))
    points[np.arange(count), kinds] += 1.5
    return points.astype(np.float32), [f"kind{kind}" for kind in kinds]


def test_it_is_the_minimum_of_its_loss() -> None:
    vectors, labels = clouds(300, 1)
    head = fit(vectors, labels, penalty=0.01, balance=0)
    truth = np.array([[label == name for name in head.names] for label in labels], np.float32)
    error = (softmax(head.scores(vectors)) - truth) / len(labels)
    gradient = vectors.T @ error + 0.01 * head.weights
    assert np.abs(gradient).max() < 1e-3
    assert np.abs(error.sum(axis=0)).max() < 1e-3


def test_balance_gives_a_rare_name_its_due() -> None:
    vectors, labels = clouds(2_000, 2)
    rare = [place for place, label in enumerate(labels) if label == "kind2"][:20]
    keep = [place for place, label in enumerate(labels) if label != "kind2"] + rare
    test, truth = clouds(1_000, 3)

    def recall(balance: float) -> float:
        head = fit(vectors[keep], [labels[place] for place in keep], 0.001, balance)
        said = [head.names[i] for i in head.scores(test).argmax(axis=1)]
        return float(np.mean([a == "kind2" for a, b in zip(said, truth, strict=True) if b == "kind2"]))

    assert recall(1.0) > recall(0.0) + 0.2


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_temperature_makes_confidence_honest(sharpness: float) -> None:
    vectors, labels = clouds(4_000, 4)
    head = fit(vectors[:2_000], labels[:2_000], penalty=1e-4)
    sharp = Head(head.names, head.weights * np.float32(sharpness), head.bias * np.float32(sharpness))
    found = temperature(sharp.scores(vectors[:2_000]), head.names, labels[:2_000])
    calm = Head(sharp.names, sharp.weights, sharp.bias, found)
    shares = calm.probabilities(vectors[2_000:])
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    right = np.array([head.names[i] for i in shares.argmax(axis=1)]) == np.array(labels[2_000:])
    assert abs(float(shares.max(axis=1).mean()) - float(right.mean())) < 0.04


def test_the_same_sentences_give_the_same_head_and_arrays_bring_it_back() -> None:
    vectors, labels = clouds(200, 5)
    head = fit(vectors, labels, 0.01)
    again = Head.from_arrays(fit(vectors, labels, 0.01).arrays("x"), "x")
    assert again.names == head.names
    np.testing.assert_array_equal(again.scores(vectors), head.scores(vectors))
