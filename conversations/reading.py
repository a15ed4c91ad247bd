"""What a message means, before it is decided who answers: a tap, a number, a keyword, or words that are understood."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from conversations.optout import IN_WORDS, OUT_WORDS, lone_word
from core.hold import INTERRUPTS, Reason, care_of
from core.ids import OutboundId
from core.message import Option

NOT_UNDERSTOOD = "out_of_scope"
_BARE = re.compile(r"\d{4,12}")
# The value of a message that something came with, a picture most likely.
PICTURE = "picture"
# By which of these somebody says who they are.
NUMBERS = ("invoice_number", "customer_number")


class Parsed(Protocol):
    """understanding.Parse, as far as a conversation needs it."""

    @property
    def language(self) -> str | None: ...

    def as_json(self) -> dict[str, Any]:
        """The shape of `effen understand`."""
        ...

    def for_engine(self) -> dict[str, Any]:
        """Rasa's parse_data."""
        ...


class Understanding(Protocol):
    def parse(self, text: str, hint: str | None = None) -> Parsed:
        """Blocks for some milliseconds: call it in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that was shown: its option, its place from 1, and until when it means something."""

    id: str
    position: int
    option: Option
    expires_at: datetime
    outbound: OutboundId
    ours: bool = False  # not the dialogue's: a reminder, or a second wish


@dataclass(frozen=True, slots=True)
class Reading:
    intent: str  # the full name
    engine: Mapping[str, Any]  # Rasa's parse_data, never empty
    care: Reason | None = None
    language: str | None = None  # None: not clear
    foreign: bool = False  # clearly in a language that is none of ours
    tapped: bool = False
    expired: bool = False  # a tap on a button that means nothing any more
    entities: Sequence[Mapping[str, Any]] = field(default_factory=list)
    readings: Sequence[str] = ()  # not certain: what it may mean, likeliest first
    also: Mapping[str, Any] | None = None  # a second wish: {"intent", "text"}
    answered: OutboundId | None = None  # the message whose button was tapped

    @property
    def said(self) -> Reason | None:
        """The care that the message asks for; what the care watch heard beside another wish is only suspected."""
        return self.care if self.care is care_of(self.intent) else None

    @property
    def asks_for(self) -> str | None:
        """The language that is asked for by its name ("kan het in het Engels?")."""
        named = (str(value["value"]) for value in self.entities if value["entity"] == "language")
        return next(named, None) if self.intent == "switch_language" else None

    def as_json(self) -> dict[str, Any]:
        """What the store keeps, and the desk shows."""
        return {
            "intent": dict(self.engine["intent"]) | {"name": self.intent},
            "care": self.care,
            "language": self.language,
            "tapped": self.tapped,
            "entities": list(self.entities),
            "readings": list(self.readings),
            "also": dict(self.also) if self.also else None,
        }


def of_option(option: Option, answered: OutboundId | None = None) -> Reading:
    """A tap says exactly what its button meant, a language chosen included; `answered`: the message that it was on."""
    certain = _certain(option.intent, option.entities, tapped=True)
    return replace(certain, answered=answered, language=option.entities.get("language"))


def of_keyword(intent: str) -> Reading:
    return _certain(intent, {})


def of_picture() -> Reading:
    """Something sent without a word: a value, as a form may have asked for."""
    return _certain("inform", {PICTURE: "sent"})


def with_picture(heard: Reading) -> Reading:
    """Words that something came with."""
    sent = {"entity": PICTURE, "value": "sent"}
    engine = {**heard.engine, "entities": [*heard.engine["entities"], sent]}
    return replace(heard, engine=engine, entities=[*heard.entities, sent])


def number_in(heard: Reading, text: str) -> Reading | None:
    """The words as the number that was asked for, whatever else they say; None where there is none in them."""
    values = heard.engine["entities"]
    named = [value for value in values if value["entity"] in NUMBERS]
    alone = text.strip()
    if not named and _BARE.fullmatch(alone) and not any(value["entity"] == "phone" for value in values):
        named = [{"entity": "customer_number", "value": alone, "start": 0, "end": len(text)}]
    if not named or heard.tapped:
        return None
    certain = {"name": "inform", "confidence": 1.0}
    rest = [value for value in values if value not in named]
    return replace(heard, engine={**heard.engine, "intent": certain, "entities": [*named, *rest]})


