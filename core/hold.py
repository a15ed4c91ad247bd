"""Holds and interrupts: what stops us pressing, and what breaks through a form.

Source: docs/architecture.md, "Care". One table for the whole product.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a conversation goes to a person."""

    SELF_HARM = "self_harm"
    REPORT_DECEASED = "report_deceased"
    UNDER_ADMINISTRATION = "under_administration"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    HUMAN = "human"
    CALLBACK = "callback"
    VERIFICATION = "verification"  # three times a wrong answer
    NOT_UNDERSTOOD = "not_understood"
    REQUEST = "request"  # a wish that a person has to carry out
    WRONG_PERSON = "wrong_person"
    FAULT = "fault"  # the bot could not answer
    SUSPECTED = "suspected"  # the care watch heard something beside the wish that is answered


# Higher comes first in the queue.
PRIORITY: dict[Reason, int] = {
    Reason.SELF_HARM: 100,
    Reason.REPORT_DECEASED: 80,
    Reason.UNDER_ADMINISTRATION: 70,
    Reason.HARDSHIP: 60,
    Reason.COMPLAINT: 50,
    Reason.DISPUTE: 40,
    Reason.FAULT: 30,
    Reason.HUMAN: 20,
    Reason.CALLBACK: 20,
    Reason.VERIFICATION: 10,
    Reason.NOT_UNDERSTOOD: 10,
    Reason.WRONG_PERSON: 10,
    Reason.SUSPECTED: 8,
    Reason.REQUEST: 5,
}

# Reminders, fees and offers stop until a person lifts it. For a complaint it is a pause until a person has read it.
HOLDS = frozenset(
    {
        Reason.SELF_HARM,
        Reason.REPORT_DECEASED,
        Reason.UNDER_ADMINISTRATION,
        Reason.HARDSHIP,
        Reason.DISPUTE,
        Reason.COMPLAINT,
    }
)

# Break through any open form; a form is not interrupted by its own intent.
INTERRUPTS = HOLDS | {Reason.HUMAN}

# Somebody looks at it later: until then the bot goes on answering.
BOT_GOES_ON = frozenset({Reason.REQUEST, Reason.CALLBACK, Reason.SUSPECTED})

# Someone is woken.
URGENT = frozenset({Reason.SELF_HARM})


@dataclass(frozen=True, slots=True)
class Hold:
    reason: Reason
    scope: str  # "conversation", "debtor" or "invoice"
    since: datetime
    by: str  # the turn or the agent who put it


def care_of(intent: str) -> Reason | None:
    """The reason that an intent (`dispute/amount` included) or a care name stands for, if it holds."""
    name = intent.partition("/")[0]
    return Reason(name) if name in HOLDS else None
