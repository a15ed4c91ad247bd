"""What a turn costs late in one conversation."""

from collections.abc import Awaitable, Callable
from statistics import median

from bench.people import answered
from bench.scenarios import Scenario, Talk
from bench.timing import Round

# Around these turns; ten are taken together, because our dialogue's session rolls over and its cost goes up and down.
AT = (10, 100, 400)
_AROUND = 10


async def growth(prepare: Callable[[], Awaitable[Talk]], text: str, turns: int) -> dict[int, float]:
    """The median cost, in seconds, of the ten turns up to each of AT, in one conversation of so many turns."""
    talk, result = await prepare(), Round()
    for _ in range(turns):
        await talk.person.say(result, text, answered)
    return {at: median(result.turns[at - _AROUND : at]) for at in AT if at <= turns}


def preparation(scenarios: list[Scenario], name: str) -> Callable[[], Awaitable[Talk]]:
    return next(scenario.prepare for scenario in scenarios if scenario.name.startswith(name))
