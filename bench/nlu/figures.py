"""Figures of a set of readings, each with its interval of 95 %."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.nlu.readings import Reading
from understanding.care import CRISIS, CareWords, is_care
from understanding.doubt import NOTHING

_Z = 1.96
_RESAMPLES = 1_000
_BINS = 15
_FEW_WORDS = 3


class Figure(NamedTuple):
    """low, high: the interval; of: how many messages it is about, none when the figure could not be taken."""

    value: float
    low: float
    high: float
    of: int


class OfIntent(NamedTuple):
    precision: float
    recall: float
    f1: float
    of: int


def figures(readings: Sequence[Reading]) -> dict[str, Figure]:
    """Everything that is one number; the keys are those of `bench.nlu.page`."""
    truth = [one.truth for one in readings]
    care = [one for one in readings if is_care(one.truth)]
    seen = [one for one in readings if one.care]
    said = [one for one in readings if is_care(one.said)]
    beyond = [one for one in readings if one.truth == NOTHING]
    within = [one for one in readings if one.truth != NOTHING]
    crisis = [one for one in readings if one.truth in CRISIS]
    few = [one for one in readings if len(one.message.text.split()) <= _FEW_WORDS]
    words = CareWords()
    return {
        "macro_f1": _macro_f1(truth, [one.said for one in readings]),
        "macro_f1_head": _macro_f1(truth, [one.ranking[0] for one in readings]),
        "top_1": share([one.ranking[0] == one.truth for one in readings]),
        "top_3": share([one.truth in one.ranking for one in readings]),
        "care_recall": share([one.care is not None for one in care]),
        "care_precision": share([is_care(one.truth) for one in seen]),
        "care_said_recall": share([is_care(one.said) for one in care]),
        "care_said_precision": share([is_care(one.truth) for one in said]),
        "crisis_recall": share([one.care in CRISIS for one in crisis]),
        "crisis_precision": share([one.truth in CRISIS for one in readings if one.care in CRISIS]),
        **{f"{name}_recall": share([one.care == name for one in crisis if one.truth == name]) for name in CRISIS},
        "crisis_words_recall": share([words.find(one.message.text) is not None for one in crisis]),
        "beyond_taken": share([one.said != NOTHING for one in beyond]),
        "within_refused": share([one.said == NOTHING for one in within]),
        "language": share([one.language == one.message.language for one in readings]),
        "language_few_words": share([one.language == one.message.language for one in few]),
        "language_wrong": share([one.language not in (one.message.language, None) for one in readings]),
        "calibration": _calibration(readings),
    }


def by_intent(readings: Sequence[Reading]) -> dict[str, OfIntent]:
    true, said = Counter(one.truth for one in readings), Counter(one.said for one in readings)
    right = Counter(one.truth for one in readings if one.said == one.truth)
    return {
        name: OfIntent(
            right[name] / said[name] if said[name] else 0.0,
            right[name] / true[name],
            2 * right[name] / (true[name] + said[name]),
            true[name],
        )
        for name in sorted(true)
    }


def confusions(readings: Sequence[Reading]) -> list[tuple[str, str, list[str]]]:
    """What it is, what it was taken for, and the texts; the most frequent first."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in readings:
        if one.said != one.truth:
            found.setdefault((one.truth, one.said), []).append(one.message.text)
    return [(*pair, texts) for pair, texts in sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))]


def share(values: Sequence[bool]) -> Figure:
    """A proportion, with Wilson's interval."""
    count = len(values)
    if not count:
        return Figure(math.nan, math.nan, math.nan, 0)
    value = sum(values) / count
    middle = (value + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    wide = _Z / (1 + _Z**2 / count) * math.sqrt(value * (1 - value) / count + _Z**2 / (4 * count**2))
    return Figure(value, max(0.0, middle - wide), min(1.0, middle + wide), count)


def _macro_f1(truth: Sequence[str], said: Sequence[str]) -> Figure:
    """The mean of the intents' F1; the interval is a bootstrap's, over messages."""
    names = {name: number for number, name in enumerate(sorted({*truth, *said}))}
    a, b = (np.array([names[name] for name in side]) for side in (truth, said))
    dice = np.random.default_rng(0)
    drawn = [_mean_f1(a[rows], b[rows], len(names)) for rows in dice.integers(0, len(a), (_RESAMPLES, len(a)))]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(_mean_f1(a, b, len(names)), float(low), float(high), len(a))


def _mean_f1(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64], kinds: int) -> float:
    true, named = np.bincount(truth, minlength=kinds), np.bincount(said, minlength=kinds)
    right = np.bincount(truth[truth == said], minlength=kinds)
    there = true > 0
    return float((2 * right[there] / (true + named)[there]).mean())


def _calibration(readings: Sequence[Reading]) -> Figure:
    """The expected calibration error of the likeliest intent, in 15 bins of confidence; by bootstrap."""
    sure = np.array([one.sure for one in readings])
    right = np.array([one.ranking[0] == one.truth for one in readings], np.float64)
    dice = np.random.default_rng(0)
    drawn = [_error(sure[rows], right[rows]) for rows in dice.integers(0, len(sure), (_RESAMPLES, len(sure)))]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(_error(sure, right), float(low), float(high), len(sure))


def _error(sure: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> float:
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, right - sure, _BINS)
    return float(np.abs(gaps).sum() / len(sure))
