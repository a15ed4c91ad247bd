"""Neighbours: the sentences that a message lies nearest to vote on what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from understanding.weights import Floats

_VOTERS = 20
_SHARPNESS = 0.05  # the cosine by which a vote loses a factor e
# Candidates are looked for among few directions, those in which sentences differ most: 0.7 ms instead of 9 among
# 38,000 sentences, and 98 of 100 voters are the same. (With 96 directions and 500 candidates it is 99.8, in 2.2.)
_DIRECTIONS = 64
_CANDIDATES = 300


@dataclass(frozen=True)
class Neighbours:
    """intents: of each of n sentences, its number among k; axes: (width, width), by importance; sentences: (n, width),
    unit vectors along the axes, in 16 bits."""

    kinds: int
    intents: npt.NDArray[np.int64]
    axes: Floats
    sentences: npt.NDArray[np.float16]

    @staticmethod
    def of(vectors: Floats, intents: npt.NDArray[np.int64], kinds: int) -> Neighbours:
        """vectors: (n, width), centred."""
        _, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
        turned = vectors @ axes[:, ::-1].astype(np.float32)
        return Neighbours(kinds, intents, axes[:, ::-1].astype(np.float32), _unit(turned).astype(np.float16))

    @cached_property
    def _short(self) -> Floats:
        return np.ascontiguousarray(self.sentences[:, :_DIRECTIONS], np.float32)

    def votes(self, vectors: Floats) -> Floats:
        """(m, width) to (m, k): the share of the votes that each intent gets; a nearer sentence has more of them."""
        shares = np.zeros((len(vectors), self.kinds), np.float32)
        for row, vector in zip(shares, _unit(vectors @ self.axes), strict=True):
            near = _largest_about(self._short @ vector[:_DIRECTIONS], _CANDIDATES)
            likeness = self.sentences[near].astype(np.float32) @ vector
            voters = _largest(likeness, _VOTERS)
            weights = np.exp((likeness[voters] - likeness[voters].max()) / _SHARPNESS)
            np.add.at(row, self.intents[near[voters]], weights / weights.sum())
        return shares

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The neighbours as plain arrays, for a .npz file."""
        return {
            f"{prefix}.kinds": np.array(self.kinds),
            f"{prefix}.intents": self.intents,
            f"{prefix}.axes": self.axes,
            f"{prefix}.sentences": self.sentences,
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Neighbours:
        return Neighbours(
            int(arrays[f"{prefix}.kinds"]), *(arrays[f"{prefix}.{name}"] for name in ("intents", "axes", "sentences"))
        )


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def _largest_about(values: Floats, count: int) -> npt.NDArray[np.int64]:
    """The places of about `count` largest values: those above what one value in eight says the limit is."""
    sample = values[::8]
    if len(sample) <= count:
        return _largest(values, count)
    return np.flatnonzero(values >= np.partition(sample, -count // 8)[-count // 8])


def _largest(values: Floats, count: int) -> npt.NDArray[np.int64]:
    """The places of the `count` largest values, or of all where there are fewer."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]
