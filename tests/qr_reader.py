"""What a camera reads in a QR code's picture (PNG of 1 bit, or SVG of horizontal strokes, as segno writes them)."""

import re
import struct
import zlib
from typing import Any

import numpy as np
import zxingcpp
from numpy.typing import NDArray


def read_png(picture: bytes) -> str:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(picture):
        (length,) = struct.unpack(">I", picture[place : place + 4])
        kind = picture[place + 4 : place + 8]
        chunks[kind] = chunks.get(kind, b"") + picture[place + 8 : place + 8 + length]
        place += 12 + length
    width, height, depth, color, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, color) == (1, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    filters, lines = rows[:, 0], rows[:, 1:].copy()
    assert set(filters) <= {0, 2}  # none, or the difference to the line above
    for n in np.flatnonzero(filters):
        lines[n] += lines[n - 1]
    return read_pixels(np.unpackbits(lines, axis=1)[:, :width] * np.uint8(255))


def read_svg(picture: bytes) -> str:
    text = picture.decode()
    (width,) = re.findall(r'<svg [^>]*width="(\d+)"', text)
    (scale,) = re.findall(r"scale\((\d+)\)", text)
    (path,) = re.findall(r' d="([^"]+)"', text)
    side = int(width) // int(scale)
    image = np.full((side, side), 255, np.uint8)
    x, y = 0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]+)", path):
        parts = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            image[int(y), x : x + int(parts[0])] = 0
            x += int(parts[0])
        else:
            x, y = (int(parts[0]), parts[1]) if command == "M" else (x + int(parts[0]), y + parts[1])
    return read_pixels(image.repeat(8, axis=0).repeat(8, axis=1))


def read_pixels(image: NDArray[Any]) -> str:
    found = zxingcpp.read_barcode(np.ascontiguousarray(image))
    assert found is not None
    return found.text
