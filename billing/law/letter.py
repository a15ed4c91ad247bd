"""The letter that costs rest on, as it was recorded."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.money import Money


class Kind(StrEnum):
    FIRST_REMINDER = "first_reminder"  # Belgium: free, with a term of 14 days
    FOURTEEN_DAYS = "fourteen_days"  # Netherlands: names the exact costs, and 14 full days
    REMINDER = "reminder"  # any further one


@dataclass(frozen=True, slots=True)
class Letter:
    id: str
    kind: Kind
    channel: str  # email or post
    sent_at: datetime
    sent_on: date  # that day on the creditor's clock
    received_on: date | None  # unknown: nothing may rest on it
    costs: Money  # as the letter names them
    content_hash: str
