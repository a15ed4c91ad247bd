"""What was measured, and how it is summed up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass
class Round:
    """One run of a scenario: how long each turn took, and all of them together, in seconds."""

    turns: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0  # seconds of processor time, of all the processes that answer
    missed: int = 0  # turns whose answer was not the one that the scenario is about

    @property
    def rate(self) -> float:
        """Turns per second."""
        return len(self.turns) / self.wall

    def percentile(self, percent: int) -> float:
        return quantiles(self.turns, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians over the rounds; the lowest and highest rate tell how quiet the machine was."""

    rate: float
    lowest: float
    highest: float
    p50: float
    p95: float
    cpu: float
    turns: int
    missed: int

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> "Summary":
        rates = [one.rate for one in rounds]
        return cls(
            median(rates),
            min(rates),
            max(rates),
            median(one.percentile(50) for one in rounds),
            median(one.percentile(95) for one in rounds),
            median(one.cpu / len(one.turns) for one in rounds),
            sum(len(one.turns) for one in rounds),
            sum(one.missed for one in rounds),
        )