def expired() -> Reading:
    """A tap on a button that means nothing any more."""
    return _certain(NOT_UNDERSTOOD, {}, tapped=True, expired=True)


def _certain(intent: str, values: Mapping[str, str], *, tapped: bool = False, expired: bool = False) -> Reading:
    # `dispute/amount` is one intent with a reason (docs/architecture.md).
    name, _, reason = intent.partition("/")
    entities = [{"entity": entity, "value": value} for entity, value in values.items()]
    if reason:
        entities.append({"entity": f"{name}_reason", "value": reason})
    certain = {"name": name, "confidence": 1.0}
    engine = {"text": "", "intent": certain, "intent_ranking": [certain], "entities": entities}
    return Reading(intent, engine, care_of(intent), tapped=tapped, expired=expired, entities=entities)


def of_parse(parsed: Parsed, *, form_open: bool = False) -> Reading:
    """Words, as they were understood; what the care watch heard counts beside the intent.

    Where they are in doubt, they are not understood, and the person is asked; a form has a question of its own.
    """
    json = parsed.as_json()
    intent, engine = json["intent"]["name"], parsed.for_engine()
    care = json["care"]["name"]
    readings = () if form_open else tuple(json["readings"])
    if readings:
        intent = NOT_UNDERSTOOD
        engine = {**engine, "intent": {**engine["intent"], "name": intent}}
    return Reading(
        intent,
        engine,
        care_of(care or "") or care_of(intent),
        parsed.language,
        foreign=parsed.language is None,
        entities=json["entities"],
        readings=readings,
        also=json["also"],
    )


def keyword(text: str, channel: str, *, form_open: bool, opted_out: bool) -> str | None:
    """The intent of a lone keyword: providers' opt-out words opt out; elsewhere "stop" leaves an open form first."""
    word = lone_word(text)
    provider = channel in ("sms", "whatsapp")
    if word in IN_WORDS and opted_out:
        return "opt_in"
    if word == "stop" and not provider:
        return "cancel" if form_open else "opt_out"
    if word in OUT_WORDS and provider:
        return "opt_out"
    return None


def chosen(offers: Sequence[Offer], button: str | None, text: str, now: datetime) -> Offer | None:
    """The offer that was tapped, or typed as its number: of the last message that had any."""
    if button is not None:
        return next((offer for offer in offers if offer.id == button), None)
    typed = text.strip().rstrip(".)")
    if not typed.isdecimal() or len(typed) > 2 or not offers:
        return None
    last = offers[-1].outbound
    return next((o for o in offers if o.outbound == last and o.position == int(typed) and o.expires_at > now), None)


def agreed(offers: Sequence[Offer], now: datetime) -> Offer | None:
    """What a yes means where the latest message is one that the dialogue knows nothing of: its first option."""
    if not offers or not offers[-1].ours:
        return None
    last = (offer for offer in offers if offer.outbound == offers[-1].outbound)
    return next((offer for offer in last if offer.option.intent != "deny" and offer.expires_at > now), None)


def interrupts(reading: Reading, form: str | None) -> bool:
    """Whether this breaks an open form at once. A form is not interrupted by its own intent, nor by a suspicion."""
    if form is None:
        return False
    own = form.removesuffix("_form")
    name = reading.intent.partition("/")[0]
    if reading.tapped:
        return name not in (own, "inform", "affirm", "deny", "cancel")
    reason = reading.said or (Reason(name) if name in INTERRUPTS else None)
    return reason is not None and reason != own


def language_of(reading: Reading, spoken: Sequence[str | None], creditor_languages: Sequence[str]) -> str:
    """The answer's language: the one asked for, else the message's when it is clear, else the first of `spoken`."""
    for language in (reading.asks_for, reading.language, *spoken):
        if language in creditor_languages:
            assert language is not None
            return language
    return creditor_languages[0]
