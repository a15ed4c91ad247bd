"""The ranking: what it finds among few and among many, and that it is kept as it was."""

from pathlib import Path

import numpy as np
import pytest

from catalogue import ranking as rankings
from catalogue.published import FAQ, PRODUCT, Source
from tests.catalogue import made
from tests.catalogue.made import Made

MANY = 3_000


def test_the_likeliest_comes_first(encoder: Made) -> None:
    sources = [Source(FAQ, "1", "Wat kost verzending?", "nl"), Source(PRODUCT, "2", "Gieter Reiger", "nl")]
    texts = [["Wat kost verzending?", "Verzending kost vijf euro."], ["Gieter Reiger", "Gieter Reiger: 30 cm hoog."]]
    shop = made.published(encoder, sources, texts)
    for question, first in (("was kostet der versand", "1"), ("wie hoch ist reiger", "2")):
        ranked = made.ranking().rank(shop, encoder.vectors([question])[0], question, "de")
        assert [ranked[0].source.identifier, len(ranked)] == [first, 2]
        assert ranked[0].sure > ranked[1].sure


def test_the_sentence_that_comes_nearest(encoder: Made) -> None:
    texts = ["Gieter", "Gieter: Van staal.", "Gieter: Wordt 30 cm hoog.", "Gieter: Lange tuit."]
    shop = made.published(encoder, [Source(PRODUCT, "1", "Gieter", "nl")], [texts])
    (found,) = made.ranking().rank(shop, encoder.vectors(["how tall"])[0], "how tall", "en")
    assert found.best[0] == 1


def test_a_name_is_found_among_many(encoder: Made) -> None:
    names = [f"Stoel nummer{number:05}" for number in range(MANY)]
    names[1234] = "Stoel Kievit"
    shop = made.published(
        encoder,
        [Source(PRODUCT, str(number), name, "nl") for number, name in enumerate(names)],
        [[name, f"{name}: Van hout."] for name in names],
    )
    question = "is kievit er nog"
    ranked = made.ranking().rank(shop, encoder.vectors([question])[0], question, "nl")
    assert ranked[0].source.name == "Stoel Kievit"


@pytest.mark.parametrize("question", ["", "????", "\ud800", "x" * 10_000])
def test_any_text_is_ranked(encoder: Made, question: str) -> None:
    shop = made.published(encoder, [Source(FAQ, "1", "Waarom?", None)], [["Waarom?", "Daarom."]])
    ranked = made.ranking().rank(shop, encoder.vectors([question])[0], question, "nl")
    assert 0 <= ranked[0].sure <= 1


def test_saved_and_loaded(encoder: Made, tmp_path: Path) -> None:
    path, ranking = tmp_path / rankings.FILE, made.ranking()
    assert rankings.fingerprint_of(path) is None
    ranking.save(path, "of these inputs")
    loaded = rankings.load(path)
    assert rankings.fingerprint_of(path) == "of these inputs"
    assert (loaded.sure, loaded.near, loaded.topics.names) == (ranking.sure, ranking.near, ranking.topics.names)
    np.testing.assert_array_equal(loaded.weights, ranking.weights)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / rankings.FILE
    path.write_bytes(b"no such thing")
    assert rankings.fingerprint_of(path) is None
    with pytest.raises(ValueError):
        rankings.load(path)
