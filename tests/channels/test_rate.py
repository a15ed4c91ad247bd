"""How fast a client may write."""

import pytest

from channels.rate import Brake, Buckets, Rate


@pytest.mark.parametrize(
    ("times", "waits"),
    [
        pytest.param([0, 0, 0], [0, 0, 2], id="a burst, then a wait"),
        pytest.param([0, 0, 1.5, 2], [0, 0, 1, 0], id="half a token is none"),
        pytest.param([0, 0, 100, 100, 100], [0, 0, 0, 0, 2], id="a long rest fills the bucket, no further"),
    ],
)
def test_bucket(times: list[float], waits: list[int]) -> None:
    clock = iter(times)
    buckets = Buckets(Rate(burst=2, per_second=0.5), lambda: next(clock))
    assert [buckets.wait("a") for _ in times] == waits


def test_keys_do_not_share() -> None:
    buckets = Buckets(Rate(burst=1, per_second=1), lambda: 0.0)
    assert [buckets.wait(key) for key in "aabb"] == [0, 1, 0, 1]


def test_sessions_share_their_network() -> None:
    brake = Brake(lambda: 0.0, session=Rate(1, 1), network=Rate(2, 0.1))
    assert [brake.wait(session, "198.51.100.7") for session in ("a", "a", "b", "c")] == [0, 1, 0, 10]
