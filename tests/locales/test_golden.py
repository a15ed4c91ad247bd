"""Each message as each channel shows it, in each language, and the words of pages: files for a person to read.

`EFFEN_UPDATE_GOLDEN=1` writes them anew; then the difference is read before it is committed.
"""

import os
from pathlib import Path

import pytest

from core.message import Choice, Limits, Locale, Option, Say
from locales import Renderer, Shown
from locales.catalogue import placeholders
from tests.locales.samples import CHANNELS, CREDITOR, LINK_URL, TODAY, argument

GOLDEN = Path(__file__).parent / "golden"
PAGES = ("copy.", "desk.", "pay.method.", "pay.transfer_", "sandbox.", "widget.", "shop.")  # what no channel shows
LANGUAGES = ["nl", "en", "fr", "de"]
renderer = Renderer()


def _keys(*, pages: bool) -> list[str]:
    return [key for key in sorted(renderer.catalogues[Locale("nl")].messages) if key.startswith(PAGES) is pages]


def _sample(key: str) -> Say:
    text = renderer.catalogues[Locale("nl")].messages[key]
    names = {name for form in ([text] if isinstance(text, str) else text) for name in placeholders(form)}
    counted = set() if isinstance(text, str) else {"n"}
    return Say(key, {name: argument(key, name) for name in (names | counted) - {"creditor"}})


def _with_options() -> list[tuple[str, Say]]:
    """Options beyond what a channel shows: as buttons, as a list, as numbers."""
    options = [Option(key, "inform", _sample(key).args) for key in _keys(pages=False) if key.startswith("option.")]
    return [(f"talk.help with {count} options", Say("talk.help", {}, options[:count])) for count in (2, 4, 12)]


def _show(say: Say, language: str, limits: Limits) -> Shown:
    choices = [Choice(f"button-{number}", "") for number, _ in enumerate(say.options)]
    return renderer.render(say, choices, language, limits, CREDITOR, LINK_URL, today=TODAY)


def _page(language: str, limits: Limits) -> str:
    parts = []
    for name, say in [*((key, _sample(key)) for key in _keys(pages=False)), *_with_options()]:
        shown = _show(say, language, limits)
        lines = [f"## {name}", "\n---\n".join(shown.texts)]
        lines += [f"[{choice.title}]" + (f" {choice.url}" if choice.url else "") for choice in shown.choices]
        lines += [f"(picture {shown.image})"] if shown.image else []
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _compare(language: str, name: str, page: str) -> None:
    path = GOLDEN / language / f"{name}.txt"
    if os.environ.get("EFFEN_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page)
    assert page == path.read_text(), "read the difference; EFFEN_UPDATE_GOLDEN=1 takes it over"


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_are_as_a_reviewer_has_read_them(language: str, channel: str) -> None:
    _compare(language, channel, _page(language, CHANNELS[channel]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_as_a_reviewer_has_read_them(language: str) -> None:
    lines = [
        f"{key}: {renderer.text(key, Locale(language), creditor=CREDITOR.name, today=TODAY, **_sample(key).args)}"
        for key in _keys(pages=True)
    ]
    _compare(language, "pages", "\n".join(lines) + "\n")
