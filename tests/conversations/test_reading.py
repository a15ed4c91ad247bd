"""What a message means before anybody answers it: taps, numbers, keywords, interruptions, language."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import creditor_files
from app.repository import DEMO
from conversations import reading
from conversations.care import country_of
from conversations.disclosure import discloses
from conversations.reading import Offer, Reading
from core.hold import Reason
from core.ids import OutboundId
from core.message import Option
from understanding.entities import find

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def offer(identifier: str, position: int, outbound: str = "new", hours: int = 1) -> Offer:
    return Offer(identifier, position, Option("option.pay", "pay"), NOW + timedelta(hours=hours), OutboundId(outbound))


OFFERS = [offer("old-1", 1, "old"), offer("new-1", 1), offer("new-2", 2)]


@pytest.mark.parametrize(
    ("offers", "button", "text", "chosen"),
    [
        pytest.param(OFFERS, "old-1", "", "old-1", id="an old button does what it said"),
        pytest.param(OFFERS, "foreign", "", None, id="a button of another conversation"),
        pytest.param(OFFERS, None, "2", "new-2", id="a number means the newest message"),
        pytest.param(OFFERS, None, " 1. ", "new-1", id="as people type it"),
        pytest.param(OFFERS, None, "3", None, id="no such number"),
        pytest.param(OFFERS, None, "2026", None, id="a number of something else"),
        pytest.param(OFFERS, None, "twee", None, id="a word is understood, not looked up"),
        pytest.param([], None, "1", None, id="nothing was offered"),
        pytest.param([offer("new-1", 1, hours=-1)], None, "1", None, id="too late"),
    ],
)
def test_what_was_chosen(offers: list[Offer], button: str | None, text: str, chosen: str | None) -> None:
    found = reading.chosen(offers, button, text, NOW)
    assert (found.id if found else None) == chosen


@pytest.mark.parametrize(
    ("text", "channel", "form", "opted_out", "intent"),
    [
        ("stop", "web", False, False, "opt_out"),
        ("Stop.", "web", True, False, "cancel"),
        ("STOP", "sms", True, False, "opt_out"),
        ("afmelden", "whatsapp", False, False, "opt_out"),
        ("cancel", "sms", False, False, "opt_out"),
        ("cancel", "web", True, False, None),
        ("start", "sms", False, True, "opt_in"),
        ("start", "sms", False, False, None),
        ("stop met die mails", "sms", False, False, None),
    ],
)
def test_keywords(text: str, channel: str, form: bool, opted_out: bool, intent: str | None) -> None:
    assert reading.keyword(text, channel, form_open=form, opted_out=opted_out) == intent


@pytest.mark.parametrize(
    ("heard", "form", "breaks"),
    [
        pytest.param(reading.of_keyword("hardship"), "verify_form", True, id="care breaks a form"),
        pytest.param(reading.of_keyword("human"), "verify_form", True, id="and so does a wish for a person"),
        pytest.param(reading.of_keyword("ask_product"), "verify_form", False, id="a question does not"),
        pytest.param(reading.of_keyword("hardship"), None, False, id="there is no form"),
        pytest.param(reading.of_keyword("dispute/amount"), "dispute_form", False, id="its own intent"),
        pytest.param(reading.of_option(Option("t", "pay")), "verify_form", True, id="a tap on something else"),
        pytest.param(reading.of_option(Option("t", "affirm")), "verify_form", False, id="a tap that answers"),
    ],
)
def test_interruptions(heard: Reading, form: str | None, breaks: bool) -> None:
    assert reading.interrupts(heard, form) is breaks


def test_care_that_is_only_suspected_leaves_the_form_open() -> None:
    heard = Reading("inform", reading.of_keyword("inform").engine, Reason.HARDSHIP)
    assert not reading.interrupts(heard, "verify_form")


@pytest.mark.parametrize(
    ("message", "spoken", "language"),
    [
        ("en", ["nl"], "en"),
        (None, ["fr", "nl"], "fr"),
        (None, [None, "de"], "de"),
        ("es", ["nl"], "nl"),
        (None, [], "nl"),
    ],
)
def test_the_answer_s_language(message: str | None, spoken: list[str | None], language: str) -> None:
    heard = Reading("greet", reading.of_keyword("greet").engine, language=message)
    assert reading.language_of(heard, spoken, ["nl", "en", "fr", "de"]) == language


def test_a_reason_of_a_dispute_travels_as_an_entity() -> None:
    heard = reading.of_option(Option("t", "dispute/amount"))
    assert heard.engine["intent"]["name"] == "dispute"
    assert heard.entities == [{"entity": "dispute_reason", "value": "amount"}]
    assert heard.care is Reason.DISPUTE


@pytest.mark.parametrize(
    ("country", "address", "named"),
    [
        ("BE", "+31600000001", "BE"),
        (None, "+32400000001", "BE"),
        (None, "whatsapp:+49150000001", "DE"),
        (None, "session", "NL"),
        (None, "+44700000001", "NL"),
    ],
)
def test_whose_help_lines(country: str | None, address: str, named: str) -> None:
    creditor = creditor_files.read(DEMO / "creditor.yml")
    assert country_of(country, address, creditor) == named


@pytest.mark.parametrize(
    "key",
    [
        "balance.open",
        "balance.welcome_back",
        "payment.received",
        "reminder.upcoming",
        "payment_link.issued",
        "x.y",
    ],
)
def test_what_may_tell_of_a_debt_is_kept_from_strangers(key: str) -> None:
    assert discloses(key)


@pytest.mark.parametrize("key", ["care.self_harm", "notice.message_waiting", "intro.ai", "language.which"])
def test_what_anybody_may_hear(key: str) -> None:
    assert not discloses(key)


class InDoubt:
    language = "nl"

    def as_json(self) -> dict[str, Any]:
        return {
            "intent": {"name": "pay", "confidence": 0.4},
            "care": {"name": "hardship"},
            "entities": [],
            "readings": ["pay", "hardship"],
            "also": None,
        }

    def for_engine(self) -> dict[str, Any]:
        return {"intent": {"name": "pay", "confidence": 0.4}, "entities": []}


@pytest.mark.parametrize(
    ("form_open", "intent", "readings"),
    [(False, "out_of_scope", ("pay", "hardship")), (True, "pay", ())],
    ids=["the person is asked", "a form asks for something else"],
)
def test_doubt(form_open: bool, intent: str, readings: tuple[str, ...]) -> None:
    heard = reading.of_parse(InDoubt(), form_open=form_open)
    assert (heard.intent, heard.engine["intent"]["name"], heard.readings) == (intent, intent, readings)
    assert heard.care is Reason.HARDSHIP, "what the watch has seen holds in any case"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("2026-0042", ("invoice_number", "2026-0042"), id="an invoice's"),
        pytest.param("K-1001", ("customer_number", "K-1001"), id="a customer's"),
        pytest.param("mijn factuur 2026-0042 klopt niet", ("invoice_number", "2026-0042"), id="among words"),
        pytest.param(" 12345678 ", ("customer_number", "12345678"), id="bare"),
        pytest.param("0612345678", None, id="a telephone's"),
        pytest.param("3SBLOEM0001", None, id="a parcel's"),
        pytest.param("ik heb er 3 gekregen", None, id="a count"),
    ],
)
def test_who_somebody_is_among_what_they_write(text: str, number: tuple[str, str] | None) -> None:
    entities = [found.as_json() for found in find(text)]
    heard = Reading("dispute", {"intent": {"name": "dispute"}, "entities": entities}, entities=entities)
    told = reading.number_in(heard, text)
    if number is None:
        assert told is None
    else:
        assert told is not None and told.engine["intent"]["name"] == "inform"
        assert next((value["entity"], value["value"]) for value in told.engine["entities"]) == number
