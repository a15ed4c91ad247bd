"""Telephone numbers as people type them."""

import phonenumbers


def find(text: str, country: str) -> tuple[str, str] | None:
    """The one valid number in a text, as `+31612345678`, and the text without it; None for none, or for several.

    `country` (ISO 3166) is where a number without a prefix is from.
    """
    found = list(phonenumbers.PhoneNumberMatcher(text[:500], country))
    numbers = {phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164) for match in found}
    if len(numbers) != 1:
        return None
    rest = text
    for match in reversed(found):
        rest = rest[: match.start] + " " + rest[match.end :]
    return numbers.pop(), rest


def spelled(number: str) -> str:
    """`+31612345678` as it is read: `+31 6 12345678`."""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
