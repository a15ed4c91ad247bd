"""Which sentences a tuned encoder has learnt from, and which are held out to judge and calibrate it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from understanding.text import plain, readable

SEEN = "seen.npy"
_HELD_OUT = 10  # one in ten


def key(text: str) -> int:
    """A sentence's number, 64 bits; the same when it differs in capitals, accents or punctuation alone."""
    words = plain(text) or readable(text)
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "little")


def held_out(text: str) -> bool:
    """Whether tuning never learns from this sentence: one in ten, always the same, whatever else is in the data."""
    return key(text) % _HELD_OUT == 0


def write_seen(path: Path, keys: Iterable[int]) -> None:
    np.save(path, np.array(sorted(keys), np.uint64), allow_pickle=False)


def read_seen(path: Path) -> frozenset[int]:
    """The keys of the sentences that were learnt from; none when there is no such file."""
    return frozenset(np.load(path, allow_pickle=False).tolist()) if path.exists() else frozenset()
