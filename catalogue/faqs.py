"""Questions and answers from CSV (`language, question, answer`, `link`) or schema.org FAQPage JSON-LD."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from core.errors import BadInput

_COLUMNS = ("language", "question", "answer")
_LINK = "link"  # where it is published; may be left out
_TAG = re.compile(r"<[^>]+>")
_SCRIPT = re.compile(r"<script[^>]*application/ld\+json[^>]*>(.*?)</script>", re.S | re.I)


@dataclass(frozen=True, slots=True)
class Faq:
    language: str
    question: str
    answer: str
    link: str | None


def read(text: str, language: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row's line or place, and its fields; `language` where JSON-LD names none. Raises BadInput."""
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return _json_ld(text, language)
    if start == "<":
        return _json_ld(next(iter(_SCRIPT.findall(text)), ""), language)
    return _csv(text)


def faq_of(fields: Mapping[str, str], languages: list[str]) -> Faq:
    """Raises BadInput with what is wrong."""
    language, question, answer = (fields.get(name, "").strip() for name in _COLUMNS)
    if language not in languages:
        raise BadInput(f"language “{language}” is none of the creditor's: {', '.join(languages)}")
    if not question or not answer:
        raise BadInput("question or answer is empty")
    link = fields.get(_LINK, "").strip()
    if link and not link.startswith(("https://", "http://")):
        raise BadInput(f"link “{link}” is no web address")
    return Faq(language, question, answer, link or None)


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    names = rows.fieldnames or ()
    if missing := [name for name in _COLUMNS if name not in names]:
        raise BadInput(f"the header row lacks {', '.join(missing)}")
    if unknown := [name for name in names if name not in (*_COLUMNS, _LINK)]:
        raise BadInput(f"unknown column {', '.join(unknown)}")
    for row in rows:
        yield rows.line_num, {name: value or "" for name, value in row.items() if name is not None}


def _json_ld(text: str, language: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        pages = [page for page in _nodes(json.loads(text)) if "FAQPage" in _types(page)]
    except (ValueError, RecursionError):
        raise BadInput("the JSON-LD cannot be read") from None
    if not pages:
        raise BadInput("there is no FAQPage in this JSON-LD")
    questions = [
        (str(page.get("inLanguage") or language)[:2], entity)
        for page in pages
        for entity in _listed(page.get("mainEntity"))
    ]
    for number, (spoken, entity) in enumerate(questions, 1):
        answer: dict[str, Any] = next(iter(_listed(entity.get("acceptedAnswer"))), {})
        yield (
            number,
            {
                "language": spoken,
                "question": _plain(entity.get("name")),
                "answer": _plain(answer.get("text")),
                "link": str(entity.get("url") or ""),
            },
        )


def _nodes(value: Any) -> list[Any]:
    return [node for each in _listed(value) for node in _listed(each.get("@graph", each))]


def _types(node: Any) -> list[Any]:
    kinds = node.get("@type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _listed(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, dict)]


def _plain(html: Any) -> str:
    return unescape(_TAG.sub(" ", str(html or ""))).strip()
