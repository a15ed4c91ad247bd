"""A linear head: multinomial logistic regression on sentence vectors, with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understanding.weights import Floats

_STEPS = 300
_MEMORY = 10  # pairs that L-BFGS keeps
_ENOUGH = 1e-4  # gradient at which the fit is done


@dataclass(frozen=True)
class Head:
    """names: k; weights: (width, k); bias: (k,); temperature: what the scores are divided by before the softmax."""

    names: tuple[str, ...]
    weights: Floats
    bias: Floats
    temperature: float = 1.0

    def scores(self, vectors: Floats) -> Floats:
        scores: Floats = vectors @ self.weights + self.bias
        return scores

    def probabilities(self, vectors: Floats) -> Floats:
        """(n, width) to (n, k); each row adds up to 1."""
        return softmax(self.scores(vectors) / self.temperature)

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The head as plain arrays, for a .npz file."""
        return {
            f"{prefix}.names": np.array(self.names),
            f"{prefix}.weights": self.weights,
            f"{prefix}.bias": self.bias,
            f"{prefix}.temperature": np.array(self.temperature, np.float64),
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Head:
        return Head(
            names=tuple(str(name) for name in arrays[f"{prefix}.names"]),
            weights=arrays[f"{prefix}.weights"],
            bias=arrays[f"{prefix}.bias"],
            temperature=float(arrays[f"{prefix}.temperature"]),
        )


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def fit(vectors: Floats, labels: Sequence[str], penalty: float, balance: float = 0.5) -> Head:
    """Fit a head by L-BFGS; the same input gives the same head.

    penalty: of the squared weights, per sentence. balance: 0 counts every sentence alike, 1 every name alike.
    """
    names = tuple(sorted(set(labels)))
    numbers = np.searchsorted(np.array(names), np.array(labels))
    count, width, kinds = len(labels), vectors.shape[1], len(names)
    weight = (1.0 / np.bincount(numbers, minlength=kinds)[numbers]) ** balance
    weight = (weight / weight.sum()).astype(np.float32)
    truth = np.zeros((count, kinds), np.float32)
    truth[np.arange(count), numbers] = 1

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        parameters = flat.reshape(width + 1, kinds).astype(np.float32)
        shares = softmax(vectors @ parameters[:-1] + parameters[-1])
        error = (shares - truth) * weight[:, None]
        gradient = np.vstack([vectors.T @ error + penalty * parameters[:-1], error.sum(axis=0)])
        surprise = -np.log(np.maximum(shares[np.arange(count), numbers], 1e-12))
        value = float(weight @ surprise) + penalty / 2 * float((parameters[:-1].astype(np.float64) ** 2).sum())
        return value, gradient.ravel().astype(np.float64)

    best = _minimise(loss, np.zeros((width + 1) * kinds)).reshape(width + 1, kinds).astype(np.float32)
    return Head(names, best[:-1], best[-1])


def temperature(scores: Floats, names: Sequence[str], labels: Sequence[str]) -> float:
    """The temperature at which held-out scores surprise least (Guo et al. 2017), between 0.2 and 5."""
    numbers = [names.index(label) for label in labels]
    rows = np.arange(len(labels))

    def surprise(candidate: float) -> float:
        return float(-np.log(np.maximum(softmax(scores / candidate)[rows, numbers], 1e-12)).mean())

    return float(min(np.geomspace(0.2, 5, 81), key=surprise))


_Loss = Callable[[npt.NDArray[np.float64]], tuple[float, npt.NDArray[np.float64]]]


def _minimise(loss: _Loss, at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """L-BFGS (Nocedal & Wright, algorithm 7.5) with a backtracking line search."""
    value, gradient = loss(at)
    pairs: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]] = []
    for _ in range(_STEPS):
        if np.linalg.norm(gradient) < _ENOUGH:
            break
        direction = -gradient
        factors = []
        for step, change, curvature in reversed(pairs):
            factors.append(float(step @ direction) / curvature)
            direction = direction - factors[-1] * change
        if pairs:
            _, change, curvature = pairs[-1]
            direction *= curvature / float(change @ change)
        for (step, change, curvature), factor in zip(pairs, reversed(factors), strict=True):
            direction = direction + (factor - float(change @ direction) / curvature) * step
        slope = float(gradient @ direction)
        length = 1.0
        while True:
            new_value, new_gradient = loss(at + length * direction)
            if new_value <= value + 1e-4 * length * slope:
                break
            length /= 2
            if length < 1e-6:
                return at
        step, change = length * direction, new_gradient - gradient
        curvature = float(step @ change)
        if curvature > 1e-10:
            pairs = [*pairs, (step, change, curvature)][-_MEMORY:]
        at, value, gradient = at + step, new_value, new_gradient
    return at
