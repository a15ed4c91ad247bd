"""Whose payment a line is: by reference, then amount and account, a claim to have paid, amount and name. Pure.

Sure is what carries a reference of ours, or comes from an account that this debtor has paid from with an amount that
this debtor owes, or is what one person says to have paid: amount and end of the account. Everything else is a
suggestion, and a person confirms it.
"""

import re
import unicodedata
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import islice

from core.ids import DebtorId, InvoiceId
from payments.references import references_in


class Rule(StrEnum):
    REFERENCE = "reference"  # ours, with check digits, or the invoice's own
    NUMBER = "number"  # the invoice's number in the payer's words
    ACCOUNT = "account"  # an account that the debtor has paid from
    CLAIM = "claim"  # somebody said to have paid from an account that ends so
    NAME = "name"  # about this name, about this amount
    ONLINE = "online"  # it may be an online payment that is booked already, paid out
    PERSON = "person"  # an agent's choice


@dataclass(frozen=True, slots=True)
class Paid:
    """What a line of a statement says of a payment. `amount` in cents."""

    amount: int
    reference: str | None = None  # structured
    text: str = ""
    end_to_end: str | None = None
    name: str | None = None
    iban: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice, open or named by a line. `open` in cents; `online`: payments that a provider has yet to pay out."""

    invoice: InvoiceId
    debtor: DebtorId
    number: str
    name: str  # the debtor's
    open: int
    due: date
    references: frozenset[str] = frozenset()
    online: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Claimed:
    """Somebody says to have paid these invoices: `amount` in cents, from an account that ends in `account_end`."""

    debtor: DebtorId
    invoices: Sequence[InvoiceId]
    amount: int | None
    account_end: str


# A payer rounds, or a bank keeps its charge: this much, or this part of what is open.
_CENTS, _PART = 100, 50


class Book:
    """What is known, found without a walk through all of it: a file has thousands of lines, a creditor more invoices.

    `links`: reference → invoices, where one is over several; `payers`: IBAN → who paid from it.
    """

    def __init__(
        self,
        owed: Iterable[Owed],
        links: Mapping[str, Sequence[InvoiceId]] | None = None,
        payers: Mapping[str, frozenset[DebtorId]] | None = None,
        claims: Iterable[Claimed] = (),
    ) -> None:
        self._owed = {each.invoice: each for each in owed}
        self._links = links or {}
        self._payers = dict(payers or {})
        self._claims: defaultdict[str, list[Claimed]] = defaultdict(list)
        for claim in claims:
            self._claims[claim.account_end].append(claim)
        self._references: defaultdict[str, set[InvoiceId]] = defaultdict(set)
        self._numbers: defaultdict[str, set[InvoiceId]] = defaultdict(set)
        self._debtors: defaultdict[DebtorId, list[InvoiceId]] = defaultdict(list)
        for key, each in self._owed.items():
            for reference in each.references:
                self._references[reference].add(key)
            self._numbers[plain(each.number)].add(key)
            self._debtors[each.debtor].append(key)
        self._amounts = sorted((each.open, key) for key, each in self._owed.items() if each.open > 0)

    def referred(self, references: Iterable[str]) -> list[Owed]:
        keys = {key for each in references for key in (*self._references.get(each, ()), *self._links.get(each, ()))}
        return [self._owed[key] for key in keys if key in self._owed]

    def numbered(self, numbers: Iterable[str]) -> list[Owed]:
        return [self._owed[key] for each in numbers for key in self._numbers.get(each, ())]

    def payers(self, iban: str | None) -> frozenset[DebtorId]:
        return self._payers.get(iban or "", frozenset())

    def claimed(self, iban: str | None) -> list[tuple[Claimed, list[Owed]]]:
        """Who says to have paid from such an account, and what is open of what they say."""
        found = [
            (claim, [self._owed[key] for key in claim.invoices if key in self._owed and self._owed[key].open > 0])
            for claim in (self._claims.get(iban[-4:], ()) if iban else ())
        ]
        return [(claim, owed) for claim, owed in found if owed]

    def open_of(self, debtor: DebtorId) -> list[Owed]:
        return [self._owed[key] for key in self._debtors.get(debtor, ()) if self._owed[key].open > 0]

    def near(self, amount: int) -> list[Owed]:
        """What is open within the tolerance of this amount."""
        first = bisect_left(self._amounts, (amount - max(_CENTS, amount // (_PART - 1) + 1), InvoiceId("")))
        found = []
        for minor, key in islice(self._amounts, first, None):
            if minor > amount + max(_CENTS, minor // _PART):
                break
            if self._owed[key].open == minor and abs(minor - amount) <= max(_CENTS, minor // _PART):
                found.append(self._owed[key])
        return found

    def settled(self, debtor: DebtorId, iban: str | None, open_now: Mapping[InvoiceId, int]) -> None:
        """Something was booked on these invoices, from this account."""
        for key, minor in open_now.items():
            if key in self._owed:
                self._owed[key] = replace(self._owed[key], open=minor)
                if minor > 0:
                    insort(self._amounts, (minor, key))
        if iban:
            self._payers[iban] = self.payers(iban) | {debtor}


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    sure: bool
    debtor: DebtorId
    invoices: Sequence[InvoiceId]  # those due first at the front


_ALIKE = 0.85  # of 1: "Fictief" and "Fictif" are, "Fictief" and "Fabeltje" are not
# A number this long, with this many digits, stands in no text by chance.
_LONG, _DIGITS = 6, 4
_WORDS_OF_A_NUMBER = 5
_READ = 500  # words of a text
_NO_NAMES = re.compile(
    r"de|heer|dhr|hr|mevrouw|mevr|mw|mej|meneer|monsieur|madame|mme|mr|mrs|ms|herr|frau|en|of|eo|cj|via|van|der|den|"
    r"ten|ter|het|la|le|du|des|von|zu|bv|nv|sa|srl|sprl|vof|gmbh"
)


def match(paid: Paid, book: Book) -> Match | None:
    """The best reading of a payment; None where nothing fits, or several fit as well."""
    known = book.payers(paid.iban)
    texts = (paid.reference, paid.text, paid.end_to_end)
    if named := book.referred(references_of(*texts)):
        return _of_named(paid, named, Rule.REFERENCE, known)
    numbered = book.numbered(numbers_of(*texts))
    # A short number may be a day or a house: only with the amount it is an invoice's.
    telling = [owed for owed in numbered if _long(owed.number)] or [o for o in numbered if o.open == paid.amount]
    if telling:
        return _of_named(paid, telling, Rule.NUMBER, known)
    found = _by_account(paid, book, known)
    if found is None or not found.sure:
        found = _by_claim(paid, book, known, sure=True) or found or _by_name(paid, book)
    found = found or _by_claim(paid, book, known, sure=False)
    if found is None and len({owed.debtor for owed in numbered}) == 1:
        return _match(Rule.NUMBER, numbered, sure=False)
    return found


def references_of(*texts: str | None) -> frozenset[str]:
    """Every reference in these texts, in the form in which it is compared; also one of the creditor's own making."""
    found = {reference.text for text in texts if text for reference in references_in(text)}
    return frozenset(found | {plain(text) for text in texts[:1] if text})


