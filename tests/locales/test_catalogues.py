"""Every key in every catalogue, with the same placeholders; every key that the product says, in the catalogues."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from core.message import Locale
from locales import Renderer
from locales.catalogue import placeholders
from locales.gsm7 import fits, plain
from understanding.care import CRISIS
from understanding.doubt import is_wish

ROOT = Path(__file__).parents[2]
SPEAKING = [
    "app",
    "billing",
    "bot",
    "catalogue",
    "channels",
    "conversations",
    "desk",
    "outreach",
    "payments",
    "simulator",
    "widget",
]
KEY = re.compile(r"[a-z][a-z_]*(\.[A-Za-z0-9_]+)+")
SAYING = {"Say", "say", "Option", "text"}  # calls whose string argument is a message key
IN_TEMPLATE = re.compile(r"""\b(?:t|text)\(\s*["']([a-z_]+\.[\w.]*)["']\s*(~?)""")
LANGUAGES = ["nl", "en", "fr", "de"]
DEBT = re.compile(
    r"schuld|factu|betal|openstaand|herinnering|incasso|bedrag|aanman|€|debt|invoice|\bpay(?!s\b)|owe\b|due\b|reminder|amount"
    r"|outstanding|dette|paie|payer|facture|rappel|montant|impay|rechnung|zahl|mahn|betrag|forderung|fällig|offen",
    re.IGNORECASE,
)
renderer = Renderer()
nl = renderer.catalogues[Locale("nl")].messages


def _texts(language: str, key: str) -> list[str]:
    text = renderer.catalogues[Locale(language)].messages[key]
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_keys(language: str) -> None:
    assert set(renderer.catalogues[Locale(language)].messages) == set(nl)


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_those_of_the_dutch_text(language: str) -> None:
    def named(of: str, key: str) -> set[str]:
        return {name for text in _texts(of, key) for name in placeholders(text)} - {"n"}

    wrong = {key: named(language, key) ^ named("nl", key) for key in nl if named(language, key) != named("nl", key)}
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_buttons_fit_the_smallest_one(language: str) -> None:
    """WhatsApp shows 20 characters of a title."""
    keys = [key for key in nl if key.startswith(("option.", "button.", "reading."))]
    titles = {key: text for key in keys for text in _texts(language, key)}
    assert len(titles) > 10
    assert {key: text for key, text in titles.items() if len(text) > 20} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_stands_on_a_line_of_its_own(language: str) -> None:
    """So that the line can go where the link is a button."""
    wrong = [
        key for key in nl for text in _texts(language, key) if "{link}" in text and "{link}" not in text.split("\n")
    ]
    assert wrong == []


def test_a_french_mark_does_not_begin_a_line() -> None:
    """On a telephone the line breaks at an ordinary space, and the mark would stand alone on the next one."""
    loose = re.compile(r"[^\S\xa0][?!:;»]|«[^\S\xa0]")
    assert [key for key in nl for text in _texts("fr", key) if loose.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_a_plain_equivalent_for_sms(language: str) -> None:
    wrong = {key: text for key in nl for text in _texts(language, key) if not fits(plain(text))}
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_strangers_may_read_says_nothing_about_a_debt(language: str) -> None:
    strangers = [key for key in nl if key.startswith(("intro.", "notice.message_waiting"))]
    assert len(strangers) >= 3
    wrong = {key: text for key in strangers for text in _texts(language, key) if DEBT.search(text)}
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_crisis_answer_says_nothing_about_money(language: str) -> None:
    crisis = [key for key in nl if key.startswith("care.self_harm")]
    assert len(crisis) >= 7
    wrong = {key: text for key in crisis for text in _texts(language, key) if DEBT.search(text)}
    assert wrong == {}


def _said(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that stand where a message key stands."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
                if name in SAYING:
                    yield from args[:2]
                    yield from (keyword.value for keyword in keywords if keyword.arg in {"key", "title"})
            case ast.Dict(keys=names, values=given):
                yield from (
                    value
                    for name, value in zip(names, given, strict=True)
                    if isinstance(name, ast.Constant) and name.value == "key"
                )


def _choices(expression: ast.expr) -> Iterator[ast.expr]:
    if isinstance(expression, ast.IfExp):
        yield from _choices(expression.body)
        yield from _choices(expression.orelse)
    else:
        yield expression


def _spoken() -> Iterator[tuple[str, str]]:
    """Place and key; a key that is put together ends with `*`.

    An action hands keys on, so there every string of that shape counts, a first part (`care.debt_help`) as well.
    """
    families = {key.partition(".")[0] for key in nl}
    for path in (ROOT / "bot" / "actions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Constant(value=str(key)) if KEY.fullmatch(key) and key.partition(".")[0] in families:
                    first_part = key not in nl and any(known.startswith((f"{key}.", f"{key}_")) for known in nl)
                    yield (
                        f"{path.relative_to(ROOT)}:{node.lineno}",
                        f"{key}*" if first_part or key.endswith("_") else key,
                    )
    for package in SPEAKING:
        for path in (ROOT / package).rglob("*.py"):
            for said in _said(ast.parse(path.read_text())):
                for expression in _choices(said):
                    place = f"{path.relative_to(ROOT)}:{expression.lineno}"
                    match expression:
                        case ast.Constant(value=str(key)) if KEY.fullmatch(key):
                            yield place, key
                        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]) if re.match(
                            r"[a-z_]+\.", start
                        ):
                            yield place, f"{start}*"
        for path in [*(ROOT / package).rglob("*.html"), *(ROOT / package).rglob("*.jinja")]:
            for key, more in IN_TEMPLATE.findall(path.read_text()):
                yield str(path.relative_to(ROOT)), f"{key}*" if more else key
    for path in (ROOT / "bot" / "domain").rglob("*.yml"):
        for name, variants in (yaml.safe_load(path.read_text()).get("responses") or {}).items():
            for variant in variants:
                answer = (variant.get("custom") or {}).get("key")
                assert answer, f"{path.name}: {name} is prose; it says a key"
                yield f"{path.relative_to(ROOT)} {name}", str(answer)


def test_every_key_that_is_said_is_in_the_catalogues() -> None:
    missing = [
        f"{place} {key}"
        for place, key in _spoken()
        if not (any(known.startswith(key[:-1]) for known in nl) if key.endswith("*") else key in nl)
    ]
    assert missing == []


def test_every_wish_has_words_to_be_chosen_by() -> None:
    intents = {
        str(entry["intent"])
        for file in (ROOT / "bot/data/nlu/nl").glob("*.yml")
        for entry in yaml.safe_load(file.read_text())["nlu"]
    }
    wishes = {name for name in intents if is_wish(name) and name not in CRISIS} - {"human"}
    assert {f"reading.{name.replace('/', '_')}" for name in wishes} - set(nl) == set()


def _with_arguments() -> Iterator[tuple[str, str, set[str]]]:
    """Place, key and names of the arguments, wherever all of them stand in the code."""
    for package in SPEAKING:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name(id="Say"), args=[ast.Constant(value=str(key)), *rest]):
                        given = rest[0] if rest else ast.Dict([], [])
                        if isinstance(given, ast.Dict) and None not in given.keys:
                            names = {name.value for name in given.keys if isinstance(name, ast.Constant)}
                            yield f"{path.relative_to(ROOT)}:{node.lineno}", key, {str(name) for name in names}
                    case ast.Call(
                        func=ast.Name(id="say"), args=[_, ast.Constant(value=str(key)), *_], keywords=keywords
                    ):
                        if None not in (named := {keyword.arg for keyword in keywords}):
                            yield f"{path.relative_to(ROOT)}:{node.lineno}", key, {str(name) for name in named}


def test_what_is_said_has_the_arguments_that_its_text_needs() -> None:
    lacking = [
        f"{place} {key}: {name}"
        for place, key, given in _with_arguments()
        if key in nl
        for name in sorted({n for text in _texts("nl", key) for n in placeholders(text)} - given - {"creditor"})
    ]
    assert lacking == []
