"""How fast one client may write: token buckets in this process, a first brake before anything is stored."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    burst: int  # messages at once
    per_second: float  # messages that become free again


# A person taps and types; a whole office may share one network address.
PER_SESSION = Rate(burst=12, per_second=0.5)
PER_NETWORK = Rate(burst=120, per_second=5.0)

_KEPT = 10_000  # buckets; the least recently used is forgotten, which is at worst lenient


class Buckets:
    """One token bucket a key. `now` is a monotonic clock in seconds."""

    def __init__(self, rate: Rate, now: Callable[[], float]) -> None:
        self._rate = rate
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → (tokens left, at)

    def wait(self, key: str) -> int:
        """Takes a token; 0 when there was one, else the whole seconds until there is."""
        now = self._now()
        left, at = self._buckets.pop(key, (float(self._rate.burst), now))
        left = min(float(self._rate.burst), left + (now - at) * self._rate.per_second)
        taken = left >= 1
        self._buckets[key] = (left - 1 if taken else left, now)
        if len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        return 0 if taken else math.ceil((1 - left) / self._rate.per_second)


class Brake:
    """The limits of one door: by session and by network address."""

    def __init__(self, now: Callable[[], float], session: Rate = PER_SESSION, network: Rate = PER_NETWORK) -> None:
        self._sessions = Buckets(session, now)
        self._networks = Buckets(network, now)

    def wait(self, session: str, remote: str) -> int:
        """0, or the seconds to wait. A session that is too fast takes nothing from its network."""
        return self._sessions.wait(session) or self._networks.wait(remote)
