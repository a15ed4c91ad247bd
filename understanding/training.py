"""Training: sentences in, a model's files out; the same sentences give the same model."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understanding import encoder as encoders
from understanding import examples
from understanding.care import CareWatch, CareWords
from understanding.classifier import Classifier, fit, mixed
from understanding.examples import Example
from understanding.graph import write_graph
from understanding.head import softmax, temperature
from understanding.model import CARD, MODEL
from understanding.opinion import OPINION
from understanding.report import Judged, report
from understanding.seen import SEEN, key, read_seen
from understanding.text import readable
from understanding.weights import Floats, Weights, packed_file

_VECTORS = "vectors.npz"
_FOLDS = 5
_NEVER = -30.0  # the score of a name that a fold never saw
_THRESHOLD = 0.35  # a wrong turn costs about half of what a right one gains: p > (1 - p) / 2
_SOURCES = (
    *("text.py", "weights.py", "tokens.py", "graph.py", "encoder.py"),
    *("head.py", "neighbours.py", "classifier.py", "examples.py", "seen.py", "training.py"),
)


def fingerprint(data_dir: Path, encoder_model: Path | None = None, tuned: Path = encoders.TUNED) -> str:
    """A hash of all that a model depends on: sentences, encoder, the second opinion, and the code that trains."""
    digest = hashlib.sha256(encoders.identity(encoder_model, tuned / encoders.GRAPH).encode())
    code = [Path(__file__).with_name(name) for name in _SOURCES]
    second = [] if encoder_model else [file for file in [tuned / OPINION] if file.exists()]
    for file in [*examples.files(data_dir), *code, *second]:
        digest.update(f"\0{file.parent.name}/{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def is_trained(
    data_dir: Path, artifact_dir: Path, encoder_model: Path | None = None, tuned: Path = encoders.TUNED
) -> bool:
    """Whether the model in artifact_dir was trained on just these inputs."""
    try:
        card = json.loads((artifact_dir / CARD).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(card.get("fingerprint") == fingerprint(data_dir, encoder_model, tuned))


def train(
    data_dir: Path, artifact_dir: Path, encoder_model: Path | None = None, tuned: Path = encoders.TUNED
) -> dict[str, Any]:
    """Train on data_dir's LANGUAGE/TOPIC.yml and write the model into artifact_dir; returns its card.

    tuned: where the encoder's tuned layers lie, and perhaps a second opinion on care; if they do not, the layers are
    the wheel's own. The sentences that the tuning has seen take no part in the cross-validation, nor in what is set by
    it: on those, the model is too sure. The second opinion takes no part either.

    Files: `model.npz` (heads), `e5.onnx` (the encoder's layers), `untuned.onnx` (the same before they were tuned, if
    they were), their twins and `probe.onnx` (`understanding.graph`), `card.json` (what it is and how well it does in
    cross-validation), `vectors.npz` (sentences' vectors, so that training again is quick). The card is written last: a
    training cut short leaves no card that matches.
    """
    sentences = examples.read(data_dir)
    artifact_dir.mkdir(parents=True, exist_ok=True)
    (artifact_dir / CARD).unlink(missing_ok=True)
    seen = frozenset[int]()
    second: dict[str, npt.NDArray[Any]] = {}
    if encoder_model is None:
        seen = _place_layers(tuned, artifact_dir)
        second = _opinion(tuned) if seen else {}
    vectors = _vectors(sentences, artifact_dir, encoder_model)
    center = vectors.mean(axis=0)
    scale = float(1 / max(float((vectors - center).std()), 1e-9))
    vectors = (vectors - center) * np.float32(scale)
    intents = [sentence.intent for sentence in sentences]
    unseen = np.array([key(sentence.text) not in seen for sentence in sentences])
    classifier, shares = _fit(vectors, intents, _folds(intents, unseen))
    arrays = {
        "center": center,
        "scale": np.array(scale),
        "threshold": np.array(_THRESHOLD),
        **classifier.arrays(),
        **second,
    }
    _save(artifact_dir / MODEL, arrays)
    judged = [sentence for sentence, new in zip(sentences, unseen, strict=True) if new]
    card = {
        "fingerprint": fingerprint(data_dir, encoder_model, tuned),
        "encoder": encoders.identity(encoder_model, artifact_dir / encoders.GRAPH),
        "tuned": bool(seen),
        "settings": {
            "threshold": _THRESHOLD,
            "temperatures": [round(t, 4) for t in (classifier.head.temperature, classifier.temperature)],
        },
        "cross_validation": report(_judged(judged, classifier.names, shares[unseen])),
    }
    (artifact_dir / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return card


def _place_layers(tuned: Path, artifact_dir: Path) -> frozenset[int]:
    """Put the encoder's layers into artifact_dir; returns which sentences they were tuned on: none are for the wheel's
    own."""
    graph = artifact_dir / encoders.GRAPH
    if not (tuned / encoders.GRAPH).exists():
        _place_untuned(graph)
        return frozenset()
    part = _part(graph)
    shutil.copyfile(tuned / encoders.GRAPH, part)
    part.replace(graph)
    encoders.place_twin(graph)
    _place_untuned(artifact_dir / encoders.UNTUNED)
    return read_seen(tuned / SEEN)


def _place_untuned(graph: Path) -> None:
    part = _part(graph)
    write_graph(Weights(packed_file()), part)
    part.replace(graph)
    encoders.place_twin(graph)


def _opinion(tuned: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the second opinion, if there is one."""
    if not (tuned / OPINION).exists():
        return {}
    with np.load(tuned / OPINION, allow_pickle=False) as file:
        return dict(file)


def _vectors(sentences: Sequence[Example], artifact_dir: Path, encoder_model: Path | None) -> Floats:
    """One row a sentence; only sentences that were never encoded before are encoded."""
    keys = [hashlib.sha256(readable(sentence.text).encode()).hexdigest() for sentence in sentences]
    known: dict[str, Floats] = {}
    cache = artifact_dir / _VECTORS
    identity = encoders.identity(encoder_model, artifact_dir / encoders.GRAPH)
    if cache.exists():
        with np.load(cache, allow_pickle=False) as file:
            if str(file["encoder"]) == identity:
                known = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    new = {key: sentence.text for key, sentence in zip(keys, sentences, strict=True) if key not in known}
    if new:
        encode = encoders.open_encoder(artifact_dir, encoder_model)
        # The encoder runs on one core at a time and lets go of the interpreter meanwhile: one thread a core.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            known |= dict(zip(new, pool.map(lambda text: encode([text])[0], new.values()), strict=True))
    kept = sorted(set(keys))
    stored = np.stack([known[key] for key in kept])
    _save(cache, {"encoder": np.array(identity), "keys": np.array(kept), "vectors": stored})
    return np.stack([known[key] for key in keys])


def _folds(labels: Sequence[str], unseen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The fold of each unseen sentence, each intent spread evenly over them, always in the same way; else -1."""
    dice = np.random.default_rng(0)
    places: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        if unseen[place]:
            places[label].append(place)
    folds = np.full(len(labels), -1)
    for label in sorted(places):
        folds[dice.permutation(places[label])] = np.arange(len(places[label])) % _FOLDS
    return folds


def _fit(vectors: Floats, labels: Sequence[str], folds: npt.NDArray[np.int64]) -> tuple[Classifier, Floats]:
    """A calibrated classifier of everything, and each sentence's probabilities by those that never saw its fold.

    Sentences of fold -1 are in every one, and get no probabilities.
    """
    whole = fit(vectors, labels)
    head = whole.head
    truth = np.array(labels)
    held_out = np.full((len(labels), len(head.names)), _NEVER, np.float32)
    votes = np.zeros_like(held_out)

    def without(fold: int) -> None:
        here, rest = folds == fold, folds != fold
        if rest.any():
            part = fit(vectors[rest], truth[rest].tolist())
            columns = [head.names.index(name) for name in part.names]
            held_out[np.ix_(here, columns)] = part.head.scores(vectors[here])
            votes[np.ix_(here, columns)] = part.neighbours.votes(vectors[here])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(without, sorted(set(folds.tolist()) - {-1})))
    judged = folds >= 0
    calibrated = temperature(held_out[judged], head.names, truth[judged].tolist())
    together = mixed(head.names, softmax(held_out / calibrated), votes)
    both = temperature(together[judged], head.names, truth[judged].tolist())
    whole = replace(whole, head=replace(head, temperature=calibrated), temperature=both)
    return whole, softmax(together / np.float32(both))


def _judged(sentences: Sequence[Example], names: Sequence[str], shares: Floats) -> list[Judged]:
    watch = CareWatch(names, CareWords())
    best = np.argsort(-shares, axis=1, kind="stable")[:, :3]
    return [
        Judged(
            truth=sentence.intent,
            language=sentence.language,
            ranking=tuple(names[i] for i in best[row]),
            care=watch.look(sentence.text, shares[row]).name,
        )
        for row, sentence in enumerate(sentences)
    ]


def _save(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    part = _part(path)
    with part.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    part.replace(path)


def _part(path: Path) -> Path:
    # complete or not at all: a reader may open the file at any moment
    return path.with_name(path.name + ".part")
