"""The vote of the nearest sentences."""

import numpy as np
import pytest

from understanding.classifier import Classifier, fit
from understanding.neighbours import Neighbours
from understanding.weights import Floats

KINDS = 5


def _sentences(count: int, width: int = 128) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    dice = np.random.default_rng(1)
    numbers = dice.integers(0, KINDS, count)
    vectors = dice.normal(size=(KINDS, width))[numbers] * 0.6 + dice.normal(size=(count, width))
    return vectors.astype(np.float32), numbers


@pytest.mark.parametrize("count", [1, 7, 300, 3_000])
def test_all_votes_are_given_away(count: int) -> None:
    vectors, numbers = _sentences(count)
    votes = Neighbours.of(vectors, numbers, KINDS).votes(vectors[:50])
    assert votes.shape == (min(count, 50), KINDS)
    np.testing.assert_allclose(votes.sum(axis=1), 1, rtol=1e-5)


def test_a_sentence_s_own_meaning_has_the_most_votes() -> None:
    vectors, numbers = _sentences(3_000)
    votes = Neighbours.of(vectors, numbers, KINDS).votes(vectors[:200])
    assert (votes.argmax(axis=1) == numbers[:200]).all()


def test_few_directions_find_those_that_all_would_find() -> None:
    """The short way among candidates beside the long one among all."""
    vectors, numbers = _sentences(3_000)
    asked, _ = _sentences(3_100)
    asked = asked[3_000:]
    short = Neighbours.of(vectors, numbers, KINDS).votes(asked)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = unit @ (asked / np.linalg.norm(asked, axis=1, keepdims=True)).T
    long = np.zeros_like(short)
    for row, column in zip(long, likeness.T, strict=True):
        near = np.argsort(-column)[:20]
        weights = np.exp((column[near] - column[near].max()) / 0.05)
        np.add.at(row, numbers[near], weights / weights.sum())
    assert (short.argmax(axis=1) == long.argmax(axis=1)).mean() > 0.97


def test_the_length_of_a_vector_says_nothing() -> None:
    vectors, numbers = _sentences(500)
    neighbours = Neighbours.of(vectors, numbers, KINDS)
    np.testing.assert_allclose(neighbours.votes(vectors[:9] * 7), neighbours.votes(vectors[:9]), rtol=1e-4)


def test_a_classifier_outlives_its_file() -> None:
    vectors, numbers = _sentences(400)
    one = fit(vectors, [f"intent {number}" for number in numbers])
    again = Classifier.from_arrays(one.arrays())
    assert again.names == one.names
    np.testing.assert_array_equal(again.probabilities(vectors[:20]), one.probabilities(vectors[:20]))
    np.testing.assert_allclose(one.probabilities(vectors[:20]).sum(axis=1), 1, rtol=1e-5)
