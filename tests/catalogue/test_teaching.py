"""What the ranking is taught."""

import itertools

import pytest

from bench.answers.questions import LANGUAGES, questions
from catalogue import teaching
from catalogue.published import PRODUCT
from catalogue.ranking import ALWAYS, PRIVATE
from catalogue.words import stems
from understanding.examples import Example

LIKE = 0.8  # of the stems of two questions


@pytest.fixture(scope="module")
def taught() -> teaching.Taught:
    return teaching.read(teaching.TAUGHT)


def test_no_question_that_judges_is_taught(taught: teaching.Taught) -> None:
    """The questions are not shown: half of them are not to be read."""
    judging = [stems(one.text) for one in questions()]
    texts = [one.text for one in taught.asked] + [text for _, text, _ in taught.facets]
    copied = [
        text
        for text, judge in itertools.product(texts, judging)
        if len(mine := stems(text)) > 2 and len(mine & judge) >= LIKE * len(mine | judge)
    ]
    assert copied == []


def test_every_topic_is_asked_in_every_language(taught: teaching.Taught) -> None:
    topics = {one.topic for one in taught.asked}
    spoken = {(one.topic, one.language) for one in taught.asked}
    assert spoken == set(itertools.product(topics, LANGUAGES))
    assert {topic for topic in topics if topic.startswith(PRIVATE)}


def test_what_every_product_has_is_a_facet(taught: teaching.Taught) -> None:
    assert set(ALWAYS) <= {facet for _, _, facet in taught.facets}


def test_sources_are_told_apart(taught: teaching.Taught) -> None:
    identifiers = [(entry.source.kind, entry.source.identifier) for entry in taught.entries]
    assert len(identifiers) == len(set(identifiers))
    assert all(len(entry.texts) >= 2 for entry in taught.entries)
    assert {entry.source.kind for entry in taught.entries} == {PRODUCT, "faq"}


def test_private_is_what_no_shop_publishes() -> None:
    intents = ("ask_return", "ask_product", "pay")
    private = teaching.private([Example(f"{n}", intent, "nl") for n in range(50) for intent in intents])
    assert {one.topic for one in private} == {PRODUCT, f"{PRIVATE}pay"}
    assert len(private) < 50 and not any(one.answered for one in private)


def test_the_fingerprint_is_of_the_understanding_too() -> None:
    assert teaching.fingerprint("one") == teaching.fingerprint("one") != teaching.fingerprint("another")
