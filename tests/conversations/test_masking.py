"""What is left of a message when nobody may be recognised in it."""

import pytest

from conversations.masking import mask


@pytest.mark.parametrize(
    ("text", "names", "masked"),
    [
        pytest.param("termijn? 2026-0042", [], "termijn? 0000-0000", id="an invoice number keeps its shape"),
        pytest.param("bel 06 12345678\nvrijdag", [], "bel 00 00000000 vrijdag", id="a telephone number, on one line"),
        pytest.param("mail fenna@varen.example!", [], "mail …!", id="e-mail"),
        pytest.param("van NL02ABNA0123456789 of nl02 abna 0123 4567 89", [], "van IBAN of IBAN", id="accounts"),
        pytest.param("BE68 5390 0754 7034 klopt niet", [], "IBAN klopt niet", id="a Belgian account"),
        pytest.param("ik woon op 1234 AB 12", [], "ik woon op 0000 XX 00", id="an address"),
        pytest.param("zie https://x.example/p/abc nu", [], "zie … nu", id="a link"),
        pytest.param("ik, fenna, wil iets", ["Fenna Varenblad"], "ik, …, wil iets", id="a name on file, as typed"),
        pytest.param("Varenblads factuur", ["Fenna Varenblad"], "Varenblads factuur", id="another word"),
        pytest.param("de factuur", ["Bo de Wit"], "de factuur", id="not the little words of a name"),
        pytest.param("mijn naam is Jan van der Berg en ik", [], "mijn naam is … en ik", id="who says who they are"),
        pytest.param("Ich heiße Jürgen Groß und", [], "Ich heiße … und", id="in German"),
        pytest.param("je m’appelle Zoé", [], "je m’appelle …", id="in French"),
        pytest.param("hoe dan? Groetjes, Anna", [], "hoe dan? Groetjes, …", id="who signs"),
        pytest.param("ben ik te laat met betalen", [], "ben ik te laat met betalen", id="nothing to hide"),
    ],
)
def test_mask(text: str, names: list[str], masked: str) -> None:
    assert mask(text, names) == masked


def test_a_hostile_text_costs_little() -> None:
    assert mask("A" * 2_000 + "@" * 2_000) == "A" * 2_000 + "@" * 2_000
    assert mask("NL02" + " AB1" * 1_000)
