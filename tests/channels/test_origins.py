"""Which web pages may talk to us."""

import pytest

from channels.origins import Origins
from tests.channels.desk import listed


@pytest.mark.parametrize(
    ("public_url", "origin", "creditor", "allowed"),
    [
        pytest.param("https://effen.example", "https://effen.example", None, True, id="our own"),
        pytest.param("https://effen.example/chat", "https://effen.example", None, True, id="below a path"),
        pytest.param("https://effen.example", "http://effen.example", None, False, id="another scheme"),
        pytest.param("https://effen.example", "https://effen.example:444", None, False, id="another port"),
        pytest.param("https://effen.example", None, "bloem", True, id="no browser's page"),
        pytest.param("https://effen.example", "https://bloem.example", None, True, id="a creditor's"),
        pytest.param("https://effen.example", "https://bloem.example", "bloem", True, id="this creditor's"),
        pytest.param("https://effen.example", "https://bloem.example", "tak", False, id="another creditor's"),
        pytest.param("https://effen.example", "null", None, False, id="a page that hides its origin"),
        pytest.param("https://effen.example", "http://localhost", None, False, id="the own machine"),
        pytest.param("http://localhost:8080", "http://127.0.0.1:8080", None, True, id="the own machine by number"),
        pytest.param("http://127.0.0.1:8080", "http://[::1]:8080", None, True, id="the own machine, IPv6"),
        pytest.param("http://localhost:8080", "http://localhost:3000", None, False, id="another port of it"),
    ],
)
def test_origins(public_url: str, origin: str | None, creditor: str | None, allowed: bool) -> None:
    assert Origins(public_url, listed).allow(origin, creditor) is allowed
