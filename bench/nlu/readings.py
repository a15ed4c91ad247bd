"""What the product makes of each message: the whole way, with thresholds, word list and language."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.nlu.messages import Message
from understanding import Understanding


@dataclass(frozen=True)
class Reading:
    """said: the intent acted on; ranking: the three likeliest; sure: the confidence of the first; also: a second wish;
    seconds: it took."""

    message: Message
    said: str
    ranking: tuple[str, ...]
    sure: float
    care: str | None
    language: str | None
    also: str | None
    seconds: float

    @property
    def truth(self) -> str:
        return self.message.intent


def read(understanding: Understanding, messages: Sequence[Message], hint: str | None = None) -> list[Reading]:
    """Parse each message; hint: the language of the conversation that they are in."""
    found = []
    for message in messages:
        began = time.perf_counter()
        parse = understanding.parse(message.text, hint)
        took = time.perf_counter() - began
        ranking = tuple(intent.name for intent in parse.ranking[:3])
        also = parse.also.intent if parse.also else None
        sure, care = parse.ranking[0].confidence, parse.care.name
        found.append(Reading(message, parse.intent.name, ranking, sure, care, parse.language, also, took))
    return found
