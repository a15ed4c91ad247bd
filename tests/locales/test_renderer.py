"""Types of arguments, links, buttons, and what happens when something lacks."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.message import Choice, Limits, Locale, Option, Say
from core.money import Money
from locales import MissingArgument, Renderer, UnknownKey, values
from tests.locales.samples import CREDITOR, LINK_URL, TODAY, URL

ROWS = Limits(text=1_000, buttons=3, button_title=20, rows=10)
PLAIN = Limits(text=1_000)
RICH = Limits(text=1_000, buttons=10, button_title=40, images=True, links=True)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture
def own(tmp_path: Path) -> Renderer:
    """A renderer with messages of this test alone."""
    po = r"""msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\n"

msgid "choices.answer_with_number"
msgstr "Kies een nummer."

msgid "say"
msgstr "«{value}»"

msgid "row"
msgstr "- {number}: {amount}"

msgid "invoices"
msgid_plural "invoices"
msgstr[0] "één factuur"
msgstr[1] "{n} facturen"

msgid "pay"
msgstr "Betaal {amount}.\n{link}\nFijne dag."

msgid "pay.link"
msgstr "Betaal {amount}"

msgid "title"
msgstr "{value}"
"""
    for language in ("nl", "en", "fr", "de"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "messages.po").write_text(po)
    return Renderer(tmp_path)


def _text(renderer: Renderer, key: str, locale: str = "nl", limits: Limits = PLAIN, **args: Any) -> str:
    [text] = renderer.render(Say(key, args), [], locale, limits, CREDITOR, LINK_URL, today=TODAY).texts
    return text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("{name} & co", "{name} & co", id="words keep their braces"),
        pytest.param(1234, "1.234", id="a number"),
        pytest.param({"money": [123456, "EUR"]}, "€ 1.234,56", id="money"),
        pytest.param({"date": "2026-11-27"}, "vrijdag 27 november", id="a date of this year"),
        pytest.param({"date": "2027-01-03"}, "3 januari 2027", id="a date of another year"),
        pytest.param({"link": "link-1"}, URL, id="a link"),
        pytest.param({"key": "invoices", "args": {"n": 1}}, "één factuur", id="another message"),
        pytest.param(
            {
                "rows": [{"number": "A", "amount": {"money": [100, "EUR"]}}, {"number": "B", "amount": "?"}],
                "key": "row",
            },
            "- A: € 1,00\n- B: ?",
            id="rows",
        ),
        pytest.param(["A", "B", "C"], "A, B en C", id="a list"),
    ],
)
def test_arguments(own: Renderer, value: Any, text: str) -> None:
    assert _text(own, "say", value=value).replace("\xa0", " ") == f"«{text}»"


@pytest.mark.parametrize(
    ("language", "amount", "this_year", "first", "other_year"),
    [
        ("nl", "€ 1.234,56", "vrijdag 27 november", "dinsdag 1 december", "1 februari 2027"),
        ("en", "€1,234.56", "Friday 27 November", "Tuesday 1 December", "1 February 2027"),
        ("fr", "1 234,56 €", "vendredi 27 novembre", "mardi 1er décembre", "1er février 2027"),
        ("de", "1.234,56 €", "Freitag, 27. November", "Dienstag, 1. Dezember", "1. Februar 2027"),
    ],
)
def test_money_and_dates(language: str, amount: str, this_year: str, first: str, other_year: str) -> None:
    def plain(text: str) -> str:
        return text.replace("\xa0", " ").replace("\u202f", " ")

    assert plain(values.money(Money(123456), language)) == amount
    assert values.day(date(2026, 11, 27), language, TODAY) == this_year
    assert values.day(date(2026, 12, 1), language, TODAY) == first
    assert values.day(date(2027, 2, 1), language, TODAY) == other_year


@pytest.mark.parametrize(
    ("language", "n", "text"),
    [("nl", 0, "0 facturen"), ("nl", 1, "één factuur"), ("nl", 2, "2 facturen"), ("fr", 0, "één factuur")],
)
def test_counts(own: Renderer, language: str, n: int, text: str) -> None:
    assert _text(own, "invoices", language, n=n) == text


@pytest.mark.parametrize(
    ("key", "args", "error"),
    [
        pytest.param("nowhere", {}, UnknownKey, id="unknown key"),
        pytest.param("say", {}, MissingArgument, id="missing argument"),
        pytest.param("say", {"value": None}, MissingArgument, id="nothing"),
        pytest.param("say", {"value": 1.5}, MissingArgument, id="a float is neither count nor money"),
        pytest.param("say", {"value": {"cash": 1}}, MissingArgument, id="unknown type"),
        pytest.param("say", {"value": {"link": "gone"}}, MissingArgument, id="link without address"),
        pytest.param("say", {"value": {"key": "nowhere"}}, UnknownKey, id="unknown key inside"),
        pytest.param("invoices", {}, MissingArgument, id="no count"),
    ],
)
def test_what_lacks_is_an_error_and_no_text(
    own: Renderer, key: str, args: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        _text(own, key, **args)


def test_a_message_without_text_is_refused(tmp_path: Path, own: Renderer) -> None:
    path = tmp_path / "fr" / "messages.po"
    path.write_text(path.read_text() + '\nmsgid "empty"\nmsgstr ""\n')
    with pytest.raises(UnknownKey, match="empty"):
        Renderer(tmp_path)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("fr", "fr"), ("de-BE", "de"), ("EN_us", "en"), ("pl", "nl"), ("", "nl"), (None, "nl")],
)
def test_the_creditors_language_where_we_lack_the_persons(
    renderer: Renderer, locale: str | None, language: str
) -> None:
    assert renderer.language(locale, CREDITOR) == Locale(language)


PAY = Say("pay", {"amount": {"money": [1250, "EUR"]}, "link": {"link": "link-1"}})


def test_a_link_is_a_button_where_there_are_buttons(own: Renderer) -> None:
    shown = own.render(PAY, [], "nl", RICH, CREDITOR, LINK_URL, today=TODAY)
    assert shown.texts == ["Betaal €\xa012,50.\nFijne dag."]
    assert shown.choices == [Choice("link-1", "Betaal €\xa012,50", URL)]
    assert shown.image == f"{URL}/qr.png"


def test_a_link_is_text_where_there_are_none(own: Renderer) -> None:
    shown = own.render(PAY, [], "nl", PLAIN, CREDITOR, LINK_URL, today=TODAY)
    assert shown.texts == [f"Betaal €\xa012,50.\n{URL}\nFijne dag."]
    assert (shown.choices, shown.image) == ([], None)


def _options(*titles: str) -> tuple[Say, list[Choice]]:
    say = Say("say", {"value": "Kies"}, [Option("title", "inform", {"value": title}) for title in titles])
    return say, [Choice(f"id{number}", "") for number, _ in enumerate(titles, 1)]


@pytest.mark.parametrize(
    ("titles", "limits", "buttons", "text"),
    [
        pytest.param(["Ja", "Nee"], ROWS, ["Ja", "Nee"], "«Kies»", id="buttons"),
        pytest.param(["A", "B", "C", "D"], ROWS, ["A", "B", "C", "D"], "«Kies»", id="rows of a list"),
        pytest.param(
            ["Een heel lange titel, werkelijk"], ROWS, ["Een heel lange tite…"], "«Kies»", id="a long title is cut"
        ),
        pytest.param(
            ["Factuur van november 2025", "Factuur van november 2026"],
            ROWS,
            [],
            "«Kies»\n\n1. Factuur van november 2025\n2. Factuur van november 2026\nKies een nummer.",
            id="titles that a cut would make alike are numbered",
        ),
        pytest.param(["Ja", "Nee"], PLAIN, [], "«Kies»\n\n1. Ja\n2. Nee\nKies een nummer.", id="numbers"),
        pytest.param(
            list("ABCDEFGHIJK"),
            ROWS,
            [],
            "«Kies»\n\n" + "\n".join(f"{n}. {t}" for n, t in enumerate("ABCDEFGHIJK", 1)) + "\nKies een nummer.",
            id="more than rows",
        ),
    ],
)
def test_options(own: Renderer, titles: list[str], limits: Limits, buttons: list[str], text: str) -> None:
    say, choices = _options(*titles)
    shown = own.render(say.as_json(), choices, "nl", limits, CREDITOR, {}, today=TODAY)
    assert shown.texts == [text]
    assert [choice.title for choice in shown.choices] == buttons
    assert [choice.id for choice in shown.choices] == [choice.id for choice in choices][: len(buttons)]


def test_pages_take_values_as_they_are(own: Renderer) -> None:
    assert own.text("row", Locale("nl"), number="A", amount=Money(1250)) == "- A: €\xa012,50"
    assert own.text("say", Locale("nl"), value=date(2026, 11, 27)) == "«27 november 2026»"
    assert own.text("say", Locale("nl"), value=date(2026, 11, 27), today=TODAY) == "«vrijdag 27 november»"


@pytest.mark.parametrize("locale", ["nl", "en", "fr", "de"])
@pytest.mark.parametrize(("cents", "buttons"), [((123456, 123499), 2), ((123456, 123456), 0)])
def test_an_invoices_title_is_never_cut_to_another_amount(
    renderer: Renderer, locale: str, cents: tuple[int, int], buttons: int
) -> None:
    """Of a long number the amount stays whole; where nothing else tells them apart, they are numbered."""
    titles = [
        {"number": f"F2026-00012{place}", "amount": {"money": [minor, "EUR"]}} for place, minor in enumerate(cents)
    ]
    say = Say("invoice.which", {}, [Option("option.invoice", "ask_invoice", title) for title in titles])
    choices = [Choice(str(place), "") for place in range(2)]
    shown = renderer.render(say, choices, locale, ROWS, CREDITOR, LINK_URL, today=TODAY)
    amounts = [values.money(Money(minor), locale) for minor in cents]
    assert [choice.title.startswith(amount) for choice, amount in zip(shown.choices, amounts, strict=False)] == [
        True
    ] * buttons
    if not buttons:
        assert all(title["number"] in shown.texts[-1] for title in titles)  # type: ignore[operator]
