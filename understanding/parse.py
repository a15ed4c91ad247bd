"""What one message says, as the app, the desk and the engine get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from understanding.care import Care, family
from understanding.entities import Entity
from understanding.text import LIMIT

_RANKED = 10


@dataclass(frozen=True)
class Intent:
    """name: as in the list of intents (`dispute/amount`); confidence: calibrated, 0 to 1."""

    name: str
    confidence: float

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "confidence": round(self.confidence, 4)}


@dataclass(frozen=True)
class Also:
    """A second wish in the same message, and the words that say it."""

    intent: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"intent": self.intent, "text": self.text}


@dataclass(frozen=True)
class Parse:
    """text: storable; language: None when unknown; intent: to act on; ranking: what the head said, best first.

    readings: where the intent is not certain, the likely ones to choose from (see `understanding.doubt`); also: a
    second wish (see `understanding.clauses`).
    """

    text: str
    language: str | None
    intent: Intent
    ranking: tuple[Intent, ...]
    care: Care
    entities: tuple[Entity, ...]
    readings: tuple[str, ...] = ()
    also: Also | None = None

    def as_json(self) -> dict[str, Any]:
        """The object that `effen understand` prints."""
        return {
            "text": self.text,
            "language": self.language,
            "intent": self.intent.as_json(),
            "intent_ranking": [intent.as_json() for intent in self.ranking[:_RANKED]],
            "care": {"name": self.care.name, "confidence": round(self.care.confidence, 4)},
            "entities": [entity.as_json() for entity in self.entities],
            "readings": list(self.readings),
            "also": self.also.as_json() if self.also else None,
        }

    def for_engine(self) -> dict[str, Any]:
        """Rasa's `parse_data`: `dispute/amount` is the intent `dispute` with the entity `dispute_reason`, `amount`."""
        entities = [entity.as_json() for entity in self.entities]
        text = self.text[:LIMIT]
        if "/" in self.intent.name:
            reason = self.intent.name.split("/", 1)[1]
            entities.append({"entity": "dispute_reason", "value": reason, "start": 0, "end": len(text)})
        shares: dict[str, float] = {}
        for intent in self.ranking:
            shares[family(intent.name)] = shares.get(family(intent.name), 0.0) + intent.confidence
        ranking = sorted(shares.items(), key=lambda share: -share[1])[:_RANKED]
        return {
            "text": text,
            "intent": Intent(family(self.intent.name), self.intent.confidence).as_json(),
            "intent_ranking": [Intent(*share).as_json() for share in ranking],
            "entities": entities,
        }