def numbers_of(*texts: str | None) -> frozenset[str]:
    """What might be an invoice's number in these texts: words, and some words in a row, as `plain` has them."""
    found = set()
    for text in texts:
        words = re.findall(r"[0-9A-Z]+", (text or "").upper())[:_READ]
        for first in range(len(words)):
            for last in range(first + 1, min(first + _WORDS_OF_A_NUMBER, len(words)) + 1):
                found.add("".join(words[first:last]))
    return frozenset(number for number in found if any(letter.isdigit() for letter in number))


def plain(text: str) -> str:
    """Letters and digits alone, in capitals."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def alike(left: str | None, right: str) -> bool:
    """Whether two names may be the same person's: a family name in common, and no first name against it."""
    ours, theirs = _words(left or ""), _words(right)
    for word in [each for each in ours if len(each) > 2]:
        for other in [each for each in theirs if len(each) > 2]:
            if _same_word(word, other):
                return _no_other_person([each for each in ours if each != word], [e for e in theirs if e != other])
    return False


def _of_named(paid: Paid, named: Sequence[Owed], rule: Rule, known: frozenset[DebtorId]) -> Match | None:
    if len({owed.debtor for owed in named}) > 1:
        return None
    payer = named[0].debtor in known or alike(paid.name, named[0].name)
    if not payer and any(paid.amount in owed.online for owed in named):
        return _match(Rule.ONLINE, named, sure=False)
    return _match(rule, named, sure=True)


