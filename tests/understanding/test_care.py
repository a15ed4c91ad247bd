"""The care words, with what only sounds like them; and how care and intent settle what is acted on."""

import re

import numpy as np
import pytest

from tests.understanding.conftest import Trained
from understanding.care import CRISIS, Care, CareWatch, CareWords
from understanding.model import decide
from understanding.parse import Intent
from understanding.weights import Floats


@pytest.fixture(scope="module")
def words() -> CareWords:
    return CareWords()


SAID = {
    "self_harm": [
        "si vous rappelez encore je me fous en l'air",
        "straks jaag ik een kogel door mijn kop",
        "i could slit my wrists over this",
        "dann geb ich mir die Kugel",
        "ik wil niet meer leven",
        "Ik wil echt niet meer leven...",
        "ik maak er een einde aan",
        "ik spring voor de trein",
        "ik denk steeds aan zelfmoord",
        "jullie zijn beter af, zonder mij is iedereen beter af",
        "I don't want to live anymore",
        "i’m going to kill myself",
        "I WANT TO DIE",
        "feeling suicidal tbh",
        "everyone would be better off without me",
        "je veux mourir",
        "j'ai envie d'en finir avec la vie",
        "je pense souvent au suicide",
        "ich will nicht mehr leben",
        "ich bring mich um",
        "Selbstmord ist der einzige Ausweg",
        "ik schaam me zo, wil dood",
        "mijn hond is weg, wil dood",
        "ik lach me dood maar eigenlijk wil ik niet meer leven",
    ],
    "report_deceased": [
        "mijn man is vorige week overleden",
        "mijn moeder leeft niet meer",
        "hier is de overlijdensakte",
        "my husband has died",
        "my late father ordered this",
        "she passed away in March",
        "mon mari est décédé",
        "ma mère est morte",
        "le décès de mon père",
        "mein Vater ist letzte Woche verstorben",
        "meine Frau ist tot",
        "anbei die Sterbeurkunde",
    ],
}

HARMLESS = [
    "ik lach me dood",
    "haha ik lach mij echt kapot",
    "ik verveel me dood",
    "mijn orchidee is dood aangekomen",
    "mijn goudvis is dood",
    "de plant is na twee weken gestorven",
    "doodsimpel toch",
    "de batterij is dood",
    "ik wil niet meer betalen",
    "ik wil niet langer wachten",
    "ik betaal niet want die is door jullie fout ontstaan",
    "wil je dood plantmateriaal terugnemen",
    "een einde aan mijn abonnement",
    "i'm dead lol",
    "this price is killing me",
    "my back is killing me",
    "i'd die for that monstera",
    "the plants died within a week",
    "my phone died",
    "you scared me to death",
    "kill it with the discount",
    "i want to end my subscription",
    "je suis mort de rire",
    "je meurs de faim",
    "la plante est déjà morte",
    "je veux disparaître de vos fichiers",
    "you will be the death of my battery",
    "mijn kamerplant is overleden in de vakantie",
    "mijn voetbalclub heeft zelfmoord gepleegd met die opstelling",
    "lebensmüde wer die ohne Handschuhe schneidet",
    "je veux en finir avec cet abonnement",
    "ich lache mich tot",
    "der Akku ist tot",
    "die Pflanze ist nach zwei Tagen gestorben",
    "ich sterbe vor Langeweile",
    "ich will nicht mehr zahlen",
    "veuillez me supprimer de votre liste",
    "je me tue à vous le dire, j'ai payé",
    "ma comptable va me tuer sans cette facture",
    "can i top myself up with credit",
    "",
]


@pytest.mark.parametrize(
    ("text", "name"), [(text, name) for name, texts in SAID.items() for text in texts], ids=lambda value: value
)
def test_crisis_words(words: CareWords, text: str, name: str) -> None:
    assert words.find(text) == name


@pytest.mark.parametrize("text", HARMLESS)
def test_words_that_only_sound_like_it(words: CareWords, text: str) -> None:
    assert words.find(text) is None


def test_a_crisis_at_the_end_of_a_long_story_is_seen(words: CareWords) -> None:
    assert words.find("en toen " * 1_000 + "ik wil niet meer leven") == "self_harm"


def test_words_are_whole_words(words: CareWords) -> None:
    assert words.find("ik ben niet overledene en geen suicidale") is None
    assert re.search("suicid", "suicidale")


