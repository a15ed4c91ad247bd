"""Which language: short texts by the conversation's, long ones by themselves, and honest about others."""

import pytest

from understanding.language import Languages


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages()


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        pytest.param("hoeveel moet ik nog betalen?", None, "nl", id="nl"),
        pytest.param("how much do I still owe you", None, "en", id="en"),
        pytest.param("combien je dois encore payer", None, "fr", id="fr"),
        pytest.param("wie viel muss ich noch zahlen", None, "de", id="de"),
        pytest.param("ik heb al betaald hoor", "fr", "nl", id="a sentence wins over the hint"),
        pytest.param("where is my parcel please", "nl", "en", id="a sentence in English wins over the hint"),
        pytest.param("english please", "nl", "en", id="asking for English"),
        pytest.param("merci", "fr", "fr", id="one word"),
        pytest.param("ok", "nl", "nl", id="ok, Dutch so far"),
        pytest.param("ok", "fr", "fr", id="ok, French so far"),
        pytest.param("stop", "de", "de", id="stop"),
        pytest.param("status?", "nl", "nl", id="a word of many languages"),
        pytest.param("2026-0042", "nl", "nl", id="number with a hint"),
        pytest.param("2026-0042", None, None, id="number without"),
        pytest.param("K-1001", "fr", "fr", id="customer number"),
        pytest.param("1234 AB 12", "nl", "nl", id="postcode"),
        pytest.param("👍🏽", "de", "de", id="emoji with a hint"),
        pytest.param("😢😢", None, None, id="emoji without"),
        pytest.param("", "nl", "nl", id="empty"),
        pytest.param("quiero pagar mi factura pero no puedo", "nl", None, id="Spanish"),
        pytest.param("Ödeme yapmak istiyorum ama param yok", "nl", None, id="Turkish"),
        pytest.param("nie mogę teraz zapłacić tej faktury", "nl", None, id="Polish"),
        pytest.param("لا أستطيع الدفع الآن", "nl", None, id="Arabic"),
        pytest.param("я не могу заплатить", "nl", None, id="Russian"),
        pytest.param("我不能付款", "en", None, id="Chinese"),
        pytest.param("ne kadar borcum var", "nl", None, id="Turkish, in plain letters"),
        pytest.param("vorrei pagare subito, dove clicco", "nl", None, id="Italian"),
        pytest.param("vreau să plătesc", "nl", None, id="Romanian"),
        pytest.param("Vielen Dank", None, "de", id="two words"),
        pytest.param("IK HEB AL BETAALD VORIGE WEEK", None, "nl", id="capitals"),
        pytest.param("hallo ik " * 20_000, None, "nl", id="long"),
    ],
)
def test_language(languages: Languages, text: str, hint: str | None, expected: str | None) -> None:
    assert languages.of(text, hint) == expected
