"""What an import did."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Imported:
    """`bad`: the line (or place) of each row that was left out, and why. The others were loaded."""

    loaded: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
