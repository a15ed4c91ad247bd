"""Loading what is published: rows and the index that finds them, together or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalogue import faqs, index, products
from catalogue.index import Encoder, Passage
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from core.ids import CreditorKey, new_id
from core.imported import Imported
from store.database import Database
from store.tables.shop import faq, product
from store.upsert import insert_once


async def load_products(
    db: Database, clock: Clock, encoder: Encoder, creditor: Creditor, text: str, *, dry_run: bool = False
) -> Imported:
    """Load a Google Merchant feed. Raises BadInput for a file that is none."""
    rows, bad = _good(products.read(text), products.product_of)
    values = [
        (
            {"external_id": each.external_id},
            {
                "title": each.title,
                "description": each.description,
                "link": each.link,
                "image": each.image,
                "language": each.attributes.get("content_language"),
                "currency": each.price.currency if each.price else None,
                "price": each.price.minor if each.price else None,
                "availability": each.availability,
                "attributes": dict(each.attributes),
            },
        )
        for each in rows
    ]
    return await _load(
        db,
        clock,
        encoder,
        creditor,
        product,
        values,
        bad,
        dry_run,
        lambda identifier, row: index.of_product(identifier, row["title"], row["description"]),
    )


async def load_faq(
    db: Database, clock: Clock, encoder: Encoder, creditor: Creditor, text: str, *, dry_run: bool = False
) -> Imported:
    """Load questions and answers. Raises BadInput for a file that is none."""
    languages = [str(language) for language in creditor.languages]
    rows, bad = _good(faqs.read(text, languages[0]), lambda fields: faqs.faq_of(fields, languages))
    values = [({"language": language, "question": question}, {"answer": answer}) for language, question, answer in rows]
    return await _load(
        db,
        clock,
        encoder,
        creditor,
        faq,
        values,
        bad,
        dry_run,
        lambda identifier, row: index.of_faq(identifier, row["question"], row["answer"]),
    )


def _good[T](
    rows: Iterator[tuple[int, Mapping[str, str]]], read: Callable[[Mapping[str, str]], T]
) -> tuple[list[T], list[tuple[int, str]]]:
    good, bad = [], []
    for line, fields in rows:
        try:
            good.append(read(fields))
        except BadInput as error:
            bad.append((line, str(error)))
    return good, bad


async def _load(
    db: Database,
    clock: Clock,
    encoder: Encoder,
    creditor: Creditor,
    table: Any,
    rows: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    bad: Sequence[tuple[int, str]],
    dry_run: bool,
    passages_of: Callable[[str, Mapping[str, Any]], list[Passage]],
) -> Imported:
    async with db.read() as tx:
        known = {key: await _known(tx, table, creditor.key, key) for key in map(_hashable, (k for k, _ in rows))}
    changed = [
        (key, values)
        for key, values in rows
        if (row := known[_hashable(key)]) is None or any(row[name] != value for name, value in values.items())
    ]
    result = Imported(len(changed), len(rows) - len(changed), list(bad))
    if dry_run or not changed:
        return result
    passages: list[Passage] = []
    for key, values in changed:
        row = known[_hashable(key)]
        identifier = row["id"] if row else new_id()
        passages += passages_of(identifier, {**key, **values})
        values["id"] = identifier
    vectors = await index.encode(encoder, passages)  # before the transaction: it may take minutes
    now = clock.now()
    async with db.begin() as tx:
        for key, values in changed:
            if not await insert_once(tx, table, creditor_id=creditor.key, updated_at=now, **key, **values):
                await tx.execute(update(table).where(table.c.id == values["id"]).values(updated_at=now, **values))
        await index.replace(tx, CreditorKey(creditor.key), passages, vectors, index.model_of(encoder))
    return result


def _hashable(key: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(key.items())


async def _known(
    tx: AsyncConnection, table: Any, creditor: str, key: tuple[tuple[str, Any], ...]
) -> Mapping[str, Any] | None:
    query = select(table).where(table.c.creditor_id == creditor, *(table.c[name] == value for name, value in key))
    row = (await tx.execute(query)).one_or_none()
    return dict(row._mapping) if row else None
