"""Which published answer fits a question, and how sure that is: a small logistic model over a few features.

Similarity alone finds the right place but not whether the answer is there: "do you take bitcoin?" lies near every
sentence about paying. So questions are also sorted by topic (what shops are asked everywhere, and what is no matter of
the shop's pages), and what is known of the topics of question and source counts beside their similarity.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalogue.words import stems
from understanding.head import Head

Floats = npt.NDArray[np.float32]

FILE = "answers.npz"
PRODUCT = "product"
PRIVATE = "private:"
"""How the topics begin that no shop publishes anything about."""

SPREAD = np.float32(20)  # brings vectors' numbers to about 1, for the head's penalty
FEATURES = 9
_SHORT_LIST = 48  # sources of each kind that are looked at closely
_COMPARED = 12  # of these, those that the model judges


@dataclass(frozen=True, slots=True)
class Source:
    """kind: faq, product; name: the question or title; language: ISO 639-1."""

    kind: str
    identifier: str
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Ranked:
    source: Source
    sure: float  # probability that this source answers the question


class Published:
    """What a creditor has published, ready to be searched.

    heads: (sources, width), vectors of their names; bodies: (sentences, width), of answers and of sentences about
    products, those of one source together and in the sources' order; counts: how many each source has, at least one.
    Bodies may be float16: only those of the short list are read.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        heads: Floats,
        bodies: npt.NDArray[Any],
        counts: Sequence[int],
        ranking: Ranking,
    ) -> None:
        self.sources = sources
        self.heads = ranking.centred(heads)
        self.bodies = bodies
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.products = np.array([source.kind == PRODUCT for source in sources], bool)
        self.stems = [stems(source.name) for source in sources]
        seen = Counter(stem for each in self.stems for stem in each)
        self.rarity = {stem: math.log(1 + len(sources) / (1 + count)) for stem, count in seen.items()}
        self.near = self._coarse(ranking)
        self.topics = self._topics(ranking)

    def of(self, number: int, ranking: Ranking) -> Floats:
        """A source's sentences, centred."""
        return ranking.centred(self.bodies[self.starts[number] : self.starts[number + 1]])

    def _coarse(self, ranking: Ranking) -> Floats:
        """One vector a source, of its name and its sentences: enough to make a short list of thousands."""
        near = self.heads.copy()
        for number in range(len(self.sources)):
            near[number] += self.of(number, ranking).mean(axis=0)
        return near

    def _topics(self, ranking: Ranking) -> Floats:
        topics = np.zeros((len(self.sources), len(ranking.topics.names)), np.float32)
        topics[self.products, ranking.topics.names.index(PRODUCT)] = 1
        for number in np.flatnonzero(~self.products):
            body = ranking.topics_of(self.of(int(number), ranking)).mean(axis=0)
            topics[number] = (ranking.topics_of(self.heads[number : number + 1])[0] + body) / 2
        return topics


@dataclass(frozen=True, slots=True)
class Ranking:
    """center: what is taken off vectors; topics: of a question or source; weights: (features + 1,), the last a bias."""

    center: Floats
    topics: Head
    weights: Floats

    def centred(self, vectors: npt.NDArray[Any]) -> Floats:
        return centred(vectors, self.center)

    def topics_of(self, vectors: Floats) -> Floats:
        """(n, topics), of centred vectors."""
        return self.topics.probabilities(vectors * SPREAD)

    def rank(self, published: Published, vector: Floats, text: str, language: str) -> list[Ranked]:
        """The likeliest sources first; vector: of the text, as the encoder gives it."""
        numbers, table = self.features(published, vector, text, language)
        scores = table @ self.weights[:-1] + self.weights[-1]
        sure = 1 / (1 + np.exp(-scores))
        order = np.argsort(-sure, kind="stable")
        return [Ranked(published.sources[numbers[place]], float(sure[place])) for place in order]

    def features(
        self, published: Published, vector: Floats, text: str, language: str
    ) -> tuple[list[int], npt.NDArray[np.float64]]:
        """Numbers of the nearest sources, and their features: (sources, features)."""
        question = self.centred(vector[None])[0]
        topics = self.topics_of(question[None])[0]
        numbers = _short_list(published, question)
        if not numbers:
            return [], np.zeros((0, FEATURES))
        heads = published.heads[numbers] @ question
        bodies = np.array([float((published.of(number, self) @ question).max()) for number in numbers])
        agree = np.sqrt(published.topics[numbers]) @ np.sqrt(topics)
        names = _names_shared(published, numbers, text)
        product = published.products[numbers].astype(np.float64)
        score = 10 * (heads + bodies) + 5 * agree + 0.3 * names
        order = np.argsort(-score, kind="stable")[:_COMPARED]
        private = float(sum(p for name, p in zip(self.topics.names, topics, strict=True) if name.startswith(PRIVATE)))
        rows = [
            [
                10 * (heads[place] + bodies[place]),
                score[place] - _best_other(published, numbers, score, place),
                agree[place],
                names[place] * product[place],
                product[place],
                float(published.sources[numbers[place]].language == language),
                private,
                10 * (bodies[place] - heads[place]) * product[place],
                float(topics.max()),
            ]
            for place in order
        ]
        return [numbers[place] for place in order], np.array(rows)

    def save(self, path: Path, fingerprint: str) -> None:
        part = path.with_name(path.name + ".part")
        with part.open("wb") as stream:
            arrays: dict[str, Any] = {"fingerprint": np.array(fingerprint), "center": self.center}
            np.savez(stream, weights=self.weights, **arrays, **self.topics.arrays("topics"))
        part.replace(path)


def centred(vectors: npt.NDArray[Any], center: Floats) -> Floats:
    """Unit vectors again, about what texts have in common."""
    moved = vectors.astype(np.float32) - center
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), np.float32)


def load(path: Path) -> Ranking:
    """Raises FileNotFoundError where none was fitted."""
    with np.load(path, allow_pickle=False) as file:
        arrays: Mapping[str, npt.NDArray[Any]] = dict(file)
    return Ranking(arrays["center"], Head.from_arrays(arrays, "topics"), arrays["weights"])


def fingerprint_of(path: Path) -> str | None:
    """What the ranking in this file was fitted from."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["fingerprint"])
    except (FileNotFoundError, KeyError, ValueError):
        return None


def _short_list(published: Published, question: Floats) -> list[int]:
    near = published.near @ question
    found: list[int] = []
    for kind in (published.products, ~published.products):
        mine = np.flatnonzero(kind)
        if len(mine) > _SHORT_LIST:
            mine = mine[np.argpartition(-near[mine], _SHORT_LIST)[:_SHORT_LIST]]
        found += sorted(mine.tolist())
    return found


def _names_shared(published: Published, numbers: Sequence[int], text: str) -> npt.NDArray[np.float64]:
    """How rare the words are that question and name share."""
    asked = stems(text)
    return np.array([sum(published.rarity[stem] for stem in asked & published.stems[number]) for number in numbers])


def _best_other(published: Published, numbers: Sequence[int], score: npt.NDArray[np.float64], place: int) -> float:
    """The best score of a source that is another: an FAQ in another language may be the same one."""
    mine = published.sources[numbers[place]]
    others = [
        value
        for number, value in zip(numbers, score, strict=True)
        if number != numbers[place]
        and ((other := published.sources[number]).kind != mine.kind or other.language == mine.language)
    ]
    return float(max(others, default=score.min() - 5))
