"""What a creditor has published, in memory, ready to be searched."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from catalogue.words import stems
from understanding.weights import Floats

FAQ, PRODUCT = "faq", "product"
_SAME = 0.42  # of a thousand pairs of different FAQs one is so alike
_AT_ONCE = 4_096  # sources whose sentences are in float32 at a time


@dataclass(frozen=True, slots=True)
class Source:
    """kind: faq, product; name: the question or title; language: ISO 639-1, None where the feed names none."""

    kind: str
    identifier: str
    name: str
    language: str | None


class Published:
    """vectors: of each source one of its name and then one of each of its sentences, at least one. They stay in
    float16: only those of a short list are read, and `near` sorts out that list with one vector a source, of its name
    and the middle of its sentences.
    """

    def __init__(self, sources: Sequence[Source], vectors: Sequence[npt.NDArray[Any]], center: Floats) -> None:
        self.sources = sources
        self.products = np.array([source.kind == PRODUCT for source in sources], bool)
        self.languages = np.array([source.language or "" for source in sources])
        every = np.concatenate(vectors) if len(vectors) else np.zeros((0, len(center)), np.float16)
        self._vectors = every.astype(np.float16, copy=False)
        self._starts = np.concatenate([[0], np.cumsum([len(each) for each in vectors])]).astype(np.int64)
        self._center = center
        self.near = self._middles()
        self._holders = _holders(sources)

    def heads(self, numbers: npt.NDArray[np.int64]) -> Floats:
        """The vectors of these sources' names."""
        return centred(self._vectors[self._starts[numbers]], self._center)

    def bodies(self, numbers: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
        """The vectors of these sources' sentences, and where those of each begin."""
        first, last = self._starts[numbers] + 1, self._starts[numbers + 1]
        counts = last - first
        starts = np.cumsum(counts) - counts
        places = np.arange(int(counts.sum())) + np.repeat(first - starts, counts)
        return centred(self._vectors[places], self._center), starts

    def shared(self, text: str) -> Floats:
        """For each source what its name shares with the text: 1 for a word that no other name has, less for others."""
        found = np.zeros(len(self.sources), np.float32)
        count = len(self.sources)
        for stem in stems(text):
            holders = self._holders.get(stem)
            if holders is not None:
                found[holders] += np.float32(math.log(1 + count / (1 + len(holders))) / math.log(1 + count / 2))
        return found

    def same(self, one: int, other: int) -> bool:
        """Whether two FAQs are one, in two languages."""
        if self.products[one] or self.products[other] or self.languages[one] == self.languages[other]:
            return False
        first, second = self.near[one], self.near[other]
        return float(first @ second) > _SAME * float(np.linalg.norm(first) * np.linalg.norm(second))

    def _middles(self) -> Floats:
        near = np.zeros((len(self.sources), self._vectors.shape[1]), np.float32)
        for begin in range(0, len(self.sources), _AT_ONCE):
            numbers = np.arange(begin, min(begin + _AT_ONCE, len(self.sources)))
            bodies, starts = self.bodies(numbers)
            counts = np.diff(np.append(starts, len(bodies)))
            near[numbers] = self.heads(numbers) + np.add.reduceat(bodies, starts) / counts[:, None]
        return near


def centred(vectors: npt.NDArray[Any], center: Floats) -> Floats:
    """Unit vectors again, about what texts have in common."""
    moved = vectors.astype(np.float32) - center
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), np.float32)


def _holders(sources: Sequence[Source]) -> dict[str, npt.NDArray[np.int32]]:
    """The numbers of the sources whose name has a word."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, source in enumerate(sources):
        for stem in stems(source.name):
            found[stem].append(number)
    return {stem: np.array(numbers, np.int32) for stem, numbers in found.items()}
