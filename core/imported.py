"""What an import did."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Imported:
    """`bad`: the line (or place) of each row that was left out, and why. The others were loaded."""

    loaded: int
    unchanged: int
    bad: Sequence[tuple[int, str]]
