"""Pages of the desk as text: templates, and the words for times, wishes and facts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Environment, PackageLoader, StrictUndefined

from core.message import Locale
from core.money import Money
from core.texts import Texts

Speak = Callable[..., str]

# Ids for machines; the transcript shows what they stand for.
_NOT_SHOWN = frozenset({"turn", "undelivered"})

_TEMPLATES = Environment(
    loader=PackageLoader("desk"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class View:
    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def speak(self, locale: Locale) -> Speak:
        def speak(key: str, **args: Any) -> str:
            return self._texts.text(key, locale, **args)

        return speak

    def page(self, template: str, locale: Locale, zone: ZoneInfo, now: datetime, **context: Any) -> str:
        """Render `template`; moments are shown in `zone`, waiting times as at `now`."""
        t = self.speak(locale)
        words = Words(t, locale, zone, now)
        return _TEMPLATES.get_template(template).render(t=t, words=words, locale=locale, **context)


class Words:
    """What templates say about moments and facts."""

    def __init__(self, t: Speak, locale: Locale, zone: ZoneInfo, now: datetime) -> None:
        self._t = t
        self._zone = zone
        self._now = now
        self._region = "en_GB" if locale == "en" else str(locale)

    def time(self, at: datetime) -> str:
        return format_time(at.astimezone(self._zone), "HH:mm", locale=self._region)

    def day(self, at: datetime) -> str:
        return format_date(at.astimezone(self._zone).date(), "EEEE d MMMM", locale=self._region)

    def moment(self, at: datetime) -> str:
        """`14:05` today, `23 nov. 14:05` before."""
        local = at.astimezone(self._zone)
        if local.date() == self.today:
            return self.time(at)
        return f"{format_date(local.date(), 'd MMM', locale=self._region)} {self.time(at)}"

    @property
    def today(self) -> date:
        return self._now.astimezone(self._zone).date()

    def waited(self, since: datetime) -> str:
        """`3 min`, `2 h 10 min`, `4 d 1 h`."""
        minutes = max(0, int((self._now - since) / timedelta(minutes=1)))
        if minutes < 1:
            return self._t("desk.wait.now")
        if minutes < 60:
            return self._t("desk.wait.minutes", minutes=minutes)
        hours, minutes = divmod(minutes, 60)
        if hours < 24:
            return self._t("desk.wait.hours", hours=hours, minutes=minutes)
        return self._t("desk.wait.days", days=hours // 24, hours=hours % 24)

    def intent(self, name: str) -> str:
        """What a person wanted, in words; a name that no catalogue has yet stays itself."""
        return self._known(f"desk.intent.{name.replace('/', '_')}", name)

    def intents(self, names: Sequence[str]) -> str:
        return ", ".join(self.intent(name) for name in names)

    def summary(self, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the bot noted for the agent: labels and values."""
        return [
            (self._known(f"desk.summary.{name}", name.replace("_", " ")), self._value(name, value))
            for name, value in facts.items()
            if name not in _NOT_SHOWN and value not in (None, "", [])
        ]

    def total(self, amounts: list[Money]) -> str:
        """Their sum; one for each currency."""
        sums: dict[str, Money] = {}
        for amount in amounts:
            sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
        return " + ".join(self._t("desk.amount", amount=each) for each in sums.values())

    def _value(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(self._value(name, each) for each in value)
        if isinstance(value, Mapping):
            typed = value.keys() & {"money", "date", "key"}
            return self._t("desk.amount", amount=value) if typed else "; ".join(f"{k}: {v}" for k, v in value.items())
        if name == "reason_detail":  # of a dispute, the part of its intent that says why
            return self._known(f"desk.intent.dispute_{value}", str(value))
        if name == "suspected":
            return self._known(f"desk.reason.{value}", str(value))
        if name == "noted":  # a kind of detail (`phone`), or the detail
            return self._known(f"option.contact_{value}", str(value))
        return self.intent(value) if name in ("last_intents", "also", "wish") else str(value)

    def booking(self, kind: str) -> str:
        """Of the ledger."""
        return self._known(f"desk.booking.{kind}", kind)

    def method(self, name: str) -> str:
        return self._known(f"pay.method.{name}", name.replace("_", " ")) if name else "–"

    def _known(self, key: str, otherwise: str) -> str:
        try:
            return self._t(key)
        except KeyError:
            return otherwise
