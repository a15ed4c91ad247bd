"""The sentences themselves: enough of each, none twice, and none that also judges."""

import difflib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from app.repository import SENTENCES
from bench.nlu.messages import LANGUAGES, held_out
from understanding import examples
from understanding.care import is_care
from understanding.examples import Example
from understanding.text import readable

CLOSED = ("affirm", "deny", "cancel", "greet", "goodbye", "thank", "help", "inform", "switch_language")
LEAST = 80
LEAST_OF_CARE = 150
LEAST_OF_CLOSED = 25
# Of difflib's ratio, on words in lower case
TOO_LIKE_ITS_NEIGHBOUR = 0.9
TOO_LIKE_A_TEST = 0.93
EVERYBODYS = 2  # words: "stop", "ja", "merci" and "good morning" are in any honest set of either kind

_PUNCTUATION = re.compile(r"""[.,;:!?…'"’`()«»„“”-]+""")
_PAIRS = 2_048
_LOOSE = 0.15  # pairs of letters see less likeness than difflib does


@pytest.fixture(scope="module")
def sentences() -> list[Example]:
    """As they stand in the files: `examples.read` would keep one of two."""
    return [
        Example(line.removeprefix("- "), block["intent"], file.parent.name)
        for file in examples.files(SENTENCES)
        for block in yaml.safe_load(file.read_text("utf-8"))["nlu"]
        for line in block["examples"].splitlines()
    ]


@pytest.fixture(scope="module")
def counts(sentences: list[Example]) -> Counter[tuple[str, str]]:
    return Counter((sentence.language, sentence.intent) for sentence in sentences)


@pytest.mark.parametrize("language", LANGUAGES)
def test_enough_of_every_intent(language: str, counts: Counter[tuple[str, str]]) -> None:
    intents = {intent for _, intent in counts}
    too_few = {intent: counts[language, intent] for intent in intents if counts[language, intent] < _least(intent)}
    assert too_few == {}


def test_no_sentence_means_two_things(sentences: list[Example]) -> None:
    """In any two languages: the encoder hardly knows one from another."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for sentence in sentences:
        meanings[_words(sentence.text)].add(sentence.intent)
    assert {text: found for text, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_sentences_of_an_intent_are_alike(language: str, sentences: list[Example]) -> None:
    by_intent: dict[str, list[str]] = defaultdict(list)
    for sentence in sentences:
        if sentence.language == language:
            by_intent[sentence.intent].append(_words(sentence.text))
    alike = [
        (intent, texts[a], texts[b])
        for intent, texts in by_intent.items()
        for a, b in _alike(texts, texts, TOO_LIKE_ITS_NEIGHBOUR)
        if a < b
    ]
    assert alike == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_test_is_in_the_training(language: str, sentences: list[Example]) -> None:
    """The held-out text is not shown: half of it is not to be read."""
    trained = [_words(sentence.text) for sentence in sentences if sentence.language == language]
    judging = held_out(language)
    texts = [_words(message.text) for message in judging]
    copied = sorted(
        (judging[a].intent, trained[b])
        for a, b in _alike(texts, trained, TOO_LIKE_A_TEST)
        if len(texts[a].split()) > EVERYBODYS
    )
    assert copied == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_held_out_set(language: str, counts: Counter[tuple[str, str]]) -> None:
    """Five hundred to read, and half as many to measure by alone; every intent in both."""
    judging = held_out(language)
    intents = {intent for _, intent in counts}
    assert len(judging) == len({_words(message.text) for message in judging})
    for half, least in (("dev", 500), ("locked", 240)):
        own = [message.intent for message in judging if message.half == half]
        assert len(own) >= least and set(own) == intents


def _least(intent: str) -> int:
    if intent in CLOSED:
        return LEAST_OF_CLOSED
    return LEAST_OF_CARE if is_care(intent) else LEAST


def _words(text: str) -> str:
    return " ".join(_PUNCTUATION.sub(" ", readable(text).casefold()).split()) or text


def _alike(left: Sequence[str], right: Sequence[str], limit: float) -> Iterator[tuple[int, int]]:
    """Where two texts are nearly the same; pairs of letters sort out most before difflib, which is slow, looks."""
    a, b = _letter_pairs(left), _letter_pairs(right)
    likeness = 2 * (a @ b.T) / (a.sum(axis=1)[:, None] + b.sum(axis=1)[None])
    matcher = difflib.SequenceMatcher(autojunk=False)
    for i, j in np.argwhere(likeness > limit - _LOOSE).tolist():
        matcher.set_seqs(left[i], right[j])
        if matcher.real_quick_ratio() > limit and matcher.quick_ratio() > limit and matcher.ratio() > limit:
            yield i, j


def _letter_pairs(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    found = np.zeros((len(texts), _PAIRS), np.float32)
    for row, text in enumerate(texts):
        for first, second in itertools.pairwise(f" {text} "):
            found[row, (31 * ord(first) + 7 * ord(second)) % _PAIRS] = 1
    return found
