"""What stands in a cell of an imported file. Each reader raises BadInput with the reason."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from core.errors import BadInput
from core.money import Money

MAX_MINOR = 10**15

# What CLDR lists besides countries: groups of them, and unknown ones.
_NO_COUNTRIES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}


def text(length: int = 2_000) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if len(cell) > length:
            raise BadInput(f"longer than {length} characters")
        if any(ord(character) < 32 and character not in "\t\r\n" for character in cell):
            raise BadInput("contains a control character")
        return cell

    return read


def one_of(*allowed: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell.lower() not in allowed:
            raise BadInput(f"“{cell}” is none of {', '.join(allowed)}")
        return cell.lower()

    return read


def yes_no(cell: str) -> bool:
    return one_of("yes", "no")(cell) == "yes"


def day(cell: str) -> date:
    try:
        return date.fromisoformat(_extended(cell))
    except ValueError:
        raise BadInput(f"“{cell}” is not a date; write it as 2026-11-30") from None


def past_day(today: date) -> Callable[[str], date]:
    def read(cell: str) -> date:
        value = day(cell)
        if not date(1890, 1, 1) <= value <= today:
            raise BadInput(f"“{cell}” is not a date of birth")
        return value

    return read


def moment(zone: ZoneInfo) -> Callable[[str], datetime]:
    """A moment; without an offset it is in the creditor's time zone."""

    def read(cell: str) -> datetime:
        try:
            value = datetime.fromisoformat(_extended(cell))
        except ValueError:
            raise BadInput(f"“{cell}” is not a moment; write it as 2026-11-30T14:05:00+01:00") from None
        return value if value.tzinfo else value.replace(tzinfo=zone)

    return read


def day_of_moment(zone: ZoneInfo) -> Callable[[str], date]:
    """A date, or the date of a moment as the creditor's clock shows it."""

    def read(cell: str) -> date:
        return day(cell) if len(cell) <= 10 else moment(zone)(cell).astimezone(zone).date()

    return read


def amount(cell: str) -> str:
    """An amount that may be owed, still without its currency: `1234.56`."""
    if not re.fullmatch(r"\d{1,12}(\.\d+)?", cell):
        raise BadInput(f"“{cell}” is not an amount; write it as 1234.56")
    return cell


def money(cell: str, currency: str) -> Money:
    value = Money.parse(cell, currency)
    if value.minor > MAX_MINOR:
        raise BadInput(f"“{cell}” is too much")
    return value


def currency(cell: str) -> str:
    """Balances, links, plans and statements are in euros, and one of them in two currencies has no sum."""
    if cell.upper() != "EUR":
        raise BadInput(f"“{cell}” cannot be collected here: the currency of an invoice is EUR")
    return "EUR"


def country(cell: str) -> str:
    code = cell.upper()
    if len(code) != 2 or code in _NO_COUNTRIES or code not in Locale("en").territories:
        raise BadInput(f"“{cell}” is not a country code; write it as NL or BE")
    return code


def phone(cell: str) -> str:
    number = re.sub(r"[\s().-]", "", cell)
    if not re.fullmatch(r"\+[1-9]\d{6,14}", number):
        raise BadInput(f"“{cell}” is not an E.164 number; write it as +31612345678")
    return number


def email(cell: str) -> str:
    if len(cell) > 254 or not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]+", cell):
        raise BadInput(f"“{cell}” is not an e-mail address")
    return cell


def endpoint(cell: str) -> str:
    """Where a party receives e-invoices, as the Peppol network writes it: `0208:0123456789`."""
    if len(cell) > 80 or not re.fullmatch(r"[0-9A-Z]{2,6}:\S+", cell):
        raise BadInput(f"“{cell}” is not an endpoint; write it as 0208:0123456789")
    return cell


def address(cell: str) -> str:
    if not re.fullmatch(r"https?://[^\s\"<>]+", text()(cell)):
        raise BadInput(f"“{cell}” is not an address; write it as https://…")
    return cell


def postcode(cell: str, country: str) -> str:
    """As the country writes it: `1234 AB`, `1000`."""
    compact = re.sub(r"\s", "", cell).upper()
    if country == "NL":
        if not re.fullmatch(r"[1-9]\d{3}[A-Z]{2}", compact):
            raise BadInput(f"“{cell}” is not a Dutch postcode; write it as 1234 AB")
        return f"{compact[:4]} {compact[4:]}"
    if country == "BE":
        digits = compact.removeprefix("B-")
        if not re.fullmatch(r"[1-9]\d{3}", digits):
            raise BadInput(f"“{cell}” is not a Belgian postcode; write it as 1000")
        return digits
    return text(16)(" ".join(cell.upper().split()))


def _extended(cell: str) -> str:
    """Only the extended form: Python would read `20261130` and `2026-W48` too, and people mean other things by them."""
    if not re.match(r"\d{4}-\d\d-\d\d(?!\d)", cell):
        raise ValueError(cell)
    return cell


def changed(row: Any, values: dict[str, Any]) -> bool:
    """Whether a stored row says anything else."""
    return any(getattr(row, name) != value for name, value in values.items())
