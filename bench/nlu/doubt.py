"""`python -m bench.nlu.doubt`: what each threshold of doubt costs and saves, on `dev`; the chosen one on `locked` too.

Asked: the person gets readings to choose from. Of the others, acted on rightly or wrongly (a crisis and other care
count as they are decided: they are never asked about). Disputes are one intent here, as the first answer is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.settings import Settings
from bench.nlu.messages import HALVES, LANGUAGES, Message, held_out
from understanding import Understanding, load
from understanding.care import family
from understanding.doubt import NOTHING, SURE, readings
from understanding.parse import Parse

_THRESHOLDS = (0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.80)
_PATTERN = "| {:.2f} | {:.3f} | {:.3f} | {:.3f} | {:.2f} | {:.2f} |"


@dataclass(frozen=True)
class Cost:
    """Shares of all messages; of those asked about: whose answer would have been right; whose intent is offered."""

    right: float
    wrong: float
    asked: float
    needless: float
    offered: float


def cost(parses: Sequence[tuple[Message, Parse]], sure: float) -> Cost:
    right = wrong = needless = offered = within = 0
    for message, parse in parses:
        truth, acted = family(message.intent), family(parse.intent.name) == family(message.intent)
        asked = [family(name) for name in readings(parse.ranking, parse.intent, sure)]
        if not asked:
            right += acted
            wrong += not acted
            continue
        needless += acted
        if truth != NOTHING:
            within += 1
            offered += truth in asked
    every, asking = len(parses), max(len(parses) - right - wrong, 1)
    return Cost(right / every, wrong / every, asking / every, needless / asking, offered / max(within, 1))


def parsed(understanding: Understanding, half: str) -> list[tuple[Message, Parse]]:
    messages = [message for language in LANGUAGES for message in held_out(language) if message.half == half]
    return [(message, understanding.parse(message.text)) for message in messages]


def _line(sure: float, found: Cost) -> str:
    return _PATTERN.format(sure, found.right, found.wrong, found.asked, found.needless, found.offered)


def main() -> None:
    understanding = load(Settings().model_dir)
    dev, locked = (parsed(understanding, half) for half in HALVES)
    print("| sure from | acted on, right | acted on, wrong | asked | would have been right | right one offered |")
    print("| --- | --- | --- | --- | --- | --- |")
    for sure in _THRESHOLDS:
        print(_line(sure, cost(dev, sure)))
    print(f"\n`locked`, at {SURE}:\n\n{_line(SURE, cost(locked, SURE))}")


if __name__ == "__main__":
    main()
