"""The time, as tests own it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until it is told to go on."""

    def __init__(self, now: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)) -> None:  # a Tuesday morning
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, delta: timedelta | None = None, /, **parts: float) -> datetime:
        """Go on by `delta`, or by the parts of one: `advance(days=3)`."""
        self._now += timedelta(**parts) if delta is None else delta
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now
