"""Answers to questions about products, deliveries and terms, in the words of what the creditor has published."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalogue import index
from catalogue.index import Encoder, Index
from catalogue.words import overlap
from core.ids import CreditorKey
from core.message import Locale
from store.database import Database
from store.tables.shop import faq, product

# Scores add up similarities (each at most 1) and shared words; set by tests/catalogue's questions to the demo shop.
SURE = 1.22
NEAR = 0.62
_OFFERED = 3
_SENTENCES = 2


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    link: str | None
    source: str  # the question or product that it is taken from
    language: str | None


@dataclass(frozen=True, slots=True)
class Suggestions:
    questions: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Found:
    source: str
    source_id: str
    score: float


class Answers:
    def __init__(self, db: Database, encoder: Encoder) -> None:
        self._db = db
        self._encoder = encoder
        self._kept: dict[str, Index] = {}

    async def find(self, creditor: CreditorKey, text: str, locale: Locale) -> Answer | Suggestions | None:
        """The answer when it is sure, else questions that are near, else nothing: no guess is told as a fact."""
        question = (await asyncio.to_thread(self._encoder.vectors, [text]))[0]
        async with self._db.read() as tx:
            known = await self._index(tx, creditor, len(question))
            ranked = _ranked(known, question, text)
            if not ranked or ranked[0].score < NEAR:
                return None
            languages = await _languages(tx, creditor)
            ranked = _one_language(ranked, languages, locale)
            if ranked[0].score >= SURE:
                return await self._answer(tx, ranked[0], known, question)
            near = [found for found in ranked[:_OFFERED] if found.score >= NEAR]
            return Suggestions([await _title(tx, found) for found in near])

    async def _index(self, tx: AsyncConnection, creditor: CreditorKey, width: int) -> Index:
        kept = self._kept.get(creditor)
        if kept is None or kept.stamp != await index.stamp(tx, creditor):
            kept = self._kept[creditor] = await index.read(tx, creditor, width)
        return kept

    async def _answer(self, tx: AsyncConnection, found: _Found, known: Index, question: Any) -> Answer:
        if found.source == "faq":
            row = (await tx.execute(select(faq).where(faq.c.id == found.source_id))).one()
            return Answer(row.answer, None, row.question, row.language)
        row = (await tx.execute(select(product).where(product.c.id == found.source_id))).one()
        return Answer(_about(known, found, question, row.title), row.link, row.title, row.language)


def _about(known: Index, found: _Found, question: Any, title: str) -> str:
    """The sentences about the product that come nearest to the question, in their own order."""
    mine = [
        (number, each.text.removeprefix(f"{title}: "))
        for number, each in enumerate(known.passages)
        if each.source_id == found.source_id and each.kind == "sentence"
    ]
    nearest = sorted(mine, key=lambda each: -float(known.vectors[each[0]] @ question))[:_SENTENCES]
    return " ".join(text for _, text in sorted(nearest))


def _ranked(known: Index, question: Any, text: str) -> list[_Found]:
    words: dict[tuple[str, str], float] = {}
    for each, shared in zip(known.passages, overlap(text, [each.text for each in known.passages]), strict=True):
        key = (each.source, each.source_id)
        words[key] = max(words.get(key, 0.0), shared)
    found = []
    for key, kinds in known.scores(question).items():
        head = kinds.get("question", kinds.get("title", 0.0))
        body = kinds.get("answer", kinds.get("sentence", 0.0))
        found.append(_Found(*key, head + body + words[key]))
    return sorted(found, key=lambda each: -each.score)


def _one_language(ranked: list[_Found], languages: dict[str, str], locale: str) -> list[_Found]:
    """The same question may be published in several languages: the person's own comes first among equals."""
    best = ranked[0].score
    close = [each for each in ranked if each.score > best - 0.25 and languages.get(each.source_id) == locale]
    return close + [each for each in ranked if each not in close] if close else ranked


async def _languages(tx: AsyncConnection, creditor: CreditorKey) -> dict[str, str]:
    rows = await tx.execute(select(faq.c.id, faq.c.language).where(faq.c.creditor_id == creditor))
    return {row.id: row.language for row in rows}


async def _title(tx: AsyncConnection, found: _Found) -> str:
    column = faq.c.question if found.source == "faq" else product.c.title
    table = faq if found.source == "faq" else product
    return str(await tx.scalar(select(column).where(table.c.id == found.source_id)))
