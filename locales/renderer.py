"""What the dialogue says (a key and typed arguments) as the text that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from core.creditor import Creditor
from core.message import Choice, Limits, Locale, Say, links_in
from core.money import Money
from locales import gsm7, layout, values
from locales.catalogue import Catalogue, MissingArgument, fill

LANGUAGES = (Locale("nl"), Locale("en"), Locale("fr"), Locale("de"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as a channel shows it.

    `texts` is one text, or more where it is longer than the channel carries: they are sent in order, and choices and
    picture go with the last. `choices` are buttons or list rows (with `url`: a link); where the channel has no room for
    them they are numbered in the text, in the order in which they were given, and `choices` is empty.
    """

    texts: Sequence[str]
    choices: Sequence[Choice] = ()
    image: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)  # the arguments as text, for a provider's own template


class Renderer:
    def __init__(self, directory: Path | None = None) -> None:
        self.catalogues = _ours() if directory is None else _read(directory)

    def language(self, locale: str | None, creditor: Creditor) -> Locale:
        """The language to speak: the person's where we have it, else the creditor's first one."""
        wanted = Locale((locale or "")[:2].lower())
        return wanted if wanted in self.catalogues else Locale(creditor.languages[0])

    def text(self, key: str, locale: Locale, *, today: date | None = None, **args: Any) -> str:
        """A message for a page. Arguments as in Say, Money and dates as they are; {"link"} has no place here.

        Raises UnknownKey, MissingArgument.
        """
        return self._words(key, args, _Voice(locale, today, {}))

    def render(
        self,
        say: Say | Mapping[str, Any],
        choices: Sequence[Choice],
        locale: str | None,
        limits: Limits,
        creditor: Creditor,
        link_url: Mapping[str, str],
        *,
        today: date,
    ) -> Shown:
        """`choices`: an id for each of the message's options, in their order (their titles are made here).

        `link_url`: the address of each link among the arguments. `{creditor}` is always known. Raises UnknownKey,
        MissingArgument.
        """
        if not isinstance(say, Say):
            say = Say.from_json(say)
        voice = _Voice(self.language(locale, creditor), today, link_url)
        args = {"creditor": creditor.name, **say.args}
        links = links_in(args)
        button = self._link_button(say.key, args, links[0], voice, limits) if links and limits.links else None
        text = self._words(say.key, args, voice.without(links[0]) if button else voice)
        asked = list(zip(say.options, choices, strict=True))
        titles = [self._words(option.title, {**args, **option.args}, voice) for option, _ in asked]
        short = layout.as_buttons(titles, limits)
        if short is None:
            text = f"{text}\n\n{layout.numbered(titles)}\n{self._words('choices.answer_with_number', {}, voice)}"
        if limits.gsm7:
            text = gsm7.plain(text)
        shown = [Choice(choice.id, title) for (_, choice), title in zip(asked, short or (), strict=False)]
        return Shown(
            texts=layout.split(text, limits.text),
            choices=[button, *shown] if button else shown,
            image=f"{_url(voice, links[0])}/qr.png" if links and limits.images else None,
            values=self._named(say.key, args, voice),
        )

    def _link_button(self, key: str, args: Mapping[str, Any], link: str, voice: _Voice, limits: Limits) -> Choice:
        title = f"{key}.link" if f"{key}.link" in self.catalogues[voice.language] else "link.open"
        return Choice(link, layout.shorten(self._words(title, args, voice), limits.button_title), _url(voice, link))

    def _words(self, key: str, args: Mapping[str, Any], voice: _Voice) -> str:
        template = self.catalogues[voice.language].template(key, args.get("n"))
        if voice.hidden:  # the link is a button: its line would be empty
            alone = {f"{{{name}}}" for name, value in args.items() if value == {"link": voice.hidden}}
            template = "\n".join(line for line in template.split("\n") if line not in alone)
        return fill(template, self._named(key, args, voice), key).strip()

    def _named(self, key: str, args: Mapping[str, Any], voice: _Voice) -> dict[str, str]:
        """The arguments that the message takes, as text."""
        template = self.catalogues[voice.language].template(key, args.get("n"))
        return {name: self._value(key, value, args, voice) for name, value in args.items() if f"{{{name}}}" in template}

    def _value(self, key: str, value: Any, args: Mapping[str, Any], voice: _Voice) -> str:
        if isinstance(value, Mapping):
            return self._typed(key, value, args, voice)
        match value:
            case str():
                return value
            case int() if not isinstance(value, bool):
                return values.count(value, voice.language)
            case Money():
                return values.money(value, voice.language)
            case date():
                return values.day(value, voice.language, voice.today)
            case list() | tuple():
                return values.listed([self._value(key, each, args, voice) for each in value], voice.language)
        raise MissingArgument(f"{key}: {type(value).__name__} is no argument of a message")

    def _typed(self, key: str, value: Mapping[str, Any], args: Mapping[str, Any], voice: _Voice) -> str:
        match value:
            case {"money": [minor, currency]}:
                return values.money(Money(minor, currency), voice.language)
            case {"percent": str(rate)}:
                return values.percent(Decimal(rate), voice.language)
            case {"date": str(day)}:
                return values.day(date.fromisoformat(day), voice.language, voice.today)
            case {"link": str(link)} | {"page": str(link)}:
                return _url(voice, link)
            case {"rows": rows, "key": str(row)}:
                return "\n".join(self._words(row, {**args, **each}, voice) for each in rows)
            case {"key": str(other)}:
                return self._words(other, {**args, **value.get("args", {})}, voice)
        raise MissingArgument(f"{key}: {sorted(value)} is no argument of a message")


@dataclass(frozen=True, slots=True)
class _Voice:
    """In which language, on which day, with which addresses."""

    language: Locale
    today: date | None
    link_url: Mapping[str, str]
    hidden: str = ""  # the link that is a button

    def without(self, link: str) -> _Voice:
        return _Voice(self.language, self.today, self.link_url, link)


def _url(voice: _Voice, link: str) -> str:
    try:
        return voice.link_url[link]
    except KeyError:
        raise MissingArgument(f"no address for link {link}") from None


@cache
def _ours() -> Mapping[Locale, Catalogue]:
    return _read(Path(__file__).parent)


def _read(directory: Path) -> Mapping[Locale, Catalogue]:
    return {language: Catalogue.read(directory / language / "messages.po", language) for language in LANGUAGES}
