"""A shop with 20,000 products: how long importing, reading and searching take beside the encoding."""

import asyncio
import hashlib
import resource
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from time import process_time, thread_time

import numpy as np

from bench.answers.questions import questions
from bench.nlu.page import table
from catalogue.answers import Answering, Answers
from catalogue.imports import load_products
from catalogue.ranking import Ranking
from core.clock import SystemClock
from core.creditor import Creditor
from core.ids import CreditorKey
from core.message import Locale
from store.database import Database
from understanding.weights import Floats

PRODUCTS = 20_000
BAR = 20.0  # ms
_TICK = 0.001

_THINGS = (
    "lamp kast stoel fiets tent jas schoen boor pan ketel matras kussen tafel plank slot helm pomp bank mand koffer"
)
_NAMES = "Uil Reiger Specht Merel Valk Kievit Gans Zwaan Mees Spreeuw Havik Buizerd Ekster Kraai Duif Lijster Roek Snip"
_COLOURS = "zwart wit groen blauw rood geel grijs bruin paars oranje"
_SAYS = (
    "Gemaakt van {0} staal met een {1} rand.",
    "Wordt geleverd in een doos van {2} cm.",
    "Weegt {2} gram en past bij de {3}.",
    "Geschikt voor binnen en voor een {0} kamer.",
)


@dataclass(frozen=True)
class Timed:
    """Seconds of a processor, and megabytes; search: milliseconds of a processor a question."""

    imported: float
    held: float  # the longest that the event loop was held meanwhile
    read: float
    held_reading: float
    memory: float
    search: Sequence[float]


class Drawn:
    """In the encoder's place: vectors drawn by the text's hash, at no cost."""

    def __init__(self, center: Floats) -> None:
        self._center = center

    def vectors(self, texts: Sequence[str]) -> Floats:
        seeds = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) for text in texts]
        drawn = np.stack([np.random.default_rng(seed).standard_normal(len(self._center)) for seed in seeds])
        moved = self._center + 0.5 * drawn / np.sqrt(len(self._center))
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


def feed(count: int = PRODUCTS) -> str:
    """A Google Merchant feed with so many products."""
    rows = ["id\ttitle\tdescription\tlink\tavailability\tprice"]
    names = product(range(1, 1_000), _THINGS.split(), _NAMES.split(), _COLOURS.split())
    for number, (size, thing, name, colour) in zip(range(count), names, strict=False):
        says = " ".join(each.format(colour, name, 10 + number % 90, thing) for each in _SAYS)
        title = f"{thing.capitalize()} '{name}' {size * 10} cm {colour}"
        rows.append(f"G-{number}\t{title}\t{says}\thttps://shop.example/{number}\tin_stock\t{1 + number % 300}.95 EUR")
    return "\n".join(rows)


async def measure(db: Database, shop: Creditor, ranking: Ranking) -> Timed:
    encoder = Drawn(ranking.center)
    async with _held() as held:
        began = process_time()
        await load_products(db, SystemClock(), encoder, shop, await asyncio.to_thread(feed))
        imported = process_time() - began
    answers = Answers(db, Answering(encoder, ranking))
    key, before = CreditorKey(shop.key), _memory()
    async with _held() as held_reading:
        began = process_time()
        await answers.find(key, "?", Locale("nl"))
        read = process_time() - began
    memory = _memory() - before
    spent = []
    for one in questions():
        began = process_time()
        encoder.vectors([one.text])
        encoding = process_time() - began
        began = process_time()
        await answers.find(key, one.text, Locale(one.language))
        spent.append(1000 * (process_time() - began - encoding))
    return Timed(imported, held(), read, held_reading(), memory, spent)


def page(timed: Timed) -> str:
    cuts = statistics.quantiles(timed.search, n=20)
    rows = [
        ["a search, p50", f"{statistics.median(timed.search):.1f} ms", f"≤ {BAR:.0f} ms"],
        ["a search, p95", f"{cuts[18]:.1f} ms", ""],
        ["reading the index, once after each import", f"{timed.read:.1f} s", ""],
        ["the event loop held meanwhile, at most", f"{1000 * timed.held_reading:.0f} ms", ""],
        ["memory of the index", f"{timed.memory:.0f} MB", ""],
        ["importing, beside the encoding", f"{timed.imported:.1f} s", ""],
        ["the event loop held meanwhile, at most", f"{1000 * timed.held:.0f} ms", ""],
    ]
    return f"{PRODUCTS:,} products, SQLite; times are a processor's.\n\n{table(['', 'measured', 'bar'], rows)}"


@asynccontextmanager
async def _held() -> AsyncIterator[Callable[[], float]]:
    """The longest that the event loop's thread worked without coming round, in seconds of a processor."""
    gaps = [0.0]

    async def tick() -> None:
        last = thread_time()
        while True:
            await asyncio.sleep(_TICK)
            now = thread_time()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(tick())
    try:
        yield lambda: max(gaps)
    finally:
        ticking.cancel()


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
