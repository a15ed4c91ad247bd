"""Fits the ranking: invented shops, what people ask them, and how it went.

`taught/faq.yml` has the questions that shops answer, as several shops write them, and how people ask; `products.yml`
products with questions that their description answers, and some that it does not; `facets.yml` what descriptions say,
and how people ask for it; `beyond.yml` what is asked that hardly any shop answers. Shops are put together from parts
that the heads have never seen, each with a part of the answers only: so what a shop lacks is asked too.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from catalogue.index import Encoder, of_faq, of_product
from catalogue.published import FAQ, PRODUCT, Published, Source, centred
from catalogue.ranking import FEATURES, PRIVATE, SPREAD, Ranking, without
from understanding import head
from understanding.examples import Example
from understanding.head import Head
from understanding.weights import Floats

TAUGHT = Path(__file__).with_name("taught")
_FOLDS = 3
_SHOPS = 6  # of each fold
_TOPICS_PENALTY = 3e-3
_FACETS_PENALTY = 3e-3
_PENALTY = 1e-3
_FAQ_THERE, _PRODUCT_THERE = 0.5, 0.8  # how much of what is asked a shop has
_TWICE = 0.2
_ABSENT_ASKED = 0.5
_PRIVATE_ASKED = 0.1
_KNOWN = 12  # one topic in so many is new to a fold, as some of each shop's are
_STEPS = 40
_WRONG = 0.04  # of all questions, those that are answered wrongly: a little below the bar
_OFFERED, _KEPT = 3, 0.98  # of the right ones among so many, those that are offered
_OF_OTHERS = 6  # sentences of an intent and language
_EACH = {"out_of_scope": 40, "ask_product": 25}

# What people say to us that some shop does publish something about, or that is hard to tell from it.
_PUBLISHED = frozenset(
    {"ask_return", "ask_pay_later_terms", "ask_offers", "ask_contact_info", "ask_payment_methods", "inform"}
    | {"request_invoice_copy", "privacy_request", "opt_out", "opt_in", "dispute/defective", "dispute/cancelled"}
    | {"pay_later", "pay_part", "request_payment_plan", "request_callback", "human", "update_contact"}
)
_PRODUCTS = "ask_product"  # of other shops' than those that are put together here


@dataclass(frozen=True, slots=True)
class Entry:
    """A source in one shop's words; about: its topic, or the product; texts: its name and its sentences."""

    about: str
    source: Source
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    about: str
    topic: str
    text: str
    language: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Taught:
    entries: Sequence[Entry]
    asked: Sequence[Asked]
    facets: Sequence[tuple[str, str, str]]  # a product's name where it is said of one, text, facet


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a question was compared with: features, whether a product, and whether it is the answer."""

    table: npt.NDArray[np.float64]
    products: npt.NDArray[np.bool_]
    right: npt.NDArray[np.bool_]


_NONE = np.zeros((2, FEATURES + 1), np.float32)


def fingerprint(understanding: str) -> str:
    """A hash of all that a ranking depends on; understanding: that of the model whose encoder it is for."""
    digest = hashlib.sha256(understanding.encode())
    here = Path(__file__)
    code = [here.with_name(f"{name}.py") for name in ("teaching", "ranking", "published", "index", "words", "encoding")]
    for file in [*sorted(TAUGHT.iterdir()), *code]:
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def private(sentences: Sequence[Example]) -> list[Asked]:
    """Some of what people say to us that no shop answers: of each intent that no shop publishes anything about, what is
    out of scope, and questions about products that the shops here do not have."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for one in sentences:
        seen[one.intent, one.language] += 1
        if one.intent not in _PUBLISHED and seen[one.intent, one.language] <= _EACH.get(one.intent, _OF_OTHERS):
            about = PRIVATE + one.intent
            topic = PRODUCT if one.intent == _PRODUCTS else about
            found.append(Asked(about, topic, one.text, one.language, False))
    return found


def fit(encoder: Encoder, private: Sequence[Asked]) -> Ranking:
    """A ranking for this encoder; private: see above."""
    taught = read(TAUGHT)
    asked = [*taught.asked, *private]
    vectors = _Vectors(encoder, taught, asked)
    facets = vectors.facets(taught)
    asked_of: list[_Looked] = []
    dice = np.random.default_rng(0)
    for unseen, questions in _folds(taught.entries, asked, dice):
        known = [entry for entry in taught.entries if entry not in unseen]
        rest = set(asked).difference(questions)
        part = Ranking(vectors.center, vectors.topics(known, [one for one in asked if one in rest]), facets, _NONE)
        for _ in range(_SHOPS):
            shop = _shop(unseen, dice)
            published = vectors.published(shop)
            there = {entry.about for entry in shop}
            about = {entry.source: entry.about for entry in shop}
            for one in questions:
                often = _PRIVATE_ASKED if one.about.startswith(PRIVATE) else _ABSENT_ASKED
                if one.about not in there and dice.random() > often:
                    continue
                seen = part.look(published, vectors.of(one.text), one.text, one.language)
                right = [one.answered and about[published.sources[each]] == one.about for each in seen.numbers]
                asked_of.append(_Looked(seen.table, published.products[seen.numbers], np.array(right)))
    weights = _weights(asked_of)
    ranking = Ranking(vectors.center, vectors.topics(taught.entries, asked), facets, weights)
    sure, near = _thresholds(ranking, asked_of)
    return replace(ranking, sure=sure, near=near)


