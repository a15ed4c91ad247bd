"""WhatsApp's window and templates: what is taken when, and that each template gets what it names."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.whatsapp import LIMITS
from conversations.contacts import ContactPoint
from conversations.window import TEMPLATES, takes, template
from core.creditor import Channels, Creditor, Whatsapp
from core.ids import ContactPointId, ConversationId, CreditorKey
from core.message import Address, Locale, Say
from locales import Renderer
from locales.catalogue import PLACEHOLDER
from locales.renderer import LANGUAGES
from tests.locales.samples import CREDITOR, LINK_URL, TODAY, argument

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def point(channel: str, hours: float | None) -> ContactPoint:
    last = None if hours is None else NOW - timedelta(hours=hours)
    home = ConversationId("t")
    return ContactPoint(
        ContactPointId("c"), CreditorKey("bloem"), channel, Address("a"), home, None, None, None, None, last
    )


def creditor(**templates: str) -> Creditor:
    return CREDITOR.model_copy(update={"channels": Channels(whatsapp=Whatsapp(number="+31", templates=templates))})


@pytest.mark.parametrize(
    ("channel", "hours", "key", "sid", "taken"),
    [
        ("whatsapp", 1, "promise.missed", None, True),
        ("whatsapp", 24, "promise.missed", "HX2", True),
        ("whatsapp", None, "promise.missed", "HX2", True),
        ("whatsapp", 24, "plan.broken", None, False),
        ("whatsapp", 24, "payment.refunded", None, False),
        ("sms", 500, "plan.broken", None, True),
        ("telegram", None, "plan.broken", None, True),
    ],
)
def test_what_is_taken(channel: str, hours: float | None, key: str, sid: str | None, taken: bool) -> None:
    who = creditor(promise_missed="HX2")
    assert template(key, point(channel, hours), who, NOW)[0] == sid
    assert takes(key, point(channel, hours), who, NOW) is taken


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", TEMPLATES)
def test_each_variable_is_known(key: str, language: str) -> None:
    renderer = Renderer()
    text = renderer.catalogues[Locale(language)].template(key, None)
    say = Say(key, {name: argument(key, name) for name in PLACEHOLDER.findall(text) if name != "creditor"})
    shown = renderer.render(say, [], Locale(language), LIMITS, CREDITOR, LINK_URL, today=TODAY)
    assert all(shown.values[name] for name in TEMPLATES[key][1])
