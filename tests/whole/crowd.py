"""Customers made up for a run, each with a name and invoices like nobody else's: a word gives away whose it is."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from babel.dates import format_date

from app.imports import load
from app.settings import Settings
from core.clock import Clock
from store.database import Database

LANGUAGES = ("nl", "en", "fr", "de")
_PLACES = {"nl": ("NL", "{0} KZ", "Utrecht"), "en": ("NL", "{0} VW", "Utrecht"), "fr": ("BE", "{0}", "Namur"),
           "de": ("DE", "5{0}", "Aachen")}  # fmt: skip
_COUNTS = (0, 1, 1, 2, 3, 12)


@dataclass(frozen=True)
class Debt:
    number: str
    cents: int
    issued: date
    due: date


@dataclass(frozen=True)
class Customer:
    seed: int
    language: str
    phone: str
    postcode: str
    house_number: int
    debts: Sequence[Debt] = field(default_factory=list)
    country: str = "NL"
    city: str = "Utrecht"

    @property
    def number(self) -> str:
        return f"K-7{self.seed:05}"

    @property
    def name(self) -> str:
        return f"Zz{self.seed}quist"

    @property
    def secrets(self) -> set[str]:
        """Words that nobody else may hear, and they themselves only when verified."""
        return {self.name, *(debt.number for debt in self.debts)}

    @property
    def days(self) -> set[str]:
        """The due dates, as any language writes them; dates are not one person's alone."""
        return {format_date(debt.due, "d MMMM", locale=language) for debt in self.debts for language in LANGUAGES}


def customer(seed: int, today: date) -> Customer:
    chance = Random(seed)
    language = LANGUAGES[seed % len(LANGUAGES)]
    debts = []
    for place in range(chance.choice(_COUNTS)):
        serial = seed * 16 + place
        due = today + timedelta(days=chance.choice((-200, -50, -9, 40, 75)))
        cents = chance.choice((500, 4_990, 12_037, 61_250))
        debts.append(Debt(f"2025-7{serial:05}", cents, due - timedelta(days=90), due))
    country, postcode, city = _PLACES[language]
    postcode = postcode.format(1000 + chance.randrange(8999))
    return Customer(
        seed, language, f"+3168{seed:07}", postcode, 1 + chance.randrange(200), debts, country=country, city=city
    )


async def settle_in(db: Database, clock: Clock, settings: Settings, people: Sequence[Customer]) -> None:
    """Give the demo shop these customers."""
    debtors = [
        {
            "customer_number": each.number,
            "kind": "consumer",
            "name": f"Robin {each.name}",
            "phone": each.phone,
            "street": "Mosstraat",
            "house_number": each.house_number,
            "postcode": each.postcode,
            "city": each.city,
            "country": each.country,
            "language": each.language,
            "marketing_consent": "no",
        }
        for each in people
    ]
    invoices = [
        {
            "invoice_number": debt.number,
            "customer_number": each.number,
            "issue_date": debt.issued.isoformat(),
            "due_date": debt.due.isoformat(),
            "currency": "EUR",
            "amount": f"{debt.cents / 100:.2f}",
            "open_amount": f"{debt.cents / 100:.2f}",
            "description": "Planten",
        }
        for each in people
        for debt in each.debts
    ]
    for kind, rows in (("debtors", debtors), ("invoices", invoices)):
        if rows:
            file = io.StringIO()
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
            result = await load(db, clock, settings, kind, file.getvalue().encode(), "bloem")
            assert not result.bad, result.bad


def words(text: str) -> set[str]:
    """The words of a message, without the signs around them: to look secrets up in."""
    return {word.strip(".,:;()“”\"'") for word in re.split(r"[\s\u00a0\u202f€]+", text)}
