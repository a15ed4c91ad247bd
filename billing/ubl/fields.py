"""Reading an element: a text, a number, an amount. Each raises BadInput with the element that is missing or wrong."""

import re
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from billing.imports import cells
from billing.ubl.tree import NAMES
from core.errors import BadInput
from core.money import Money


def amount(node: Element, path: str, currency: str, default: str | None = None) -> Money:
    """An amount in the currency of the document, with no more decimals than that knows."""
    if default is not None and node.find(path, NAMES) is None:
        return Money.parse(default, currency)
    value = number(node, path)
    if (stated := currency_of(node, path)) != currency:
        raise BadInput(f"{plain(path)} is in {stated or 'no currency'}, the document in {currency}")
    try:
        money = Money.parse(f"{value:f}", currency)
    except BadInput as error:
        raise BadInput(f"{plain(path)}: {error}") from None
    if abs(money.minor) > cells.MAX_MINOR:
        raise BadInput(f"{plain(path)} is too much")
    return money


def currency_of(node: Element, path: str) -> str | None:
    found = node.find(path, NAMES)
    return None if found is None else found.get("currencyID")


def number(node: Element, path: str, default: str | None = None) -> Decimal:
    found = text(node, path) or default or need(node, path)
    if not re.fullmatch(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})", found):
        raise BadInput(f"{plain(path)} “{found[:20]}” is not a number; write it as 1234.56")
    return Decimal(found)


def day(node: Element, path: str) -> date:
    return cells.day(need(node, path))


def need(node: Element, path: str) -> str:
    if value := text(node, path):
        return value
    raise BadInput(f"{plain(path)} is missing")


def text(node: Element, path: str) -> str | None:
    return next(iter(texts(node, path)), None)


def texts(node: Element, path: str) -> list[str]:
    return [found for each in node.findall(path, NAMES) if (found := " ".join((each.text or "").split()))]


def plain(path: str) -> str:
    return re.sub(r"c[ab]c:", "", path)
