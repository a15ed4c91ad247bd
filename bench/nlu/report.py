"""Everything that is measured, in one pass over the messages."""

import json
import os
import platform
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import quantiles

from app.repository import SENTENCES
from bench.nlu.curve import PARTS, Point, curve
from bench.nlu.figures import Figure, OfIntent, by_intent, confusions, figures, share
from bench.nlu.messages import HALVES, LANGUAGES, OTHER_LANGUAGES, Message, held_out, other
from bench.nlu.readings import Reading, read
from understanding import Understanding, encoder, examples, load
from understanding.model import CARD, MODEL
from understanding.seen import key
from understanding.training import is_trained, train
from understanding.weights import packed_file

ALL = "both"
TUNED = "tuned encoder"
UNTUNED = "encoder as it comes"


@dataclass(frozen=True)
class Report:
    """figures: of each half and of ALL; copied: messages that training has word for word; day: ISO 8601."""

    day: str
    machine: str
    tuned: bool
    sentences: int
    messages: int
    copied: int
    without_copied: Figure
    figures: dict[str, dict[str, Figure]]
    languages: dict[str, dict[str, Figure]]
    others: dict[str, dict[str, Figure]]
    curve: list[Point]
    milliseconds: dict[str, float]
    megabytes: dict[str, float]
    intents: dict[str, OfIntent]
    confusions: list[tuple[str, str, list[str]]]


def measure(model_dir: Path, untuned_dir: Path, today: date) -> Report:
    """Judge the model in model_dir; one with the encoder as it comes is trained into untuned_dir to compare."""
    understanding = load(model_dir)
    messages = [message for language in LANGUAGES for message in held_out(language)]
    readings = read(understanding, messages)
    memory = _memory()
    sentences = examples.read(SENTENCES)
    trained = {key(sentence.text) for sentence in sentences}
    new = [one for one in readings if key(one.message.text) not in trained]
    tuned = bool(json.loads((model_dir / CARD).read_text("utf-8"))["tuned"])
    points = curve(TUNED if tuned else UNTUNED, model_dir, messages, PARTS)
    if tuned:
        nowhere = untuned_dir / "tuned"
        if not is_trained(SENTENCES, untuned_dir, tuned=nowhere):
            train(SENTENCES, untuned_dir, tuned=nowhere)
        points += curve(UNTUNED, untuned_dir, messages, PARTS)
    parts = {half: [one for one in readings if one.message.half == half] for half in HALVES} | {ALL: readings}
    return Report(
        day=today.isoformat(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, one used",
        tuned=tuned,
        sentences=len(sentences),
        messages=len(messages),
        copied=len(readings) - len(new),
        without_copied=figures(new)["macro_f1"],
        figures={half: figures(part) | _hinted(understanding, part) for half, part in parts.items()},
        languages={
            language: figures([one for one in readings if one.message.language == language]) for language in LANGUAGES
        },
        others={language: _other(understanding, other(language)) for language in OTHER_LANGUAGES},
        curve=points,
        milliseconds=_milliseconds(readings),
        megabytes={
            "memory of a process that understands": memory,
            "encoder's layers, on disk": _size(model_dir / encoder.GRAPH),
            "encoder's vocabulary, on disk, mapped": _size(packed_file()),
            "head, on disk": _size(model_dir / MODEL),
        },
        intents=by_intent(readings),
        confusions=confusions(parts["dev"]),
    )


def _hinted(understanding: Understanding, readings: Sequence[Reading]) -> dict[str, Figure]:
    """The language again, in a conversation that was in it before."""
    right = [
        one.language == one.message.language
        for language in LANGUAGES
        for one in read(understanding, [r.message for r in readings if r.message.language == language], language)
    ]
    return {"language_hinted": share(right)}


def _other(understanding: Understanding, messages: Sequence[Message]) -> dict[str, Figure]:
    """language_wrong: one of ours was seen; language_wrong_hinted: the same in a Dutch conversation."""
    hinted = read(understanding, messages, "nl")
    wrong = share([one.language is not None for one in hinted])
    return figures(read(understanding, messages)) | {"language_wrong_hinted": wrong}


def _milliseconds(readings: Sequence[Reading]) -> dict[str, float]:
    percentiles = quantiles([1_000 * one.seconds for one in readings], n=100, method="inclusive")
    return {"p50": percentiles[49], "p95": percentiles[94]}


def _memory() -> float:
    """The most that this process held so far, in MB (10⁶ bytes); kilobytes or bytes are the system's choice."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _size(file: Path) -> float:
    return file.stat().st_size / 1e6