def ranking(*shares: tuple[str, float]) -> tuple[Intent, ...]:
    return tuple(Intent(*share) for share in shares)


@pytest.mark.parametrize(
    ("head", "care", "expected"),
    [
        pytest.param([("pay", 0.8)], Care(None, 0.1), ("pay", 0.8), id="sure, no care"),
        pytest.param([("pay", 0.2), ("greet", 0.1)], Care(None, 0.1), ("out_of_scope", 0.8), id="unsure, no care"),
        pytest.param(
            [("dispute/amount", 0.3), ("dispute/returned", 0.25), ("pay", 0.2)],
            Care(None, 0.1),
            ("dispute/amount", 0.55),
            id="reasons of a dispute count together",
        ),
        pytest.param([("pay", 0.9)], Care("self_harm", 0.6), ("self_harm", 0.6), id="crisis wins over a sure head"),
        pytest.param([("hardship", 0.9)], Care("report_deceased", 0.6), ("report_deceased", 0.6), id="death wins"),
        pytest.param([("self_harm", 0.9)], Care("self_harm", 0.6), ("self_harm", 0.9), id="both say crisis"),
        pytest.param([("pay_later", 0.9)], Care("hardship", 0.7), ("pay_later", 0.9), id="hardship beside a sure wish"),
        pytest.param([("pay_later", 0.2)], Care("hardship", 0.7), ("hardship", 0.7), id="hardship when unsure"),
        pytest.param(
            [("dispute/amount", 0.6)],
            Care("dispute/returned", 0.5),
            ("dispute/amount", 0.6),
            id="the head knows the reason",
        ),
    ],
)
def test_what_is_acted_on(head: list[tuple[str, float]], care: Care, expected: tuple[str, float]) -> None:
    said = decide(ranking(*head), care, 0.35)
    assert said.name == expected[0]
    assert said.confidence == pytest.approx(expected[1])


NAMES = ("complaint", "dispute/amount", "dispute/returned", "hardship", "pay", "report_deceased", "self_harm")


@pytest.mark.parametrize(
    ("text", "shares", "expected"),
    [
        pytest.param("x", {"pay": 0.99}, (None, 0.01), id="no care"),
        pytest.param("x", {"pay": 0.85, "self_harm": 0.12}, ("self_harm", 0.12), id="a crisis is seen early"),
        pytest.param(
            "x", {"hardship": 0.8, "report_deceased": 0.15}, ("report_deceased", 0.15), id="crisis goes first"
        ),
        pytest.param(
            "x", {"report_deceased": 0.75, "self_harm": 0.2}, ("self_harm", 0.2), id="a life goes before a death"
        ),
        pytest.param(
            "x", {"dispute/amount": 0.1, "dispute/returned": 0.12}, ("dispute/returned", 0.22), id="reasons add up"
        ),
        pytest.param("x", {"complaint": 0.2, "hardship": 0.3}, ("hardship", 0.3), id="the likelier care"),
        pytest.param("x", {"complaint": 0.1, "dispute/amount": 0.1}, (None, 0.2), id="a hint of each is no care"),
        pytest.param("ik wil niet meer leven", {"pay": 0.9}, ("self_harm", 0.9), id="words see what the head missed"),
        pytest.param("ik wil niet meer leven", {"hardship": 0.9}, ("self_harm", 0.9), id="words of self-harm always"),
        pytest.param("mijn man is overleden", {"pay": 0.9}, ("report_deceased", 0.9), id="words of a death"),
        pytest.param(
            "mijn man is overleden", {"hardship": 0.8}, ("hardship", 0.8), id="a death as a cause of hardship"
        ),
        pytest.param(
            "hij pleegde zelfmoord, suicide", {"report_deceased": 0.8}, ("report_deceased", 0.8), id="of another"
        ),
    ],
)
def test_what_the_watch_sees(
    words: CareWords, text: str, shares: dict[str, float], expected: tuple[str | None, float]
) -> None:
    care = CareWatch(NAMES, words).look(text, np.array([shares.get(name, 0) for name in NAMES], np.float32))
    assert care.name == expected[0]
    if care.name:
        assert care.confidence == pytest.approx(expected[1], abs=1e-3)


