"""The values in a message that a form or an action can use: candidates, the form that asks decides what a number is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from understanding import days, numbers
from understanding.text import LIMIT


@dataclass(frozen=True, order=True)
class Entity:
    """start, end: where it stands in the text (end exclusive); entity: its kind; value: in its canonical form."""

    start: int
    end: int
    entity: str
    value: str

    def as_json(self) -> dict[str, str | int]:
        return {"entity": self.entity, "value": self.value, "start": self.start, "end": self.end}


def find(text: str) -> list[Entity]:
    """All values of a message as they stand in it; one number may be several kinds of value.

    amount: `1250.00`, in euros. postcode: `1234AB`, or four or five digits. house_number: `12`, `12B`. language: nl,
    en, fr, de, and some that are asked for though we do not speak them. customer_number, invoice_number, order_number:
    in capitals, as the form of the number or the word before it tells; reference: any other token that could be one of
    them. iban: its check digits are right; phone: `+31612345678`, or as many digits without a prefix. date: ISO 8601
    where the year is said, else the words, which the day of writing makes a day (the form that asks reads them).
    """
    text = text[:LIMIT]
    amounts = [*_amounts(text), *_amounts_in_words(text)]
    taken = [(entity.start, entity.end) for entity in amounts]
    taken += [match.span() for match in _NO_REFERENCE.finditer(text)]
    postcodes = list(_postcodes(text, taken))
    found = {*amounts, *postcodes, *_references(text, taken, postcodes), *_house_numbers(text), *_languages(text)}
    found |= {*_ibans(text), *_phones(text), *_dates(text)}
    if lone := _LONE_NUMBER.fullmatch(text):
        value = _money(lone[1])
        if value is not None:
            found.add(Entity(*lone.span(1), "amount", value))
    return sorted(found)


_NUMBER = (
    r"(?:\d{1,3}(?:[. \u00a0\u202f]\d{3})+(?:,\d{1,2})?|\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?)(?!\d)"
)
_EURO = r"(?:€|eur(?:o|os|ootjes|otjes)?\b|balles\b)"
_AMOUNT = re.compile(
    rf"€\s?(?P<after>{_NUMBER})(?:,-)?"
    rf"|\beur(?:o|os)?\s(?P<named>{_NUMBER})(?!\s?{_EURO})"
    rf"|(?<![\w.,-])(?P<whole>\d{{1,6}})\s?{_EURO}\s?(?P<cents>\d{{2}})(?![\w.,])"
    rf"|(?<![\w.,-])(?P<before>{_NUMBER})(?:,-)?\s?{_EURO}"
    r"|(?<![\w.,:/-])(?P<bare>\d{1,6}[.,]\d{2})(?![\w:/-]|[.,]\d)",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 60  # characters, in words
_LONE_NUMBER = re.compile(r"\W*(\d{1,6})\W*")


def _amounts(text: str) -> Iterator[Entity]:
    for match in _AMOUNT.finditer(text):
        if match["whole"]:
            value: str | None = f"{int(match['whole'])}.{match['cents']}"
        else:
            value = _money(match["after"] or match["named"] or match["before"] or match["bare"])
        if value is not None:
            yield Entity(*match.span(), "amount", value)


def _amounts_in_words(text: str) -> Iterator[Entity]:
    for match in re.finditer(rf"\s?{_EURO}", text, re.IGNORECASE):
        number = numbers.before(text[max(0, match.start() - _LONGEST_NUMBER) : match.start()])
        if number is not None:
            start = max(0, match.start() - _LONGEST_NUMBER) + number[1]
            yield Entity(start, match.end(), "amount", f"{number[0]}.00")


def _money(number: str) -> str | None:
    """`1.250,5` → `1250.50`: a last point or comma before one or two digits begins the cents."""
    match = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", number)
    digits = re.sub(r"\D", "", match[1]) if match else ""
    if not match or not digits or not digits.isascii():
        return None
    return f"{int(digits)}.{(match[2] or '').ljust(2, '0')}"


_POSTCODE_NL = re.compile(r"(?<![\w-])([1-9]\d{3})(\s?)([a-z]{2})(?![\w-])", re.IGNORECASE | re.ASCII)
_POSTCODE_DIGITS = re.compile(
    r"(?<![\w.,:/+-])(?:(?:b|d|f)-)?([1-9]\d{3}|\d{5})(?![\w:/-]|[.,]\d)", re.IGNORECASE | re.ASCII
)
# In small letters after a space these are words, not the end of a postcode
_TWO_LETTERS = frozenset(
    """
    al an as at au be bv by ce ch ci cm da de di dm do du eh el en er es et eu ff go he hm ik il im in
    is it ja je ke kg km la le li lo ma me ml mm mn mr my na ne ni nl no nr nu of oh ok om on op or ou
    pm qu sa se si so ss st su ta te th to tu tv ua un up us uw va vd ve we wo za ze zn zo
    """.split()  # noqa: SIM905
)


def _postcodes(text: str, taken: list[tuple[int, int]]) -> Iterator[Entity]:
    for match in _POSTCODE_NL.finditer(text):
        letters = match[3]
        if letters.isupper() or not match[2] or letters.lower() not in _TWO_LETTERS:
            yield Entity(*match.span(), "postcode", f"{match[1]}{letters.upper()}")
    for match in _POSTCODE_DIGITS.finditer(text):
        if not _overlaps(match.span(), taken):
            yield Entity(*match.span(), "postcode", match[1])


_FORMS = {
    "customer_number": re.compile(r"K-?\d{3,}"),
    "invoice_number": re.compile(r"(?:F-?)?(?:19|20)\d\d-\d{3,}|(?:F|INV)-?\d{4,}"),
    "order_number": re.compile(r"B-?\d{3,}"),
}
_CUE = r"(?:\s?(?:-?(?:nummer|number|num[ée]ro|nr|no|n°|num|id)(?!\w)[.:]?|#|:|is\b|met\b|=))*\s*[:#]?\s*$"
_CUES = {
    "invoice_number": re.compile(r"(?:factu(?:ur|re)|invoice|bill|rekening|rechnungs?|inv)" + _CUE, re.IGNORECASE),
    "customer_number": re.compile(r"(?:klant(?:en)?|customer|clients?|kunden?|account)" + _CUE, re.IGNORECASE),
    "order_number": re.compile(
        r"(?:bestel(?:ling|lings)?|orders?|commande|bestell(?:ung)?(?:s)?|auftrags?)" + _CUE, re.IGNORECASE
    ),
}
_TOKEN = re.compile(
    r"(?<![\w@.,+/-])[a-z]{0,8}(?:[-/]?\d[a-z\d]*)(?:[-/.][a-z\d]+)*(?![\w@-]|[.,]\d)", re.IGNORECASE | re.ASCII
)
# Dates, times, bank accounts, phone numbers and mail addresses are no references
_NO_REFERENCE = re.compile(
    r"\b\d{4}-\d\d?-\d\d?\b|\b\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?\b|\b\d{1,2}[:.u]\d\d\b|\b[A-Z]{2}\d\d(?:\s?[A-Z0-9]{2,4}){3,8}\b"
    r"|(?:\+|\b00)\d[\d\s/.-]{7,}\d|\b0\d[\d\s/.-]{6,}\d\b|\S+@\S+|https?://\S+",
    re.IGNORECASE,
)


def _references(text: str, taken: list[tuple[int, int]], postcodes: list[Entity]) -> Iterator[Entity]:
    dutch = [(entity.start, entity.end) for entity in postcodes if entity.value[-1:].isalpha()]
    for match in _TOKEN.finditer(text):
        value = match[0].upper()
        kind = next((name for name, form in _FORMS.items() if form.fullmatch(value)), None)
        if kind is None and (sum(c.isdigit() for c in value) < 4 or _overlaps(match.span(), taken + dutch)):
            continue
        cued = next(
            (name for name, cue in _CUES.items() if cue.search(text[max(0, match.start() - 40) : match.start()])), None
        )
        yield Entity(*match.span(), kind or cued or "reference", value)


_STREET = (
    r"\w*(?:straat|laan|weg|plein|kade|gracht|dreef|hof|steenweg|singel"
    r"|stra(?:ss|ß)e|platz|allee|gasse|street|road|lane)"
)
_HOUSE = re.compile(
    rf"(?:\b(?:huisnummer|huisnr|nummer|number|house|num[ée]ro|n°|nr|no|hausnummer)\.?\s?:?\s?|\b{_STREET}\s"
    r"|\b[1-9]\d{3}\s?[A-Z]{2}[,\s]+|\b(?:rue|avenue|chauss[ée]e|place|boulevard)\s(?:\w+[\s'-]){1,4}|^\W*)"
    r"(?P<number>\d{1,4})\s?(?P<letter>(?-i:[A-Za-z])\b|bis\b)?(?![\w.,/-]|\s?\d)",
    re.IGNORECASE,
)


def _house_numbers(text: str) -> Iterator[Entity]:
    for match in _HOUSE.finditer(text):
        opens = not text[: match.start("number")].strip()
        if opens and text[match.end() :].strip(" .!"):
            continue  # a number that begins a sentence is none
        yield Entity(
            match.start("number"),
            match.end(),
            "house_number",
            f"{int(match['number'])}{(match['letter'] or '').upper()}",
        )


_LANGUAGE = re.compile(
    r"\b(?:(?P<nl>nederlands|nederlandse|vlaams|hollands|dutch|flemish|n[ée]erlandais|flamand|niederl[äa]e?ndisch|fl[äa]e?misch)"
    r"|(?P<en>engels|engelse|english|anglais|englisch)|(?P<fr>frans|franse|french|fran[çc]ais|franz[öo]e?sisch)"
    r"|(?P<de>duits|duitse|german|allemand|deutsch)|(?P<es>spaans|spanish|espagnol|spanisch|espa[ñn]ol)"
    r"|(?P<it>italiaans|italian|italien|italienisch|italiano)|(?P<pt>portugees|portuguese|portugais|portugiesisch|portugu[êe]s)"
    r"|(?P<pl>pools|polish|polonais|polnisch|po polsku)|(?P<tr>turks|turkish|turc|t[üu]rkisch|t[üu]rk[çc]e)"
    r"|(?P<ar>arabisch|arabic|arabe)|(?P<ru>russisch|russian|russe)|(?P<ro>roemeens|romanian|roumain|rum[äa]nisch)"
    r"|(?P<uk>oekra[iï]ens|ukrainian|ukrainien|ukrainisch))\b",
    re.IGNORECASE,
)


def _languages(text: str) -> Iterator[Entity]:
    for match in _LANGUAGE.finditer(text):
        yield Entity(*match.span(), "language", str(match.lastgroup))


_IBAN = re.compile(r"(?<![\w+])[A-Z]{2}\d\d(?:\s?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE | re.ASCII)


def _ibans(text: str) -> Iterator[Entity]:
    for match in _IBAN.finditer(text):
        # Words may follow: the longest beginning, group by group, of which the check digits are right.
        for end in reversed([place.start() for place in re.finditer(r"\s|$", match[0])]):
            value = re.sub(r"\s", "", match[0][:end]).upper()
            if 15 <= len(value) <= 34 and _checks(value):
                yield Entity(match.start(), match.start() + end, "iban", value)
                break


def _checks(iban: str) -> bool:
    """ISO 7064, modulus 97."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


_PHONE = re.compile(r"(?<![\w.,+/-])(?:\+|00(?=[1-9])|0(?=[1-9]))(?:[\s./()-]{0,2}\d){8,13}(?![\w-]|[.,]\d)", re.ASCII)


def _phones(text: str) -> Iterator[Entity]:
    ibans = [match.span() for match in _IBAN.finditer(text)]
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0].replace("(0)", ""))
        abroad = match[0][0] == "+" or digits.startswith("00")
        if not _overlaps(match.span(), ibans):
            yield Entity(*match.span(), "phone", f"+{digits.removeprefix('00')}" if abroad else digits)


def _dates(text: str) -> Iterator[Entity]:
    for start, end, value in days.find(text):
        yield Entity(start, end, "date", value)


def _overlaps(span: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
