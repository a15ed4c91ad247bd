"""Answers to questions about products, deliveries and terms, in the words of what the creditor has published."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from catalogue import index
from catalogue.index import Encoder, Model
from catalogue.published import FAQ, Published
from catalogue.ranking import Ranked, Ranking
from core.ids import CreditorKey
from core.message import Locale
from core.money import Money
from store.database import Database
from store.tables.shop import faq, product
from understanding.frame import unframed

_OFFERED = 3
_SENTENCES = 2
_LONGEST = 600  # characters of an answer; the rest is behind its link
_AS_SURE = 0.15  # one in the person's own language comes first where it is no less sure than that


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    link: str | None
    source: str  # the question or product that it is taken from
    language: str | None
    price: Money | None = None
    availability: str | None = None  # in_stock, out_of_stock, preorder, backorder


@dataclass(frozen=True, slots=True)
class Suggestions:
    questions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answering:
    """What was trained for it: encoder, and what ranks by its vectors."""

    encoder: Encoder
    ranking: Ranking


class Answers:
    def __init__(self, db: Database, answering: Answering) -> None:
        self._db = db
        self._encoder = answering.encoder
        self._ranking = answering.ranking
        self._model: Model | None = None
        self._kept: dict[str, tuple[tuple[int, str], Published]] = {}
        self._reading: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, creditor: CreditorKey, text: str, locale: Locale) -> Answer | Suggestions | None:
        """The answer when it is sure, else questions that are near, else nothing: no guess is told as a fact."""
        published = await self._published(creditor)
        if not published.sources:
            return None
        ranked = await asyncio.to_thread(self._ranked, published, unframed(text), locale)
        best = _told(ranked, self._ranking.sure, locale)
        if best is not None:
            return await self._answer(best)
        near = _offered(published, [found for found in ranked if found.sure >= self._ranking.near], locale)
        return Suggestions([found.source.name for found in near]) if near else None

    def _ranked(self, published: Published, text: str, locale: Locale) -> list[Ranked]:
        return self._ranking.rank(published, self._encoder.vectors([text])[0], text, locale)

    async def _published(self, creditor: CreditorKey) -> Published:
        """As it is now; read anew where it has changed."""
        if self._model is None:
            self._model = await index.model_of(self._encoder)
        async with self._reading[creditor]:
            async with self._db.read() as tx:
                stamp = await index.stamp(tx, creditor, self._model)
            kept = self._kept.get(creditor)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            stored = await index.read(self._db, creditor, self._model)
            published = await asyncio.to_thread(Published, stored.sources, stored.vectors, self._ranking.center)
            self._kept[creditor] = stamp, published
            return published

    async def _answer(self, found: Ranked) -> Answer | None:
        async with self._db.read() as tx:
            table = faq if found.source.kind == FAQ else product
            row = (await tx.execute(select(table).where(table.c.id == found.source.identifier))).one_or_none()
        if row is None:  # taken away since it was read
            return None
        if found.source.kind == FAQ:
            return Answer(_cut(row.answer), row.link, row.question, row.language)
        price = Money(row.price, row.currency) if row.price is not None and row.currency else None
        text = _about(row.description, found.best)
        return Answer(text, row.link, row.title, row.language, price, row.availability)


def _told(ranked: Sequence[Ranked], sure: float, locale: str) -> Ranked | None:
    """What is sure enough to be told, in the person's own language where that is as good."""
    if ranked[0].sure < sure:
        return None
    enough = [found for found in ranked if found.sure >= max(sure, ranked[0].sure - _AS_SURE)]
    return next((found for found in enough if found.source.language == locale), ranked[0])


def _offered(published: Published, near: Sequence[Ranked], locale: str) -> list[Ranked]:
    """The first few; of one question in several languages that of the person."""
    chosen: list[Ranked] = []
    for found in near:
        twin = next((each for each in chosen if published.same(each.number, found.number)), None)
        if twin is None:
            chosen.append(found)
        elif found.source.language == locale:
            chosen[chosen.index(twin)] = found
    return chosen[:_OFFERED]


def _about(description: str, best: Sequence[int]) -> str:
    """The sentences that come nearest to the question, in their own order."""
    sentences = index.sentences(description)
    return " ".join(sentences[place] for place in sorted(best[:_SENTENCES]) if place < len(sentences))


def _cut(text: str) -> str:
    """As many whole sentences as are read in a chat; one at least."""
    told = ""
    for sentence in index.sentences(text):
        if told and len(told) + len(sentence) > _LONGEST:
            return f"{told} …"
        told = f"{told} {sentence}".strip()
    return told
