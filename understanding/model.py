"""The trained model: everything that one message goes through."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from understanding import encoder as encoders
from understanding.care import CRISIS, Care, CareWatch, CareWords, is_care
from understanding.classifier import Classifier
from understanding.clauses import Clause, clauses, wishes
from understanding.doubt import NOTHING, is_wish, readings, weight
from understanding.encoder import Encoder
from understanding.entities import find
from understanding.frame import unframed
from understanding.language import Languages
from understanding.opinion import Opinion
from understanding.parse import Also, Intent, Parse
from understanding.text import readable, storable
from understanding.weights import Floats

MODEL = "model.npz"
CARD = "card.json"

_REMEMBERED = 1_024  # parses of some 10 kB
_MESSAGE = 4  # words that are one, whatever they say
_NO_CARE = Care(None, 0.0)
_THUMBS = {"👍": "affirm", "👎": "deny"}
_DECORATION = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f\u200d\\s!.]")


class Understanding:
    """Parses messages; safe to share between threads, and the same answer for the same text and hint.

    The intent acted on is the head's best name when the probability of its family (all `dispute/…` are one) reaches
    the threshold, else `out_of_scope`. Care changes it in two ways. `self_harm` and `report_deceased` always win: a
    crisis is never talked past. Another care name is reported in `care` (holds and alarms go by that), and becomes
    the intent only when the head is unsure or says something of the same family. A message of several clauses is read
    clause by clause besides (`understanding.clauses`), and without what stands around it (`understanding.frame`).

    untuned: the encoder as it was before it was tuned; None where it is not.
    """

    def __init__(
        self,
        encoder: Encoder,
        center: Floats,
        scale: float,
        intents: Classifier,
        care: CareWatch,
        threshold: float,
        untuned: Encoder | None = None,
    ) -> None:
        self.untuned = untuned
        self._encoder = encoder
        self._center = center
        self._scale = scale
        self._intents = intents
        self._care = care
        self._threshold = threshold
        self._languages = Languages()
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._parse)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of texts, (n, width), as the encoder gives them: the same until there is another encoder."""
        return self._encoder([storable(text) for text in texts])

    def parse(self, text: str, hint: str | None = None) -> Parse:
        """Understand one message; hint: the language of the conversation so far. Never raises for any text.

        The latest are remembered: many people write "ja", "ok" and "hallo".
        """
        return self._remembered(storable(text), hint)

    def _parse(self, text: str, hint: str | None) -> Parse:
        entities = tuple(find(text))
        language = self._languages.of(text, hint)
        certain = _certain(text)
        if certain is not None:
            intent = Intent(certain, 1.0)
            return Parse(text, language, intent, (intent,), _NO_CARE, entities)
        inner, shares = self._inside(text)
        ranking = self._ranking(shares)
        care = self._care.look(text, shares)
        said = decide(ranking, care, self._threshold)
        doubt = readings(ranking, said)
        first, other = wishes(said, certain=not doubt, heard=[self._clause(part) for part in clauses(inner)])
        if first != said:
            said, doubt = first, ()
            care = Care(first.name, first.confidence) if is_care(first.name) else care
        also = Also(other.intent.name, other.text) if other else None
        return Parse(text, language, said, ranking, care, entities, () if also else doubt, also)

    def _inside(self, text: str) -> tuple[str, Floats]:
        """What is read of the text, and the intents' probabilities: without greeting and regards, where a wish is left.

        Of "heel fijn, bedankt" none is: there the thanks are the message.
        """
        inner = unframed(text)
        if inner != text:
            shares = self._literal_shares(inner)
            if len(inner.split()) >= _MESSAGE or is_wish(self._intents.names[int(shares.argmax())]):
                return inner, shares
        return text, self._literal_shares(text)

    def _clause(self, text: str) -> Clause:
        ranking = self._ranking(self._literal_shares(text))
        return Clause(text, Intent(ranking[0].name, weight(ranking)))

    def _ranking(self, shares: Floats) -> tuple[Intent, ...]:
        order = np.argsort(-shares, kind="stable")
        return tuple(Intent(self._intents.names[i], float(shares[i])) for i in order)

    def _literal_shares(self, text: str) -> Floats:
        """The intents' probabilities, without a crisis that is a figure of speech."""
        shares = self._shares(text)
        if not self._care.only_sounds(text, shares, self._shares):
            return shares
        shares = np.where(np.isin(self._intents.names, CRISIS), 0, shares)
        return np.asarray(shares / max(float(shares.sum()), 1e-9), np.float32)

    def _shares(self, text: str) -> Floats:
        vector = (self._encoder([text]) - self._center) * self._scale
        shares: Floats = self._intents.probabilities(vector)[0]
        return shares


def decide(ranking: tuple[Intent, ...], care: Care, threshold: float) -> Intent:
    """The intent to act on: see Understanding."""
    best = ranking[0]
    likely = weight(ranking)
    sure = likely >= threshold
    if care.name in CRISIS and best.name != care.name:
        return Intent(care.name, care.confidence)
    if care.name is not None and not sure:
        return Intent(care.name, care.confidence)
    if sure:
        return Intent(best.name, likely)
    return Intent(NOTHING, 1.0 - likely)


def load(artifact_dir: Path, encoder_model: Path | None = None) -> Understanding:
    """Load what `train` wrote, with the same encoder; raises FileNotFoundError or ValueError when it does not fit."""
    with np.load(artifact_dir / MODEL, allow_pickle=False) as file:
        arrays = dict(file)
    card = json.loads((artifact_dir / CARD).read_text("utf-8"))
    if card["encoder"] != encoders.identity(encoder_model, artifact_dir / encoders.GRAPH):
        raise ValueError("the model was trained with another sentence encoder: train again")
    intents = Classifier.from_arrays(arrays)
    untuned = encoders.open_untuned(artifact_dir) if card["tuned"] else None
    opinion = Opinion.from_arrays(arrays)
    second = partial(opinion.of, untuned=untuned) if opinion and untuned else None
    return Understanding(
        encoders.open_encoder(artifact_dir, encoder_model),
        arrays["center"],
        float(arrays["scale"]),
        intents,
        CareWatch(intents.names, CareWords(), second),
        float(arrays["threshold"]),
        untuned,
    )


def _certain(text: str) -> str | None:
    """The intent of messages that need no model: nothing at all, thumbs, a bare value."""
    if not readable(text):
        return NOTHING
    text = unframed(text)
    thumbs = {_THUMBS.get(c) for c in _DECORATION.sub("", text)}
    if len(thumbs) == 1 and None not in thumbs:
        return thumbs.pop()
    rest = list(text)
    for entity in find(text):
        if entity.entity != "language":
            rest[entity.start : entity.end] = " " * (entity.end - entity.start)
    left = "".join(rest)
    if left != text and not any(c.isalnum() or unicodedata.category(c) == "So" or c in "?+" for c in left):
        return "inform"
    return None
