"""Account numbers: checked by their form and check digits (ISO 13616)."""

from stdnum import iban as standard
from stdnum.exceptions import ValidationError

from core.errors import BadInput


def iban(text: str) -> str:
    """As it is stored, without spaces and in capitals. Raises BadInput."""
    try:
        # Length, form and check digits; not the library's list of banks, which new banks are not on.
        return str(standard.validate(text, check_country=False))
    except ValidationError:
        raise BadInput(f"“{text}” is not a valid IBAN") from None