@pytest.mark.parametrize(
    ("text", "first", "second", "expected"),
    [
        pytest.param("x", {"pay": 0.8, "dispute/amount": 0.3}, {"pay": 0.9}, (None, 0.15), id="withdrawn"),
        pytest.param(
            "x",
            {"pay": 0.7, "dispute/amount": 0.3},
            {"dispute/returned": 0.16},
            ("dispute/amount", 0.23),
            id="what both suspect stands, in the first's words",
        ),
        pytest.param(
            "x",
            {"pay": 0.8, "self_harm": 0.17},
            {"pay": 1.0},
            ("self_harm", 0.085),
            id="a crisis is not lightly withdrawn",
        ),
        pytest.param("x", {"pay": 0.8, "self_harm": 0.12}, {"pay": 1.0}, (None, 0.06), id="but it is"),
        pytest.param(
            "x", {"dispute/amount": 0.4, "pay": 0.3}, None, ("dispute/amount", 0.4), id="not asked: likeliest"
        ),
        pytest.param(
            "x",
            {"dispute/amount": 0.2, "dispute/returned": 0.2, "pay": 0.1},
            None,
            ("dispute/amount", 0.4),
            id="not asked: another of its family is likeliest",
        ),
        pytest.param("x", {"pay": 0.9, "self_harm": 0.09}, None, (None, 0.09), id="not asked: it never adds"),
        pytest.param(
            "x",
            {"pay": 0.8, "complaint": 0.18},
            {"self_harm": 0.9},
            (None, 0.09),
            id="nor adds other care",
        ),
        pytest.param(
            "x", {"hardship": 0.5, "self_harm": 0.12}, {"pay": 1.0}, ("hardship", 0.5), id="the likeliest care stands"
        ),
        pytest.param(
            "ik wil niet meer leven",
            {"pay": 0.8, "self_harm": 0.1},
            {"pay": 1.0},
            ("self_harm", 0.9),
            id="the words stand",
        ),
    ],
)
def test_a_second_opinion(
    words: CareWords,
    text: str,
    first: dict[str, float],
    second: dict[str, float] | None,
    expected: tuple[str | None, float],
) -> None:
    def opinion(asked: str) -> dict[str, float]:
        assert asked == text
        assert second is not None, "there is nothing to ask about"
        return second

    care = CareWatch(NAMES, words, opinion).look(text, np.array([first.get(name, 0) for name in NAMES], np.float32))
    assert care.name == expected[0]
    assert care.confidence == pytest.approx(expected[1], abs=1e-3)


@pytest.mark.parametrize(
    ("text", "read_again", "expected"),
    [
        pytest.param("ik lach me dood", {}, True, id="nothing else"),
        pytest.param("ik lach me dood om die prijs", {"pay": 0.9}, True, id="the rest is harmless"),
        pytest.param("ik lach me dood, tot straks daarboven", {"self_harm": 0.5}, False, id="the rest is not"),
        pytest.param("ik lach me dood, nee echt: ik wil dood", {"pay": 0.9}, False, id="the words say it"),
        pytest.param("tot straks daarboven", {"pay": 0.9}, False, id="no figure of speech"),
    ],
)
def test_figures_of_speech(words: CareWords, text: str, read_again: dict[str, float], expected: bool) -> None:
    def shares(of: dict[str, float]) -> Floats:
        return np.array([of.get(name, 0) for name in NAMES], np.float32)

    watch = CareWatch(NAMES, words)
    assert watch.only_sounds(text, shares({"self_harm": 0.8}), lambda _: shares(read_again)) is expected
    assert not watch.only_sounds(text, shares({"pay": 0.8}), lambda _: shares(read_again))


@pytest.mark.parametrize("text", ["ik lach me dood", "ik lach me dood, het is al betaald", "ich lache mich tot"])
def test_a_figure_of_speech_is_no_crisis_for_the_whole_model(trained: Trained, text: str) -> None:
    parse = trained.understanding.parse(text)
    assert parse.care.name not in CRISIS
    assert parse.intent.name not in CRISIS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("ik stap er zelf uit, ik wil niet meer leven", "self_harm", id="self-harm in Dutch"),
        pytest.param("mon père est décédé en mai", "report_deceased", id="death in French"),
        pytest.param("ik ben werkloos en heb geen geld om te betalen", "hardship", id="hardship"),
        pytest.param("you charged me twice, the amount is wrong", "dispute/amount", id="dispute"),
    ],
)
def test_care_through_the_whole_model(trained: Trained, text: str, name: str) -> None:
    parse = trained.understanding.parse(text)
    assert parse.care.name == name
    assert parse.intent.name == name
