"""How well a set of messages is understood: one report for cross-validation and for any labelled set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from understanding.care import CRISIS, is_care


@dataclass(frozen=True)
class Judged:
    """One message: what it means, its language, the names the head ranks first, and the care the watch saw."""

    truth: str
    language: str
    ranking: tuple[str, ...]
    care: str | None


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """Macro-F1, accuracy, right among three, care recall and precision, per language too, and what is confused most."""
    languages = sorted({one.language for one in judged})
    confused = Counter((one.truth, one.ranking[0]) for one in judged if one.truth != one.ranking[0])
    return {
        **_figures(judged),
        "languages": {name: _figures([one for one in judged if one.language == name]) for name in languages},
        "intents": {name: round(score, 3) for name, score in sorted(_f1(judged).items())},
        "confused": [
            {"is": truth, "taken_for": said, "times": times} for (truth, said), times in confused.most_common(25)
        ],
    }


def _figures(judged: Sequence[Judged]) -> dict[str, Any]:
    f1 = _f1(judged)
    care = [one for one in judged if is_care(one.truth)]
    crisis = [one for one in judged if one.truth in CRISIS]
    return {
        "sentences": len(judged),
        "macro_f1": round(sum(f1.values()) / len(f1), 4),
        "accuracy": _share([one.ranking[0] == one.truth for one in judged]),
        "among_three": _share([one.truth in one.ranking[:3] for one in judged]),
        "care_recall": _share([one.care is not None for one in care]),
        "crisis_recall": _share([one.care in CRISIS for one in crisis]),
        "care_precision": _share([is_care(one.truth) for one in judged if one.care]),
        "crisis_precision": _share([one.truth in CRISIS for one in judged if one.care in CRISIS]),
    }


def _f1(judged: Sequence[Judged]) -> dict[str, float]:
    true, said = Counter(one.truth for one in judged), Counter(one.ranking[0] for one in judged)
    right = Counter(one.truth for one in judged if one.ranking[0] == one.truth)
    return {name: 2 * right[name] / (true[name] + said[name]) for name in true}


def _share(values: Sequence[bool]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
