"""Payment references: what a payer copies, and a statement gives back."""

import re

from core.errors import BadInput

_MAX = 21  # characters after the check digits


def creditor_reference(number: str) -> str:
    """`RFkk…` from an invoice number: its letters and digits, in capitals (ISO 11649, modulo 97).

    Raises BadInput where nothing is left of the number, or more than 21 characters.
    """
    body = re.sub(r"[^0-9A-Z]", "", number.upper())
    if not 1 <= len(body) <= _MAX:
        raise BadInput("a creditor reference has 1 to 21 letters and digits")
    return f"RF{98 - _modulo(body + 'RF00'):02d}{body}"


def is_creditor_reference(text: str) -> bool:
    """Whether it is an ISO 11649 reference with the right check digits; spaces do not matter."""
    compact = text.replace(" ", "").upper()
    return bool(re.fullmatch(r"RF[0-9]{2}[0-9A-Z]{1,21}", compact)) and _modulo(compact[4:] + compact[:4]) == 1


def grouped(text: str) -> str:
    """A creditor reference in groups of four, as it is printed; anything else as it is."""
    compact = text.replace(" ", "")
    return " ".join(compact[i : i + 4] for i in range(0, len(compact), 4)) if is_creditor_reference(text) else text


def _modulo(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text)) % 97
