"""`python -m bench [--short] [--no-stock] [--no-starts] [--rounds N] [--turns N]`: the figures, as Markdown."""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench import ours, scenarios, stock
from bench.growth import AT, growth, preparation
from bench.report import OURS, STOCK, Figures, page
from bench.served import Served, say
from bench.starts import starts
from bench.timing import Round, Summary

_SENDERS = (1, 4)
_CUSTOMERS = 60
# The stock is slower, and a turn is a turn: it need not be asked as often.
_STOCK_TURNS = 60


async def measure(args: argparse.Namespace, folder: Path) -> Figures:
    figures = Figures(machine=_machine())
    if not args.no_starts:
        say("make demo, twice …")
        figures.demo = await starts(folder / "demo", 1 if args.short else 2)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        chosen = ours.settings(folder)
        await ours.furnish(chosen, _CUSTOMERS)
        product = await stack.enter_async_context(ours.running(chosen, folder))
        processes: dict[str, Served] = {f"{OURS}: app": product.app, f"{OURS}: engine": product.engine}
        mine = scenarios.of_ours(http, product.app.url.removesuffix("/health/ready"), _CUSTOMERS)
        listed = [(OURS, scenario, args.turns) for scenario in mine]
        if not args.no_stock:
            other = await stack.enter_async_context(stock.running(folder / "stock.log"))
            processes[STOCK] = other
            listed.insert(0, (STOCK, scenarios.of_stock(http, other.url), min(args.turns, _STOCK_TURNS)))
        figures.starts = {name: process.started for name, process in processes.items()}
        for whose, scenario, _ in listed:
            say(f"warming up: {whose}, {scenario.name}")
            await scenarios.run(scenario, 1, scenarios.LENGTH)
        before = {name: await process.memory() for name, process in processes.items()}
        await _rates(figures, listed, args.rounds, processes)
        await _growth(figures, listed, args.short)
        figures.memory = {name: (before[name], await process.memory()) for name, process in processes.items()}
    return figures


async def _rates(
    figures: Figures,
    listed: list[tuple[str, scenarios.Scenario, int]],
    rounds: int,
    processes: Mapping[str, Served],
) -> None:
    """Every scenario once a round, so that what else the machine does in a minute hits all alike."""
    found: dict[tuple[str, str, int], list[Round]] = {}
    for number in range(1, rounds + 1):
        for whose, scenario, turns in listed:
            for senders in _SENDERS:
                answering = [process for name, process in processes.items() if name.startswith(whose)]
                one = await scenarios.run(scenario, senders, turns, answering)
                found.setdefault((whose, scenario.name, senders), []).append(one)
                say(f"round {number}: {whose}, {scenario.name}, {senders} senders: {one.rate:.1f} turns/s")
    figures.rates = {key: Summary.of(each) for key, each in found.items()}


async def _growth(figures: Figures, listed: list[tuple[str, scenarios.Scenario, int]], short: bool) -> None:
    turns = AT[1] if short else AT[-1]
    own = [scenario for whose, scenario, _ in listed if whose == OURS]
    wanted = [(OURS, "greeting", own, "hello"), (OURS, "balance", own, "wat moet ik nog betalen?")]
    foreign = [scenario for whose, scenario, _ in listed if whose == STOCK]
    if foreign:
        wanted.insert(0, (STOCK, "greeting", foreign, "hello"))
    for whose, name, known, text in wanted:
        say(f"one conversation of {turns} turns: {whose}, {name}")
        figures.growth[whose, name] = await growth(preparation(known, name), text, turns)


def _machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()} · load before the run {load}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure turns, memory and starts.")
    parser.add_argument("--short", action="store_true", help="one round, short: to see that it works")
    parser.add_argument("--no-stock", action="store_true", help="without the stock Rasa (2.5 GB to install)")
    parser.add_argument("--no-starts", action="store_true", help="without starting the demo")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--turns", type=int, default=0, help="a round's turns of ours")
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.short else 3)
    args.turns = args.turns or (40 if args.short else 100)
    if not args.no_stock:
        stock.install()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(args, Path(folder)))
    text = page(figures)
    stock.HOME.mkdir(parents=True, exist_ok=True)
    (stock.HOME / "figures.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
