"""Loading what is published: each row and what finds it, together or not at all."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from sqlalchemy import Table, select, update

from catalogue import faqs, index, products
from catalogue.index import Encoder, Entry
from catalogue.published import FAQ, PRODUCT
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import CreditorKey, new_id
from core.imported import Imported
from store.database import Database
from store.tables.shop import faq, product
from store.upsert import insert_once


@dataclass(frozen=True, slots=True)
class _Row:
    key: tuple[str, ...]
    values: Mapping[str, Any]  # the key's columns and the others
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str  # faq, product
    table: Table
    key: tuple[str, ...]


_PRODUCTS = _Kind(PRODUCT, product, ("external_id",))
_FAQ = _Kind(FAQ, faq, ("language", "question"))


async def load_products(
    db: Database, clock: Clock, encoder: Encoder, creditor: Creditor, text: str, *, dry_run: bool = False
) -> Imported:
    """Load a Google Merchant feed; texts are in the creditor's first language where it names none.

    Raises BadInput for a file that is none.
    """
    rows, bad = await asyncio.to_thread(lambda: _good(products.read(text), lambda each: _product(each, creditor)))
    return await _load(db, clock, encoder, creditor, _PRODUCTS, rows, bad, dry_run)


async def load_faq(
    db: Database, clock: Clock, encoder: Encoder, creditor: Creditor, text: str, *, dry_run: bool = False
) -> Imported:
    """Load questions and answers. Raises BadInput for a file that is none."""
    languages = [str(language) for language in creditor.languages]
    rows, bad = await asyncio.to_thread(
        lambda: _good(faqs.read(text, languages[0]), lambda fields: _question(fields, languages))
    )
    return await _load(db, clock, encoder, creditor, _FAQ, rows, bad, dry_run)


def _product(fields: Mapping[str, str], creditor: Creditor) -> _Row:
    found = products.product_of(fields)
    values = {
        "external_id": found.external_id,
        "title": found.title,
        "description": found.description,
        "link": found.link,
        "image": found.image,
        "language": found.attributes.get("content_language", str(creditor.languages[0]))[:2],
        "currency": found.price.currency if found.price else None,
        "price": found.price.minor if found.price else None,
        "availability": found.availability,
        "attributes": dict(found.attributes),
    }
    return _Row((found.external_id,), values, index.of_product(found.title, found.description))


def _question(fields: Mapping[str, str], languages: list[str]) -> _Row:
    found = faqs.faq_of(fields, languages)
    values = {
        "language": found.language,
        "question": found.question,
        "answer": found.answer,
        "link": found.link,
    }
    return _Row((found.language, found.question), values, index.of_faq(found.question, found.answer))


def _good(
    rows: Iterator[tuple[int, Mapping[str, str]]], read: Callable[[Mapping[str, str]], _Row]
) -> tuple[list[_Row], list[tuple[int, str]]]:
    """Of rows with the same key the last; and those that are bad."""
    good, bad = {}, []
    for line, fields in rows:
        try:
            row = read(fields)
            good[row.key] = row
        except BadInput as error:
            bad.append((line, str(error)))
    return list(good.values()), bad


async def _load(
    db: Database,
    clock: Clock,
    encoder: Encoder,
    creditor: Creditor,
    kind: _Kind,
    rows: Sequence[_Row],
    bad: Sequence[tuple[int, str]],
    dry_run: bool,
) -> Imported:
    """Some rows at a time: vectors take minutes for thousands, and no transaction is open meanwhile."""
    loaded, model = 0, await index.model_of(encoder)
    for few in batched(rows, index.AT_ONCE):
        known = await _known(db, kind, creditor, few)
        changed = [row for row in few if row.key not in known or _differs(row.values, known[row.key])]
        loaded += len(changed)
        if dry_run or not changed:
            continue
        ids = {row.key: known[row.key]["id"] if row.key in known else new_id() for row in changed}
        entries = [Entry(kind.name, ids[row.key], row.texts) for row in changed]
        vectors = await index.encode(encoder, entries)
        now = clock.now()
        async with db.begin() as tx:
            for row in changed:
                given = {"creditor_id": creditor.key, "id": ids[row.key], "updated_at": now, **row.values}
                if not await insert_once(tx, kind.table, **given):
                    await tx.execute(update(kind.table).where(kind.table.c.id == ids[row.key]).values(**given))
            await index.replace(tx, CreditorKey(creditor.key), entries, vectors, model)
    return Imported(loaded, len(rows) - loaded, list(bad))


def _differs(values: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    return any(stored[name] != value for name, value in values.items())


async def _known(
    db: Database, kind: _Kind, creditor: Creditor, rows: Sequence[_Row]
) -> Mapping[tuple[str, ...], Mapping[str, Any]]:
    """What is stored of these rows, by their key."""
    here = kind.table.c[kind.key[-1]].in_([row.key[-1] for row in rows])
    async with db.read() as tx:
        found = await tx.execute(select(kind.table).where(kind.table.c.creditor_id == creditor.key, here))
    return {tuple(row[name] for name in kind.key): dict(row) for row in found.mappings()}
