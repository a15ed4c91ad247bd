"""The search index: the passages of what is published, each with its vector, made when data is imported."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CreditorKey, new_id
from store.tables.shop import passage

Floats = npt.NDArray[np.float32]

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


class Encoder(Protocol):
    def vectors(self, texts: Sequence[str]) -> Floats:
        """Unit vectors; blocks, so call it in a thread."""
        ...


def of_faq(question: str, answer: str) -> list[str]:
    """The texts that a question is found by: itself, then its answer."""
    return [question, answer]


def of_product(title: str, description: str) -> list[str]:
    """Its name, and each sentence about it with the name before it: "it" means little on its own."""
    return [title, *(f"{title}: {sentence}" for sentence in sentences(description))]


def sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text.strip()) if sentence]


async def replace(
    tx: AsyncConnection, creditor: CreditorKey, passages: Sequence[Any], vectors: Floats, model: str
) -> None:
    """Put these passages in the place of their sources' earlier ones."""
    sources = {(each.source, each.source_id) for each in passages}
    for source, source_id in sources:
        await tx.execute(
            delete(passage).where(
                passage.c.creditor_id == creditor, passage.c.source == source, passage.c.source_id == source_id
            )
        )
    if passages:
        await tx.execute(
            insert(passage),
            [
                {
                    "id": new_id(),
                    "creditor_id": creditor,
                    "source": each.source,
                    "source_id": each.source_id,
                    "kind": each.kind,
                    "text": each.text,
                    "model": model,
                    "vector": vector.astype(np.float16).tobytes(),
                }
                for each, vector in zip(passages, vectors, strict=True)
            ],
        )


async def encode(encoder: Encoder, passages: Sequence[Any]) -> Floats:
    """The passages' vectors, without holding up anybody else."""
    if not passages:
        return np.zeros((0, 1), np.float32)
    return await asyncio.to_thread(encoder.vectors, [each.text for each in passages])


def model_of(encoder: Encoder) -> str:
    """Which encoder this is, told by what it makes of a fixed text: its vectors fit only each other."""
    probe = encoder.vectors(["Waar is mijn bestelling?"]).astype(np.float16)
    return hashlib.sha256(probe.tobytes()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Index:
    """A creditor's passages, ready to be searched."""

    passages: Sequence[Any]
    vectors: Floats  # (n, width)
    stamp: tuple[int, str]  # changes when the passages do

    def scores(self, question: Floats) -> dict[tuple[str, str], dict[str, float]]:
        """For each source the best similarity of each kind of its passages."""
        found: dict[tuple[str, str], dict[str, float]] = {}
        for each, score in zip(self.passages, self.vectors @ question, strict=True):
            kinds = found.setdefault((each.source, each.source_id), {})
            kinds[each.kind] = max(kinds.get(each.kind, -1.0), float(score))
        return found


async def stamp(tx: AsyncConnection, creditor: CreditorKey) -> tuple[int, str]:
    """Tells whether an index that was read earlier is still the present one: ids sort by time."""
    query = select(func.count(), func.max(passage.c.id)).where(passage.c.creditor_id == creditor)
    count, newest = (await tx.execute(query)).one()
    return count, newest or ""


async def read(tx: AsyncConnection, creditor: CreditorKey, width: int) -> Index:
    rows = (await tx.execute(select(passage).where(passage.c.creditor_id == creditor))).all()
    passages = [Passage(row.source, row.source_id, row.kind, row.text) for row in rows]
    packed = b"".join(row.vector for row in rows)
    vectors = np.frombuffer(packed, np.float16).reshape(len(rows), -1) if rows else np.zeros((0, width))
    return Index(passages, vectors.astype(np.float32), await stamp(tx, creditor))
