"""Products from a Google Merchant feed: RSS 2.0 XML with `g:` fields, or TSV.

Source: Google Merchant Center, product data specification (support.google.com/merchants/answer/7052112).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring

from core.errors import BadInput
from core.money import Money

_G = "{http://base.google.com/ns/1.0}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_NEEDED = ("id", "title", "description", "link")


@dataclass(frozen=True, slots=True)
class Product:
    external_id: str
    title: str
    description: str
    link: str
    image: str | None
    price: Money | None
    availability: str | None
    attributes: Mapping[str, str]


def read(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each product's line or place, and its fields by name. Raises BadInput for a file that is no feed."""
    return _xml(text) if text.lstrip().startswith("<") else _tsv(text)


def product_of(fields: Mapping[str, str]) -> Product:
    """Raises BadInput with what is wrong."""
    for name in _NEEDED:
        if not fields.get(name, "").strip():
            raise BadInput(f"{name} is missing")
    if not fields["link"].startswith(("https://", "http://")):
        raise BadInput(f"link “{fields['link']}” is no web address")
    known = {*_NEEDED, "image_link", "price", "availability"}
    return Product(
        external_id=fields["id"].strip(),
        title=fields["title"].strip(),
        description=fields["description"].strip(),
        link=fields["link"].strip(),
        image=fields.get("image_link") or None,
        price=_price(fields.get("price", "")),
        availability=fields.get("availability", "").strip().replace(" ", "_") or None,
        attributes={name: value for name, value in fields.items() if name not in known and value},
    )


def _price(text: str) -> Money | None:
    """`29.95 EUR`."""
    if not text.strip():
        return None
    amount, _, currency = text.strip().partition(" ")
    if len(currency) != 3:
        raise BadInput(f"price “{text}” is not of the form 29.95 EUR")
    return Money.parse(amount, currency.upper())


def _tsv(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise BadInput(f"the header row lacks {', '.join(missing)}")
    for row in rows:
        yield rows.line_num, {name: value or "" for name, value in row.items() if name is not None}


def _xml(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        root: Element = fromstring(text.encode("utf-8"), forbid_dtd=True)
    except (ParseError, ValueError) as error:
        raise BadInput(f"the XML cannot be read: {error}") from None
    items: list[Any] = [*root.iter("item"), *root.iter(f"{_ATOM}entry")]
    if not items:
        raise BadInput("there is no <item> in this feed")
    for number, item in enumerate(items, 1):
        fields: dict[str, str] = {}
        for child in item:
            # `g:title` wins over the feed's own `title`.
            name = child.tag.removeprefix(_G).removeprefix(_ATOM)
            if child.tag.startswith(_G) or name not in fields:
                fields[name] = (child.text or child.get("href") or "").strip()
        yield number, fields