def read(folder: Path) -> Taught:
    entries, asked, facets = [], [], []
    for row in _rows(folder / "faq.yml"):
        topic = row["topic"]
        for number, entry in enumerate(row["entries"]):
            source = Source(FAQ, f"{topic}:{number}", entry["question"], entry["language"])
            entries.append(Entry(topic, source, of_faq(entry["question"], entry["answer"])))
        asked += _questions(topic, topic, row["asked"], answered=True)
    for row in _rows(folder / "products.yml"):
        title = row["title"]
        source = Source(PRODUCT, title, title, row["language"])
        entries.append(Entry(title, source, of_product(title, row["description"])))
        asked += _questions(title, PRODUCT, row["asked"], answered=True)
        asked += _questions(title, PRODUCT, row["beyond"], answered=False)
    for row in _rows(folder / "beyond.yml"):
        asked += _questions(PRIVATE + row["topic"], PRIVATE + row["topic"], row["asked"], answered=False)
    titles = cycle(entry.source.name for entry in entries if entry.source.kind == PRODUCT)
    for row in _rows(folder / "facets.yml"):
        facets += [("", text, row["facet"]) for texts in row["asked"].values() for text in texts]
        facets += [(next(titles), text, row["facet"]) for texts in row["says"].values() for text in texts]
    return Taught(entries, asked, facets)


def _rows(file: Path) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = yaml.safe_load(file.read_text("utf-8"))
    return found


def _questions(about: str, topic: str, rows: Mapping[str, Sequence[str]], *, answered: bool) -> list[Asked]:
    return [Asked(about, topic, text, language, answered) for language, texts in rows.items() for text in texts]


class _Vectors:
    """Of all that is taught, each text encoded once."""

    def __init__(self, encoder: Encoder, taught: Taught, asked: Sequence[Asked]) -> None:
        texts = [text for entry in taught.entries for text in entry.texts]
        texts += [one.text for one in asked] + [_told(*each[:2]) for each in taught.facets]
        texts = list(dict.fromkeys(texts))
        vectors = encoder.vectors(texts)
        self._all: dict[str, Floats] = dict(zip(texts, vectors, strict=True))
        self.center: Floats = np.asarray(vectors.mean(axis=0), np.float32)

    def of(self, text: str) -> Floats:
        return self._all[text]

    def topics(self, entries: Sequence[Entry], asked: Sequence[Asked]) -> Head:
        """Sorts texts: a topic for each that shops are asked, one for all products, and the private ones."""
        rows = [(one.text, one.topic) for one in asked]
        for entry in entries:
            if entry.source.kind != PRODUCT:
                rows += [(text, entry.about) for text in entry.texts[:2]]
        return self._head(rows, _TOPICS_PENALTY)

    def facets(self, taught: Taught) -> Head:
        """Sorts what is asked about products, and what is said of them."""
        vectors = centred(np.stack([self.of(_told(title, text)) for title, text, _ in taught.facets]), self.center)
        titles = centred(
            np.stack([self.of(title) if title else self.center for title, _, _ in taught.facets]), self.center
        )
        return head.fit(without(vectors, titles) * SPREAD, [facet for _, _, facet in taught.facets], _FACETS_PENALTY)

    def published(self, shop: Sequence[Entry]) -> Published:
        vectors = [np.stack([self.of(text) for text in entry.texts]) for entry in shop]
        return Published([entry.source for entry in shop], vectors, self.center)

    def _head(self, rows: Sequence[tuple[str, str]], penalty: float) -> Head:
        vectors = centred(np.stack([self.of(text) for text, _ in rows]), self.center)
        return head.fit(vectors * SPREAD, [name for _, name in rows], penalty)


def _told(title: str, text: str) -> str:
    return f"{title}: {text}" if title else text


def _folds(
    entries: Sequence[Entry], asked: Sequence[Asked], dice: np.random.Generator
) -> Iterator[tuple[list[Entry], list[Asked]]]:
    """What the topics of a fold never see: some topics and products as a whole, of the others a part."""
    abouts = list(dict.fromkeys([*(entry.about for entry in entries), *(one.about for one in asked)]))
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


def _shop(entries: Sequence[Entry], dice: np.random.Generator) -> list[Entry]:
    """Some of these, most topics in one version only."""
    there: dict[str, list[Entry]] = {}
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


def _weights(asked: Sequence[_Looked]) -> Floats:
    """Those for FAQs, and those for products."""
    table = np.concatenate([one.table for one in asked])
    products = np.concatenate([one.products for one in asked])
    right = np.concatenate([one.right for one in asked]).astype(np.float64)
    return np.stack([_logistic(table[kind], right[kind]) for kind in (~products, products)])


def _thresholds(ranking: Ranking, asked: Sequence[_Looked]) -> tuple[float, float]:
    """From where an answer is told: so few are wrong; from where it is offered: so many that are right are."""
    told: list[tuple[float, bool]] = []
    offered: list[float] = []
    for one in asked:
        sure = ranking.judge(one.table, one.products)
        first = np.argsort(-sure, kind="stable")[:_OFFERED]
        told.append((float(sure[first[0]]), bool(one.right[first[0]])))
        offered += sure[first][one.right[first]].tolist()[:1]
    told.sort(reverse=True)
    wrong = np.cumsum([not right for _, right in told]) / len(told)
    last = int(np.searchsorted(wrong, _WRONG, side="right")) - 1
    return told[max(last, 0)][0], float(np.quantile(offered, 1 - _KEPT))


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
    return np.asarray(np.r_[plain, weights[-1] - plain @ middle], np.float32)
