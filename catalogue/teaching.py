"""Fits the ranking: invented shops, what people ask them, and how it went.

`taught/faq.yml` has the questions that shops answer, as several shops write them, and how people ask; `products.yml`
products with questions that their description answers, and some that it does not. Shops are put together from parts
that the topics have never seen, each with a part of the answers only: so what a shop lacks is asked too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from catalogue.index import Encoder, of_faq, of_product
from catalogue.ranking import PRIVATE, PRODUCT, SPREAD, Floats, Published, Ranking, Source, centred
from understanding import head
from understanding.head import Head

TAUGHT = Path(__file__).with_name("taught")
_FOLDS = 3
_SHOPS = 10  # of each fold
_TOPICS_PENALTY = 3e-3
_PENALTY = 1e-3
_FAQ_THERE, _PRODUCT_THERE = 0.5, 0.8  # how much of what is asked a shop has
_TWICE = 0.2
_ABSENT_ASKED = 0.5
_KNOWN = 12  # one topic in so many is new to a fold, as some of each shop's are
_STEPS = 40


@dataclass(frozen=True, slots=True)
class _Entry:
    """A source in one shop's words; about: its topic, or the product."""

    about: str
    source: Source
    head: str
    bodies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    about: str
    topic: str
    text: str
    language: str
    answered: bool


def fingerprint(understanding: str) -> str:
    """A hash of all that a ranking depends on; understanding: that of the model whose encoder it is for."""
    digest = hashlib.sha256(understanding.encode())
    here = Path(__file__)
    for file in [*sorted(TAUGHT.iterdir()), here, here.with_name("ranking.py"), here.with_name("words.py")]:
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def fit(encoder: Encoder, private: Sequence[tuple[str, str]]) -> Ranking:
    """A ranking for this encoder. private: texts about other things than what a shop publishes, with their names."""
    entries, asked = read(TAUGHT)
    vectors = _Vectors(encoder, entries, asked, [text for text, _ in private])
    tables, right = [], []
    dice = np.random.default_rng(0)
    for unseen, questions in _folds(entries, asked, dice):
        known = [entry for entry in entries if entry not in unseen], [one for one in asked if one not in questions]
        part = Ranking(vectors.center, vectors.topics(*known, private), np.zeros(0, np.float32))
        for _ in range(_SHOPS):
            shop = _shop(unseen, dice)
            published, there = vectors.published(shop, part), {entry.about for entry in shop}
            about = {entry.source: entry.about for entry in shop}
            for one in questions:
                if one.about not in there and dice.random() > _ABSENT_ASKED:
                    continue
                numbers, table = part.features(published, vectors.of(one.text), one.text, one.language)
                tables.append(table)
                right += [one.answered and about[published.sources[number]] == one.about for number in numbers]
    weights = _logistic(np.concatenate(tables), np.array(right, np.float64))
    return Ranking(vectors.center, vectors.topics(entries, asked, private), weights)


def read(folder: Path) -> tuple[list[_Entry], list[_Asked]]:
    entries, asked = [], []
    for row in yaml.safe_load((folder / "faq.yml").read_text("utf-8")):
        topic = row["topic"]
        for number, entry in enumerate(row["entries"]):
            source = Source("faq", f"{topic}:{number}", entry["question"], entry["language"])
            head_, *bodies = (each.text for each in of_faq("", entry["question"], entry["answer"]))
            entries.append(_Entry(topic, source, head_, tuple(bodies)))
        asked += _questions(topic, topic, row["asked"], answered=True)
    for row in yaml.safe_load((folder / "products.yml").read_text("utf-8")):
        title = row["title"]
        head_, *bodies = (each.text for each in of_product("", title, row["description"]))
        entries.append(_Entry(title, Source(PRODUCT, title, title, row["language"]), head_, tuple(bodies)))
        asked += _questions(title, PRODUCT, row["asked"], answered=True)
        asked += _questions(title, PRODUCT, row["beyond"], answered=False)
    return entries, asked


def _questions(about: str, topic: str, rows: Mapping[str, Sequence[str]], *, answered: bool) -> list[_Asked]:
    return [_Asked(about, topic, text, language, answered) for language, texts in rows.items() for text in texts]


