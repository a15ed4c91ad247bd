"""What more sentences bring: refitted on a part of them, judged on all held-out messages; no new encoding."""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.repository import SENTENCES
from bench.nlu.figures import Figure, figures
from bench.nlu.messages import Message
from bench.nlu.readings import Reading
from understanding import encoder, examples
from understanding.care import CareWatch, CareWords
from understanding.classifier import fit
from understanding.model import CARD
from understanding.text import readable
from understanding.weights import Floats

PARTS = (0.25, 0.5, 1.0)
KEYS = ("macro_f1_head", "top_3", "care_recall", "care_precision")


class Point(NamedTuple):
    """figures: under KEYS, of the likeliest intent: thresholds on it take no part here."""

    encoder: str
    sentences: int
    figures: dict[str, Figure]


def curve(name: str, model_dir: Path, messages: Sequence[Message], parts: Sequence[float]) -> list[Point]:
    """One point for each part of the sentences; name: of the encoder whose model lies in model_dir."""
    settings = json.loads((model_dir / CARD).read_text("utf-8"))["settings"]
    sentences = examples.read(SENTENCES)
    with np.load(model_dir / "vectors.npz", allow_pickle=False) as file:
        kept = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    vectors: Floats = np.stack([kept[sha256(readable(sentence.text).encode()).hexdigest()] for sentence in sentences])
    center = vectors.mean(axis=0)
    scale = np.float32(1 / (vectors - center).std())
    encode = encoder.open_encoder(model_dir, None)
    asked: Floats = (encode([message.text for message in messages]) - center) * scale
    vectors = (vectors - center) * scale
    order = np.random.default_rng(0).permutation(len(sentences))
    points = []
    for part in parts:
        taken = order[: round(part * len(sentences))]
        labels = [sentences[place].intent for place in taken]
        found_by = fit(vectors[taken], labels)
        head, both = settings["temperatures"]
        found_by = replace(found_by, head=replace(found_by.head, temperature=head), temperature=both)
        found = figures(_readings(messages, found_by.names, found_by.probabilities(asked)))
        points.append(Point(name, len(taken), {key: found[key] for key in KEYS}))
    return points


def _readings(messages: Sequence[Message], names: Sequence[str], shares: Floats) -> list[Reading]:
    watch = CareWatch(names, CareWords())
    readings = []
    for message, row in zip(messages, shares, strict=True):
        ranking = tuple(names[place] for place in np.argsort(-row, kind="stable")[:3])
        seen = watch.look(message.text, row).name
        readings.append(Reading(message, ranking[0], ranking, float(row.max()), seen, None, None, 0.0))
    return readings
