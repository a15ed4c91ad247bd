"""Amounts of money. They become text in the renderer alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from core.errors import BadInput

# ISO 4217 minor units where they are not two.
_EXPONENTS = {"JPY": 0, "KRW": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies cannot be added or compared."""


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units (cents) of an ISO 4217 `currency`."""

    minor: int
    currency: str = "EUR"

    @classmethod
    def parse(cls, text: str, currency: str = "EUR") -> Money:
        """Read `1234.56`. Raises BadInput for anything else, and for fractions of a minor unit."""
        try:
            value = Decimal(text.strip())
        except InvalidOperation:
            raise BadInput(f"“{text}” is not an amount; write it as 1234.56") from None
        if not value.is_finite():
            raise BadInput(f"“{text}” is not an amount; write it as 1234.56")
        scaled = value.scaleb(_exponent(currency))
        if scaled != scaled.to_integral_value():
            raise BadInput(f"“{text}” has more decimals than {currency} knows")
        return cls(int(scaled), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.minor).scaleb(-_exponent(self.currency))

    def share(self, fraction: Decimal) -> Money:
        """This fraction of the amount, rounded half up to a minor unit."""
        return Money(int((Decimal(self.minor) * fraction).to_integral_value(ROUND_HALF_UP)), self.currency)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def as_json(self) -> list[object]:
        """`[1250, "EUR"]`, the shape of a message's argument."""
        return [self.minor, self.currency]


def _exponent(currency: str) -> int:
    return _EXPONENTS.get(currency, 2)
