"""Which published answer fits a question, and how sure that is: a small logistic model over a few features.

Similarity alone finds the right place but not whether the answer is there: "do you take bitcoin?" lies near every
sentence about paying. So questions are also sorted by topic: what shops are asked everywhere, and what is no matter of
their pages. Questions about products and the sentences of their descriptions are sorted by what they are about (size,
care, price). Whether question and source agree in that counts beside their similarity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalogue.published import PRODUCT, Published, Source, centred
from understanding.head import Head
from understanding.weights import Floats

FILE = "answers.npz"
PRIVATE = "private:"
"""How the topics begin that no shop publishes anything about."""
ALWAYS = ("price", "stock")
"""What is told of each product beside its description."""

SPREAD = np.float32(20)  # brings vectors' numbers to about 1, for the heads' penalty
FEATURES = 10
_SHORT_LIST = 48  # sources of each kind that are looked at closely
_NAMED = 16  # and as many that the question names
_COMPARED = 12  # of these, those that the model judges
_NO_OTHER = 5.0
_LITTLE = 0.05
_NAME_IN_IT = np.float32(0.6)
_NAMES = 1.5  # more words of a name make nothing surer

Table = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    number: int  # of the source, among those published
    source: Source
    sure: float  # probability that this source answers the question
    best: tuple[int, ...]  # which of its sentences do it, best first


@dataclass(frozen=True, slots=True)
class Ranking:
    """center: what is taken off vectors; topics: of a question or FAQ; facets: of a question about a product, or of a
    sentence of its description; weights: (2, FEATURES + 1), for FAQs and for products, the last of each a bias; sure:
    how probable an answer must be to be told, near: to be offered."""

    center: Floats
    topics: Head
    facets: Head
    weights: Floats
    sure: float = 1.0
    near: float = 0.0

    def rank(self, published: Published, vector: Floats, text: str, language: str) -> list[Ranked]:
        """The likeliest sources first; vector: of the text, as the encoder gives it."""
        seen = self.look(published, vector, text, language)
        sure = self.judge(seen.table, published.products[seen.numbers])
        return [
            Ranked(number, published.sources[number], float(sure[place]), seen.best[place])
            for place in np.argsort(-sure, kind="stable")
            for number in [int(seen.numbers[place])]
        ]

    def judge(self, table: Table, products: npt.NDArray[np.bool_]) -> Table:
        """How probable each source is as the answer, by its features and its kind."""
        weights = self.weights[products.astype(int)]
        return np.asarray(1 / (1 + np.exp(-((table * weights[:, :-1]).sum(axis=1) + weights[:, -1]))))

    def look(self, published: Published, vector: Floats, text: str, language: str) -> _Seen:
        """The nearest sources and their features."""
        question = centred(vector[None], self.center)
        shared = published.shared(text)
        numbers = _short_list(published, question[0], shared)
        if not len(numbers):
            return _Seen(numbers, np.zeros((0, FEATURES)), [])
        product = published.products[numbers]
        heads, (bodies, starts) = published.heads(numbers), published.bodies(numbers)
        asked, wanted = self.topics_of(question)[0], self.facets_of(question)[0]
        counts = np.diff(np.append(starts, len(bodies)))
        met = np.sqrt(self.facets_of(without(bodies, np.repeat(heads, counts, axis=0)))) @ np.sqrt(wanted)
        near = bodies @ question[0]
        facet = np.maximum(np.maximum.reduceat(met, starts), self._always(wanted)) * product
        topic = self._agree(asked, heads, bodies[starts], product)
        head, body = heads @ question[0], np.maximum.reduceat(near, starts)
        names = np.minimum(shared[numbers], _NAMES)
        score = 10 * (head + body) + 5 * topic + 3 * facet + names
        order = np.argsort(-score, kind="stable")[:_COMPARED]
        private = sum(p for name, p in zip(self.topics.names, asked, strict=True) if name.startswith(PRIVATE))
        columns = [
            10 * head,
            10 * body,
            score - _best_other(published, numbers, score),
            topic,
            np.log(facet + _LITTLE),
            names,
            published.languages[numbers] == language,
            np.full(len(numbers), private),
            np.full(len(numbers), asked.max()),
            facet - facet.max(initial=0),
        ]
        fit = np.split(10 * near + 3 * met, starts[1:])
        best = [tuple(np.argsort(-fit[place], kind="stable").tolist()) for place in order]
        return _Seen(numbers[order], np.stack(columns, axis=1).astype(np.float64)[order], best)

    def topics_of(self, vectors: Floats) -> Floats:
        """(n, topics), of centred vectors."""
        return self.topics.probabilities(vectors * SPREAD)

    def facets_of(self, vectors: Floats) -> Floats:
        """(n, facets), of centred vectors."""
        return self.facets.probabilities(vectors * SPREAD)

    def save(self, path: Path, fingerprint: str) -> None:
        part = path.with_name(path.name + ".part")
        arrays: dict[str, npt.NDArray[Any]] = {
            "fingerprint": np.array(fingerprint),
            "center": self.center,
            "weights": self.weights,
            "thresholds": np.array([self.sure, self.near]),
            **self.topics.arrays("topics"),
            **self.facets.arrays("facets"),
        }
        with part.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        part.replace(path)

    def _agree(self, asked: Floats, heads: Floats, bodies: Floats, product: npt.NDArray[np.bool_]) -> Floats:
        """How far the topics of question and sources are the same; bodies: the first sentence of each."""
        theirs = (self.topics_of(heads) + self.topics_of(bodies)) / 2
        theirs[product] = np.array(self.topics.names) == PRODUCT
        return np.asarray(np.sqrt(theirs) @ np.sqrt(asked), np.float32)

    def _always(self, wanted: Floats) -> float:
        return math.sqrt(max(wanted[self.facets.names.index(name)] for name in ALWAYS))


@dataclass(frozen=True, slots=True)
class _Seen:
    """numbers: of sources; table: (sources, FEATURES); best: of each the sentences that come nearest."""

    numbers: Numbers
    table: Table
    best: list[tuple[int, ...]]


def without(bodies: Floats, heads: Floats) -> Floats:
    """Unit vectors of what sentences say beside the name that stands before them."""
    rest = bodies - _NAME_IN_IT * heads
    return np.asarray(rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9), np.float32)


def load(path: Path) -> Ranking:
    """Raises FileNotFoundError where none was fitted."""
    with np.load(path, allow_pickle=False) as file:
        arrays: Mapping[str, npt.NDArray[Any]] = dict(file)
    topics, facets = (Head.from_arrays(arrays, name) for name in ("topics", "facets"))
    sure, near = arrays["thresholds"].tolist()
    return Ranking(arrays["center"], topics, facets, arrays["weights"], sure, near)


def fingerprint_of(path: Path) -> str | None:
    """What the ranking in this file was fitted from; None where there is no such file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["fingerprint"])
    except (FileNotFoundError, KeyError, ValueError):
        return None


def _short_list(published: Published, question: Floats, shared: Floats) -> Numbers:
    near = published.near @ question
    found = [
        mine[_highest(near[mine], _SHORT_LIST)]
        for mine in (np.flatnonzero(published.products), np.flatnonzero(~published.products))
    ]
    named = np.flatnonzero(shared)
    found.append(named[_highest(shared[named] + near[named], _NAMED)])
    return np.unique(np.concatenate(found))


def _highest(scores: Floats, count: int) -> Numbers:
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.argpartition(-scores, count)[:count]


def _best_other(published: Published, numbers: Numbers, score: Floats) -> Floats:
    """For each the best score of another source: an FAQ in another language may be the same one."""
    products, languages = published.products[numbers], published.languages[numbers]
    other = (products[:, None] != products) | (languages[:, None] == languages)
    np.fill_diagonal(other, False)
    none = score.min() - np.float32(_NO_OTHER)
    return np.asarray(np.where(other, score[None], none).max(axis=1), np.float32)
