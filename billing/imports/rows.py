"""Reading a CSV file: every bad row is named with its line and reason, the good ones load."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import BadInput
from core.imported import Imported
from store.database import Database

# Rows in one transaction: SQLite's other writers wait for it.
_CHUNK = 200

# Makes a value of a cell. Raises BadInput with the reason.
Reader = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Column:
    read: Reader
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`values` has the columns that the file has; an empty cell is None."""

    line: int
    values: Mapping[str, Any]


# What became of each row of a chunk: True where it changed something, or the reason why it is bad.
Outcome = bool | str
Store = Callable[[AsyncConnection, Sequence[Row]], Awaitable[Sequence[Outcome]]]


async def load(
    database: Database,
    content: bytes,
    columns: Mapping[str, Column],
    key: str | tuple[str, ...],
    store: Store,
    *,
    dry_run: bool,
) -> Imported:
    """Read the file and store its good rows; `key` has the columns that together may name a thing only once.

    Where the file as a whole cannot be understood (no UTF-8, an unknown column, a required one missing) nothing is
    loaded, and the result says why. A dry run stores nothing.
    """
    result = Imported()
    for chunk in batched(read(content, columns, key, result.bad), _CHUNK):
        async with database.begin() as tx:
            for row, outcome in zip(chunk, await store(tx, chunk), strict=True):
                if isinstance(outcome, str):
                    result.bad.append((row.line, outcome))
                elif outcome:
                    result.loaded += 1
                else:
                    result.unchanged += 1
            if dry_run:
                await tx.rollback()
    result.bad.sort()
    return result


def read(
    content: bytes, columns: Mapping[str, Column], key: str | tuple[str, ...], bad: list[tuple[int, str]]
) -> list[Row]:
    """The good rows; what is wrong with the others goes to `bad`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        bad.append((line, "this is not UTF-8; save the file as “CSV UTF-8”"))
        return []
    first = text.partition("\n")[0]
    # newline="" keeps line breaks inside quotes; the csv module counts them.
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
    )
    records = _records(lines, bad)
    _, cells = next(records, (1, []))
    header = [name.strip().lower() for name in cells]
    bad.extend((1, reason) for reason in _wrong_with(header, columns))
    return [] if bad else _rows(records, header, columns, (key,) if isinstance(key, str) else key, bad)


def _records(lines: Any, bad: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each record; a quoted cell may span lines: the record is named by its first."""
    while True:
        line = lines.line_num + 1
        try:
            yield line, next(lines)
        except csv.Error as error:
            bad.append((line, f"this is not CSV: {error}"))
        except StopIteration:
            return


def _wrong_with(header: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    known = ", ".join(columns)
    wrong = [f"the column “{name}” is not known; known are: {known}" for name in header if name not in columns]
    wrong += [f"the column “{name}” stands here twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    missing = [name for name, column in columns.items() if column.required and name not in header]
    return wrong + [f"the column “{name}” is missing" for name in missing]


def _rows(
    records: Iterator[tuple[int, list[str]]],
    header: Sequence[str],
    columns: Mapping[str, Column],
    key: tuple[str, ...],
    bad: list[tuple[int, str]],
) -> list[Row]:
    rows: list[Row] = []
    seen: dict[tuple[Any, ...], int] = {}
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            values = _values(cells, header, columns)
            identity = tuple(values[name] for name in key)
            if identity in seen:
                named = ", ".join(f"{name} “{values[name]}”" for name in key)
                raise BadInput(f"{named} stands on line {seen[identity]} already")
        except BadInput as error:
            bad.append((line, str(error)))
            continue
        seen[identity] = line
        rows.append(Row(line, values))
    return rows


def _values(cells: Sequence[str], header: Sequence[str], columns: Mapping[str, Column]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise BadInput(f"{len(cells)} cells under {len(header)} columns")
    values: dict[str, Any] = {}
    wrong = []
    for name, cell in zip(header, cells, strict=True):
        cell = cell.strip()
        if not cell:
            values[name] = None
            if columns[name].required:
                wrong.append(f"{name} is empty")
            continue
        try:
            values[name] = columns[name].read(cell)
        except BadInput as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise BadInput("; ".join(wrong))
    return values
