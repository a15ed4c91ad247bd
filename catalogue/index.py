"""The search index: what is published, each with its vectors, made when data is imported."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalogue.published import FAQ, PRODUCT, Source
from core.ids import CreditorKey, new_id
from store.database import Database
from store.tables.shop import faq, passage, product
from understanding.weights import Floats

AT_ONCE = 50  # sources whose texts are encoded and stored together: two seconds, then others have their turn
_PAGE = 500  # rows read at a time
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
# Of each kind of source its table, and the columns of its name and its text.
_TABLES = {FAQ: (faq, faq.c.question, faq.c.answer), PRODUCT: (product, product.c.title, product.c.description)}


class Encoder(Protocol):
    def vectors(self, texts: Sequence[str]) -> Floats:
        """Unit vectors; blocks, so call it in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A source and the texts that it is found by: its name, then its sentences."""

    source: str  # faq, product
    source_id: str
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Model:
    """Which encoder it is, told by what it makes of a fixed text: its vectors fit only each other."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Sources, and of each its vectors."""

    sources: Sequence[Source]
    vectors: Sequence[npt.NDArray[np.float16]]  # of each (n, width)


def of_faq(question: str, answer: str) -> list[str]:
    """The texts that a question is found by: itself, then its answer."""
    return [question, answer]


def of_product(title: str, description: str) -> list[str]:
    """Its name, and each sentence about it with the name before it: "it" means little on its own."""
    return [title, *(f"{title}: {sentence}" for sentence in sentences(description))]


def sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text.strip()) if sentence]


async def replace(
    tx: AsyncConnection, creditor: CreditorKey, entries: Sequence[Entry], vectors: Sequence[Floats], model: Model
) -> None:
    """Put these entries in the place of their sources' earlier ones."""
    for kind in {entry.source for entry in entries}:
        mine = [entry.source_id for entry in entries if entry.source == kind]
        await tx.execute(
            delete(passage).where(
                passage.c.creditor_id == creditor, passage.c.source == kind, passage.c.source_id.in_(mine)
            )
        )
    rows = [
        {
            "id": new_id(),
            "creditor_id": creditor,
            "source": entry.source,
            "source_id": entry.source_id,
            "model": model.name,
            "vectors": made.astype(np.float16).tobytes(),
        }
        for entry, made in zip(entries, vectors, strict=True)
    ]
    await tx.execute(insert(passage), rows)


async def encode(encoder: Encoder, entries: Sequence[Entry]) -> list[Floats]:
    """Each entry's vectors, without holding up anybody else."""
    made = await asyncio.to_thread(encoder.vectors, [text for entry in entries for text in entry.texts])
    return np.split(made, np.cumsum([len(entry.texts) for entry in entries])[:-1])


async def model_of(encoder: Encoder) -> Model:
    probe = await asyncio.to_thread(encoder.vectors, ["Waar is mijn bestelling?"])
    return Model(hashlib.sha256(probe.astype(np.float16).tobytes()).hexdigest()[:16], probe.shape[1])


async def stamp(tx: AsyncConnection, creditor: CreditorKey, model: Model) -> tuple[int, str]:
    """Tells whether what was read earlier is still all: ids sort by time."""
    mine = passage.c.creditor_id == creditor, passage.c.model == model.name
    count, newest = (await tx.execute(select(func.count(), func.max(passage.c.id)).where(*mine))).one()
    return count, newest or ""


async def read(db: Database, creditor: CreditorKey, model: Model) -> Stored:
    """What this encoder has made vectors of; some rows at a time, so that nobody is held up."""
    sources: list[Source] = []
    packed: list[npt.NDArray[np.float16]] = []
    for kind, (table, name, _) in _TABLES.items():
        query = (
            select(passage.c.id, passage.c.source_id, passage.c.vectors, name.label("name"), table.c.language)
            .join(table, table.c.id == passage.c.source_id)
            .where(passage.c.creditor_id == creditor, passage.c.model == model.name, passage.c.source == kind)
            .order_by(passage.c.id)
            .limit(_PAGE)
        )
        last = ""
        while True:
            async with db.read() as tx:
                rows = (await tx.execute(query.where(passage.c.id > last))).all()
            if not rows:
                break
            last = rows[-1].id
            sources += [Source(kind, row.source_id, row.name, row.language) for row in rows]
            packed += [np.frombuffer(row.vectors, np.float16).reshape(-1, model.width) for row in rows]
            await asyncio.sleep(0)
    return Stored(sources, packed)


async def refresh(db: Database, encoder: Encoder) -> int:
    """Make anew what another encoder has made: it is not searched until then. Returns how many sources."""
    model = await model_of(encoder)
    done = 0
    for kind, (table, name, text) in _TABLES.items():
        query = (
            select(passage.c.creditor_id, passage.c.source_id, name.label("name"), text.label("text"))
            .join(table, table.c.id == passage.c.source_id)
            .where(passage.c.model != model.name, passage.c.source == kind)
            .order_by(passage.c.creditor_id)
            .limit(AT_ONCE)
        )
        while True:
            async with db.read() as tx:
                rows = (await tx.execute(query)).all()
            if not rows:
                break
            mine = [row for row in rows if row.creditor_id == rows[0].creditor_id]
            texts_of = of_faq if kind == FAQ else of_product
            entries = [Entry(kind, row.source_id, texts_of(row.name, row.text)) for row in mine]
            vectors = await encode(encoder, entries)
            async with db.begin() as tx:
                await replace(tx, CreditorKey(rows[0].creditor_id), entries, vectors, model)
            done += len(entries)
    return done
