"""Payment references: what a payer copies, and a statement gives back.

Three are known, each with check digits: the SEPA creditor reference (ISO 11649), the Belgian structured communication
(OGM-VCS) and the Dutch betalingskenmerk. Each has one form in which it is stored and compared:
`RF18539007547034`, `+++090/9337/55493+++`, `5000056789012345`.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from stdnum import iso11649
from stdnum.be import ogm_vcs
from stdnum.iso7064 import mod_97_10

from core.errors import BadInput

_MAX = 21  # characters of an ISO 11649 reference after the check digits
# From the right, repeated (Betaalvereniging Nederland, "De specificaties van het Nederlandse betalingskenmerk").
_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)
_READ = 10_000  # characters of a text: a statement's line has 140, and nobody writes more
_DUTCH_LENGTHS = (9, 10, 11, 12, 13, 14, 16)  # 7 digits have no check digit: any number would be one
_RF = re.compile(r"(?<![0-9A-Z])(?=(RF[0-9]{2}(?:[\s.\-]{0,3}[0-9A-Z]){1,21}))")  # one may begin inside another's run
_DIGITS = re.compile(r"(?<![0-9A-Z])\d+(?:[\s./+*\-]{1,5}\d+)*(?![0-9A-Z])", re.ASCII)


class Kind(StrEnum):
    ISO11649 = "iso11649"
    OGM = "ogm"
    BETALINGSKENMERK = "betalingskenmerk"


@dataclass(frozen=True, slots=True)
class Reference:
    kind: Kind
    text: str  # as it is stored


def reference_of(kind: Kind, number: str) -> str:
    """A reference of this kind for an invoice's number; always the same for the same number.

    ISO 11649 keeps letters and digits. The other two have digits alone: a number without letters is kept, any other is
    drawn from its hash, so that two numbers may rarely share one (`billing.links` looks). Raises BadInput where nothing
    is left of the number, or more than an ISO 11649 reference holds.
    """
    if kind is Kind.ISO11649:
        return creditor_reference(number)
    return structured_communication(_digits(number, 10)) if kind is Kind.OGM else betalingskenmerk(_digits(number, 15))


def creditor_reference(number: str) -> str:
    """`RFkk…` from an invoice number: its letters and digits, in capitals (ISO 11649, modulo 97).

    Raises BadInput where nothing is left of the number, or more than 21 characters.
    """
    body = re.sub(r"[^0-9A-Z]", "", number.upper())
    if not 1 <= len(body) <= _MAX:
        raise BadInput("a creditor reference has 1 to 21 letters and digits")
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def structured_communication(digits: str) -> str:
    """`+++ddd/dddd/ddddd+++` from up to ten digits (OGM-VCS, modulo 97, 97 for a remainder of 0).

    Raises BadInput for anything else, and for nothing but zeros.
    """
    if not re.fullmatch(r"[0-9]{1,10}", digits) or not int(digits):
        raise BadInput("a structured communication has 1 to 10 digits, not all of them 0")
    body = digits.zfill(10)
    return _ogm(body + ogm_vcs.calc_check_digits(body))


def betalingskenmerk(digits: str) -> str:
    """16 digits, the check digit first, from up to 15 (weighted modulo 11). Raises BadInput for anything else."""
    if not re.fullmatch(r"[0-9]{1,15}", digits) or not int(digits):
        raise BadInput("a betalingskenmerk has 1 to 15 digits before its check digit, not all of them 0")
    body = digits.zfill(15)
    return _dutch_check(body) + body


def is_creditor_reference(text: str) -> bool:
    """Whether it is an ISO 11649 reference with the right check digits; spaces do not matter."""
    compact = _compact(text)
    return bool(re.fullmatch(r"RF[0-9]{2}[0-9A-Z]{1,21}", compact)) and iso11649.is_valid(compact)


def is_structured_communication(text: str) -> bool:
    """Whether it is an OGM-VCS with the right check digits: `+++ddd/dddd/ddddd+++`, `***…***`, or its twelve digits."""
    return _ogm_digits(text) is not None


def is_betalingskenmerk(text: str) -> bool:
    """Whether it is a Dutch reference of 16 digits, or of 9 to 14 with their length code, and checks out."""
    compact = _compact(text)
    if not re.fullmatch(r"[0-9]+", compact) or len(compact) not in _DUTCH_LENGTHS or not int(compact):
        return False
    if len(compact) < 16 and int(compact[1]) != (len(compact) - 2) % 10:
        return False
    return _dutch_check(compact[1:]) == compact[0]


def stored(text: str, kind: Kind) -> str:
    """The form in which a reference that somebody wrote is kept and compared; anything else as it is.

    Twelve digits without their signs are a structured communication only where `kind` says that such are used.
    """
    if is_creditor_reference(text):
        return _compact(text)
    digits = _ogm_digits(text)
    if digits is not None and (kind is Kind.OGM or "/" in text):
        return _ogm(digits)
    return _compact(text) if kind is Kind.BETALINGSKENMERK and is_betalingskenmerk(text) else text


def references_in(text: str) -> list[Reference]:
    """Every reference that can be read in a free text (a statement's line, a message), in the order of the text.

    Spaces, line breaks, dots and hyphens inside one do not matter. A reading that checks out by chance is listed as
    well: what is known decides between them.
    """
    found: dict[Reference, int] = {}
    taken: list[tuple[int, int]] = []  # by creditor references: digits inside one are no other reference
    capitals = text[:_READ].upper()
    for match in _RF.finditer(capitals):
        for reading, start, end in _windows(match[1], match.start(), from_start=True):
            if is_creditor_reference(reading):
                found.setdefault(Reference(Kind.ISO11649, reading), start)
                taken.append((start, end))
    for match in _DIGITS.finditer(capitals):
        for reading, start, end in _windows(match[0], match.start(), from_start=False):
            if any(first <= start and end <= last for first, last in taken):
                continue
            if digits := _ogm_digits(reading):
                found.setdefault(Reference(Kind.OGM, _ogm(digits)), start)
            if is_betalingskenmerk(reading):
                found.setdefault(Reference(Kind.BETALINGSKENMERK, reading), start)
    return sorted(found, key=lambda each: found[each])


def grouped(text: str) -> str:
    """A reference as it is printed: in groups of four; a structured communication and anything else as it is."""
    compact = _compact(text)
    if is_creditor_reference(text) or (len(compact) == 16 and is_betalingskenmerk(text)):
        return " ".join(compact[at : at + 4] for at in range(0, len(compact), 4))
    return text


def _windows(run: str, offset: int, *, from_start: bool) -> Iterator[tuple[str, int, int]]:
    """Consecutive groups of a run, written together, as long as a reference can be; and where they begin and end."""
    groups = list(re.finditer(r"[0-9A-Z]+", run))
    for first in [0] if from_start else range(len(groups)):
        reading = ""
        for group in groups[first:]:
            reading += group[0]
            if len(reading) > 4 + _MAX:
                break
            yield reading, offset + groups[first].start(), offset + group.end()


def _digits(number: str, length: int) -> str:
    compact = re.sub(r"[\s./\-]", "", number)
    if re.fullmatch(r"[0-9]+", compact) and 1 <= len(compact.lstrip("0")) <= length:
        return compact.lstrip("0")
    drawn = int.from_bytes(hashlib.sha256(number.encode()).digest())
    return str(1 + drawn % (10**length - 1))


def _dutch_check(body: str) -> str:
    total = sum(int(digit) * _WEIGHTS[at % 10] for at, digit in enumerate(reversed(body)))
    check = 11 - total % 11
    return {10: "1", 11: "0"}.get(check, str(check))


def _ogm_digits(text: str) -> str | None:
    compact = re.sub(r"\s", "", text)
    match = re.fullmatch(r"([+*]{3})?([0-9]{3})/?([0-9]{4})/?([0-9]{5})([+*]{3})?", compact)
    if match is None or match[1] != match[5]:
        return None
    digits = "".join(match.group(2, 3, 4))
    return digits if int(digits[:10]) and ogm_vcs.is_valid(digits) else None


def _ogm(digits: str) -> str:
    return f"+++{ogm_vcs.format(digits)}+++"


def _compact(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text).upper()
