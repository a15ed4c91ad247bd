"""Sure, less sure, or not at all."""

from dataclasses import replace

import pytest

from catalogue.answers import Answer, Answering, Answers, Suggestions
from catalogue.imports import load_faq, load_products
from core.creditor import Creditor
from core.ids import CreditorKey
from core.message import Locale
from core.money import Money
from store.database import Database
from tests.catalogue import made
from tests.catalogue.made import Made
from tests.catalogue.shop import FAQ, PRODUCTS
from tests.clock import FakeClock

KEY = CreditorKey("bloem")


@pytest.fixture
async def answers(database: Database, clock: FakeClock, encoder: Made, shop: Creditor) -> Answers:
    await load_products(database, clock, encoder, shop, PRODUCTS)
    await load_faq(database, clock, encoder, shop, FAQ)
    return Answers(database, Answering(encoder, made.ranking()))


@pytest.mark.parametrize(
    ("question", "locale", "told"),
    [
        pytest.param(
            "wat kost de verzending",
            "nl",
            Answer("De verzending kost € 5.", "https://bloem.example/faq", "Wat kost de verzending?", "nl"),
            id="sure",
        ),
        pytest.param(
            "what does shipping cost",
            "en",
            Answer("Shipping cost is € 5.", None, "What does shipping cost?", "en"),
            id="in the person's own language",
        ),
        pytest.param(
            "mag ik iets zurückschicken",
            "de",
            Answer("Terugsturen mag binnen 30 dagen.", None, "Mag ik iets terugsturen?", "nl"),
            id="in another language",
        ),
        pytest.param(
            "hoe hoog wordt gieter reiger",
            "nl",
            Answer(
                "Wordt 30 cm hoog. Van staal.",
                "https://bloem.example/p-1",
                "Gieter Reiger",
                "nl",
                Money(2100, "EUR"),
                "in_stock",
            ),
            id="a product",
        ),
        pytest.param("kunnen koeien vliegen", "nl", None, id="nothing"),
        pytest.param("", "nl", None, id="no words"),
    ],
)
async def test_find(answers: Answers, question: str, locale: str, told: Answer | None) -> None:
    assert await answers.find(KEY, question, Locale(locale)) == told


async def test_less_sure(answers: Answers) -> None:
    found = await answers.find(KEY, "verzending trein", Locale("nl"))
    assert isinstance(found, Suggestions)
    assert "Wat kost de verzending?" in found.questions
    assert len(found.questions) <= 3


async def test_one_question_in_two_languages_is_offered_once(
    database: Database, encoder: Made, answers: Answers
) -> None:
    doubtful = Answers(database, Answering(encoder, replace(made.ranking(), sure=1.0)))
    for locale, own in (("nl", "Wat kost de verzending?"), ("en", "What does shipping cost?")):
        found = await doubtful.find(KEY, "verzending cost", Locale(locale))
        assert isinstance(found, Suggestions)
        assert [name for name in found.questions if "verzending" in name or "shipping" in name] == [own]


async def test_a_new_import_is_found_at_once(
    database: Database, clock: FakeClock, encoder: Made, shop: Creditor, answers: Answers
) -> None:
    before = await answers.find(KEY, "wat kost de verzending", Locale("nl"))
    await load_faq(database, clock, encoder, shop, FAQ.replace("De verzending kost € 5.", "De verzending kost € 7."))
    after = await answers.find(KEY, "wat kost de verzending", Locale("nl"))
    assert isinstance(before, Answer) and isinstance(after, Answer)
    assert (before.text, after.text) == ("De verzending kost € 5.", "De verzending kost € 7.")


async def test_who_has_published_nothing_answers_nothing(answers: Answers) -> None:
    assert await answers.find(CreditorKey("velo"), "wat kost de verzending", Locale("nl")) is None


async def test_what_another_encoder_has_made_is_not_searched(database: Database, answers: Answers) -> None:
    assert (
        await Answers(database, Answering(Made("other"), made.ranking())).find(KEY, "gieter reiger", Locale("nl"))
        is None
    )


async def test_a_long_answer_is_cut_between_sentences(
    database: Database, clock: FakeClock, encoder: Made, shop: Creditor, answers: Answers
) -> None:
    text = " ".join(["Retour kan bij elk punt in de buurt."] * 40)
    await load_faq(database, clock, encoder, shop, f"language,question,answer\nnl,Waar breng ik retour?,{text}\n")
    found = await answers.find(KEY, "waar breng ik retour", Locale("nl"))
    assert isinstance(found, Answer)
    assert len(found.text) <= 602 and found.text.endswith("buurt. …")