def _by_account(paid: Paid, book: Book, known: frozenset[DebtorId]) -> Match | None:
    theirs = {debtor: book.open_of(debtor) for debtor in known}
    exact = [owed for each in theirs.values() for owed in each if owed.open == paid.amount]
    if not exact:
        exact = [owed for each in theirs.values() if sum(owed.open for owed in each) == paid.amount for owed in each]
        if len({owed.debtor for owed in exact}) == 1:
            return _match(Rule.ACCOUNT, exact, sure=True)
    elif len({owed.debtor for owed in exact}) == 1:
        return _match(Rule.ACCOUNT, [_first(exact)], sure=True)
    open_now = [owed for each in theirs.values() for owed in each]
    if not exact and len({owed.debtor for owed in open_now}) == 1:  # a part of it, say
        return _match(Rule.ACCOUNT, [_first(open_now)], sure=False)
    return None


def _by_claim(paid: Paid, book: Book, known: frozenset[DebtorId], *, sure: bool) -> Match | None:
    """What one person says to have paid from an account that ends so: exactly this amount, or (not sure) another."""
    fitting = [
        (claim.debtor, owed)
        for claim, owed in book.claimed(paid.iban)
        # Whose account it is may be known better.
        if (claim.amount == paid.amount) is sure and (not known or claim.debtor in known)
    ]
    if len({debtor for debtor, _ in fitting}) != 1:
        return None
    owed = {each.invoice: each for _, found in fitting for each in found}
    return _match(Rule.CLAIM, owed.values(), sure=sure)


def _by_name(paid: Paid, book: Book) -> Match | None:
    near = book.near(paid.amount) if paid.name else []
    names = {name for name in {owed.name for owed in near} if alike(paid.name, name)}
    near = [owed for owed in near if owed.name in names]
    exact = [owed for owed in near if owed.open == paid.amount] or near
    if len({owed.debtor for owed in exact}) != 1:
        return None
    return _match(Rule.NAME, [_first(exact)], sure=False)


def _match(rule: Rule, owed: Iterable[Owed], *, sure: bool) -> Match:
    ordered = sorted(owed, key=lambda each: (each.due, each.number))
    return Match(rule, sure, ordered[0].debtor, [each.invoice for each in ordered])


def _first(owed: Sequence[Owed]) -> Owed:
    return min(owed, key=lambda each: (each.due, each.number))


def _long(number: str) -> bool:
    compact = plain(number)
    return len(compact) >= _LONG and sum(letter.isdigit() for letter in compact) >= _DIGITS


def _words(name: str) -> list[str]:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return [word for word in re.findall(r"[a-z]+", letters) if not _NO_NAMES.fullmatch(word)]


def _same_word(one: str, other: str) -> bool:
    if one == other:
        return True
    both = SequenceMatcher(None, one, other)
    return both.real_quick_ratio() >= _ALIKE and both.quick_ratio() >= _ALIKE and both.ratio() >= _ALIKE


def _no_other_person(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Of what is left (first names, initials, a partner's name) something fits, or one side says nothing more."""
    if not ours or not theirs:
        return True
    return any(
        one.startswith(other) or other.startswith(one) or _same_word(one, other) for one in ours for other in theirs
    )