class _Vectors:
    """Of all that is taught, each text encoded once."""

    def __init__(self, encoder: Encoder, entries: Sequence[_Entry], asked: Sequence[_Asked], private: Sequence[str]):
        texts = [text for entry in entries for text in (entry.head, *entry.bodies)]
        texts = list(dict.fromkeys([*texts, *(one.text for one in asked), *private]))
        self._all = dict(zip(texts, encoder.vectors(texts), strict=True))
        self.center: Floats = np.stack(list(self._all.values())).mean(axis=0)

    def of(self, text: str) -> Floats:
        return self._all[text]

    def topics(self, entries: Sequence[_Entry], asked: Sequence[_Asked], private: Sequence[tuple[str, str]]) -> Head:
        """Sorts texts: a topic for each that shops are asked, one for all products, and the private ones."""
        rows = [(one.text, one.topic) for one in asked]
        for entry in entries:
            if entry.source.kind != PRODUCT:
                rows += [(entry.head, entry.about), (entry.bodies[0], entry.about)]
        rows += [(text, PRIVATE + name) for text, name in private]
        vectors = centred(np.stack([self.of(text) for text, _ in rows]), self.center)
        return head.fit(vectors * SPREAD, [topic for _, topic in rows], _TOPICS_PENALTY)

    def published(self, shop: Sequence[_Entry], ranking: Ranking) -> Published:
        return Published(
            [entry.source for entry in shop],
            np.stack([self.of(entry.head) for entry in shop]),
            np.stack([self.of(body) for entry in shop for body in entry.bodies]),
            [len(entry.bodies) for entry in shop],
            ranking,
        )


def _folds(
    entries: Sequence[_Entry], asked: Sequence[_Asked], dice: np.random.Generator
) -> Iterator[tuple[list[_Entry], list[_Asked]]]:
    """What the topics of a fold never see: some topics and products as a whole, of the others a part."""
    abouts = list(dict.fromkeys(entry.about for entry in entries))
    place = {about: int(number) for about, number in zip(abouts, dice.permutation(len(abouts)), strict=True)}
    products = {entry.about for entry in entries if entry.source.kind == PRODUCT}
    drawn = dice.integers(0, _FOLDS, len(asked))
    for fold in range(_FOLDS):
        new = {about for about in abouts if place[about] % (_FOLDS if about in products else _KNOWN) == fold}
        version = dict.fromkeys(abouts, -1)
        unseen = []
        for entry in entries:
            version[entry.about] += 1
            spare = entry.about not in products and (version[entry.about] + place[entry.about]) % _FOLDS == fold
            if entry.about in new or spare:
                unseen.append(entry)
        questions = [
            one
            for one, part in zip(asked, drawn, strict=True)
            if one.about in new or (one.about not in products and part == fold)
        ]
        yield unseen, questions


def _shop(entries: Sequence[_Entry], dice: np.random.Generator) -> list[_Entry]:
    """Some of these, most topics in one version only."""
    there: dict[str, list[_Entry]] = {}
    absent = set()
    for place in dice.permutation(len(entries)):
        entry = entries[place]
        chance = _PRODUCT_THERE if entry.source.kind == PRODUCT else _FAQ_THERE
        if entry.about in absent:
            continue
        if entry.about in there:
            if dice.random() < _TWICE:
                there[entry.about].append(entry)
        elif dice.random() < chance:
            there[entry.about] = [entry]
        else:
            absent.add(entry.about)
    return [entry for versions in there.values() for entry in versions]


def _logistic(table: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> Floats:
    """Weights of the features and a bias, by Newton's method."""
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    rows = np.c_[(table - middle) / spread, np.ones(len(table))]
    weights = np.zeros(rows.shape[1])
    ridge = _PENALTY * np.r_[np.ones(len(middle)), 0]
    for _ in range(_STEPS):
        sure = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (sure - right) / len(rows) + ridge * weights
        curve = (rows * (sure * (1 - sure))[:, None]).T @ rows / len(rows) + np.diag(ridge + 1e-9)
        weights -= np.linalg.solve(curve, slope)
    plain = weights[:-1] / spread
    return np.r_[plain, weights[-1] - plain @ middle].astype(np.float32)
