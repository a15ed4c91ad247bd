"""Money, lifecycles and holds: the tables that everyone relies on."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import lifecycle
from core.errors import BadInput, IllegalTransition
from core.hold import HOLDS, INTERRUPTS, PRIORITY, Reason, care_of
from core.lifecycle import CONVERSATION, LINK, OUTBOUND, PAYMENT, LinkState, OutboundState, PaymentStatus
from core.money import CurrencyMismatch, Money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1234.56", "EUR", 123456),
        ("0", "EUR", 0),
        ("-5.5", "EUR", -550),
        (" 12 ", "EUR", 1200),
        ("1000", "JPY", 1000),
        ("1.234", "KWD", 1234),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("text", ["", "twelve", "1.234", "1,50", "NaN", "Infinity", "1e-3"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Money.parse(text)


@given(st.integers(), st.integers())
def test_adding_and_taking_away_is_nothing(one: int, other: int) -> None:
    assert Money(one) + Money(other) - Money(other) == Money(one)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")


@pytest.mark.parametrize("table", [CONVERSATION, OUTBOUND, LINK, PAYMENT])
def test_every_state_has_a_row_and_no_state_leads_to_itself(table: dict[StrEnum, frozenset[StrEnum]]) -> None:
    (kind,) = {type(state) for state in table}
    assert set(table) == set(kind)
    assert all(state not in targets for state, targets in table.items())


def test_what_is_paid_stays_paid() -> None:
    assert not LINK[LinkState.PAID]
    assert not PAYMENT[PaymentStatus.PAID]


def test_an_uncertain_message_is_never_sending_again_by_itself() -> None:
    assert OutboundState.SENDING not in OUTBOUND[OutboundState.UNKNOWN]


def test_an_illegal_step_is_an_error() -> None:
    with pytest.raises(IllegalTransition):
        lifecycle.check(OUTBOUND, OutboundState.READ, OutboundState.QUEUED)


def test_holds_interrupt_and_every_reason_has_a_place_in_the_queue() -> None:
    assert HOLDS < INTERRUPTS
    assert set(PRIORITY) == set(Reason)
    assert max(PRIORITY, key=lambda reason: PRIORITY[reason]) is Reason.SELF_HARM


@pytest.mark.parametrize(
    ("name", "reason"),
    [("dispute/amount", Reason.DISPUTE), ("self_harm", Reason.SELF_HARM), ("human", None), ("pay", None), ("", None)],
)
def test_care_of(name: str, reason: Reason | None) -> None:
    assert care_of(name) is reason
