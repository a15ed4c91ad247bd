"""Texts of a size, and SMS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locales import gsm7, layout


@pytest.mark.parametrize(
    ("text", "size", "texts"),
    [
        pytest.param("", 10, [""], id="nothing"),
        pytest.param("kort", 10, ["kort"], id="short"),
        pytest.param("een twee drie", 8, ["een twee", "drie"], id="between words"),
        pytest.param("Eerste zin. Tweede zin", 14, ["Eerste zin.", "Tweede zin"], id="between sentences"),
        pytest.param("Een\ntwee drie vier", 12, ["Een\ntwee", "drie vier"], id="a line far from the end is no place"),
        pytest.param("Alinea een\n\nAlinea twee", 16, ["Alinea een", "Alinea twee"], id="between paragraphs"),
        pytest.param("abcdefghij", 4, ["abcd", "efgh", "ij"], id="a word longer than a message"),
    ],
)
def test_split(text: str, size: int, texts: list[str]) -> None:
    assert layout.split(text, size) == texts


@given(st.text(alphabet="ab .\n€", max_size=200), st.integers(min_value=4, max_value=40))
def test_split_loses_nothing(text: str, size: int) -> None:
    texts = layout.split(text, size)
    assert "".join("".join(texts).split()) == "".join(text.split())
    assert all(len(each) <= size for each in texts)


@pytest.mark.parametrize(
    ("text", "plain", "cheap"),
    [
        ("Typ “medewerker” – nu…", 'Typ "medewerker" - nu...', True),
        ("C’est noté : 12,50\u202f€", "C'est noté : 12,50 €", True),
        ("Écrivez «\u00a0tout\u00a0» ou « stop »", 'Écrivez "tout" ou "stop"', True),
        ("ça, naïve, être, cœur, Zoë", "ca, naive, etre, coeur, Zoe", True),
        ("Über Straße, größer", "Über Straße, größer", True),
        ("één, à la, ñ", "één, à la, ñ", True),
        ("Привет", "Привет", False),
        ("hoi 👋", "hoi 👋", False),
    ],
)
def test_gsm7(text: str, plain: str, cheap: bool) -> None:
    assert gsm7.plain(text) == plain
    assert gsm7.fits(plain) is cheap
