"""What a camera reads is what was meant."""

import pytest

from core.errors import BadInput
from core.money import Money
from payments import qr
from tests.qr_reader import read_png, read_svg

_LINK = "https://pay.example/p/AbCdEfGhIjKlMnOpQrStUv"
_IBAN = "NL02ABNA0123456789"


def test_a_link_is_read_from_both_pictures() -> None:
    assert read_png(qr.png(_LINK)) == _LINK
    assert read_svg(qr.svg(_LINK)) == _LINK


@pytest.mark.parametrize(
    ("name", "amount", "reference", "lines"),
    [
        pytest.param(
            "Bloem & Blad BV",
            Money(12345),
            "RF18 5390 0754 7034",
            ["BCD", "002", "1", "SCT", "", "Bloem & Blad BV", _IBAN, "EUR123.45", "", "RF18539007547034"],
            id="structured",
        ),
        pytest.param(
            "Vélo\nVerzonnen " + "x" * 80,
            Money(1),
            "+++090/9337/55493+++",
            [
                "BCD",
                "002",
                "1",
                "SCT",
                "",
                "Vélo Verzonnen " + "x" * 55,
                _IBAN,
                "EUR0.01",
                "",
                "",
                "+++090/9337/55493+++",
            ],
            id="free text",
        ),
        pytest.param(
            "ß" * 70,
            Money(99_999_999_999),
            "é" * 200,
            ["BCD", "002", "1", "SCT", "", "ß" * 70, _IBAN, "EUR999999999.99", "", "", "é" * 140],
            id="too long for version 13",
        ),
    ],
)
def test_a_credit_transfer(name: str, amount: Money, reference: str, lines: list[str]) -> None:
    text = qr.credit_transfer(name, _IBAN, amount, reference)
    assert text.split("\n") == lines
    if len(text.encode()) <= 331:  # what EPC069-12 allows, and what version 13 holds
        assert read_png(qr.png(text)) == text
    else:
        with pytest.raises(BadInput):
            qr.png(text)


@pytest.mark.parametrize("amount", [Money(0), Money(-100), Money(100_000_000_000), Money(100, "USD")])
def test_amounts_that_no_bank_app_takes(amount: Money) -> None:
    with pytest.raises(BadInput):
        qr.credit_transfer("Bloem", _IBAN, amount, "RF18539007547034")
