"""The figures as a page of Markdown, and whether the aims are met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.growth import AT
from bench.timing import Summary

STOCK = "stock `rasa init`"
OURS = "Effen"


@dataclass
class Figures:
    """Times in seconds, memory in MB."""

    machine: str = ""
    rates: dict[tuple[str, str, int], Summary] = field(default_factory=dict)  # (whose, scenario, senders)
    growth: dict[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)  # process → at the start, after the load
    starts: dict[str, float] = field(default_factory=dict)  # process → until it answers
    demo: Sequence[float] = ()


def page(figures: Figures) -> str:
    return "\n\n".join(
        part
        for part in (
            figures.machine,
            _rates(figures),
            _growth(figures),
            _memory(figures),
            _starts(figures),
            _aims(figures),
        )
        if part
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def _rates(figures: Figures) -> str:
    rows = [
        [
            f"{whose}: {name}",
            str(senders),
            f"**{one.rate:.1f}**",
            f"{one.lowest:.1f} – {one.highest:.1f}",
            _ms(one.p50),
            _ms(one.p95),
            _ms(one.cpu),
            str(one.turns),
            str(one.missed),
        ]
        for (whose, name, senders), one in figures.rates.items()
    ]
    head = (
        "turn",
        "senders",
        "turns/s",
        "lowest – highest",
        "p50 ms",
        "p95 ms",
        "cpu ms",
        "turns",
        "other answers",
    )
    return _table(head, rows) if rows else ""


def _growth(figures: Figures) -> str:
    rows = [
        [f"{whose}: {name}", *(_ms(cost[at]) if at in cost else "–" for at in AT)]
        for (whose, name), cost in figures.growth.items()
    ]
    return _table(["ms a turn in one conversation", *(f"at turn {at}" for at in AT)], rows) if rows else ""


def _memory(figures: Figures) -> str:
    rows = [[name, f"{first:.0f}", f"{after:.0f}"] for name, (first, after) in figures.memory.items()]
    return _table(("resident MB", "at the start", "after the load"), rows) if rows else ""


def _starts(figures: Figures) -> str:
    rows = [[f"{name}: process until it answers", f"{seconds:.1f}"] for name, seconds in figures.starts.items()]
    if figures.demo:
        first, *again = figures.demo
        rows.append(["`make demo`, models trained, nothing loaded", f"{first:.1f}"])
        rows += [["`make demo` again", f"{seconds:.1f}"] for seconds in again]
    return _table(("start", "seconds"), rows) if rows else ""


def _aims(figures: Figures) -> str:
    rows: list[tuple[str, str, bool]] = []
    for senders in sorted({senders for _, _, senders in figures.rates}):
        stock = next((s for (w, _, n), s in figures.rates.items() if w == STOCK and n == senders), None)
        for (whose, name, count), ours in figures.rates.items():
            if stock and whose == OURS and count == senders and name.startswith("greeting"):
                times = ours.rate / stock.rate
                rows.append((f"{name}, {senders} senders: three times the stock", f"{times:.1f} times", times >= 3))
    for (whose, name), cost in figures.growth.items():
        if whose == OURS and AT[-1] in cost:
            times = cost[AT[-1]] / cost[AT[0]]
            rows.append((f"{name}, turn {AT[0]} to {AT[-1]}: under twofold", f"{times:.2f} times", times < 2))
    if figures.demo[1:]:
        rows.append(("`make demo` again: ready in 10 s", f"{max(figures.demo[1:]):.1f} s", max(figures.demo[1:]) <= 10))
    ours_memory = sum(after for name, (_, after) in figures.memory.items() if name.startswith(OURS))
    if ours_memory:
        rows.append(("all processes together: under 900 MB", f"{ours_memory:.0f} MB", ours_memory < 900))
    return _table(("aim", "measured", "met"), [[aim, found, "yes" if met else "**no**"] for aim, found, met in rows])
