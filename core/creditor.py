"""A creditor as its YAML file describes it (docs/operations.md shows a whole one)."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from core.errors import BadInput
from core.iban import iban
from core.money import Money

# "${NAME}": a secret's place in the environment, resolved in app.
REFERENCE = re.compile(r"^\$\{([A-Z][A-Z0-9_]*)\}$")

Factor = Literal["postcode", "invoice_number", "customer_number", "house_number", "date_of_birth"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Brand(_Part):
    color: str = Field(default="#1f5f4a", pattern=r"^#[0-9a-fA-F]{6}$")
    logo: str | None = None

    @property
    def ink(self) -> str:
        """Black or white: the one that can be read on `color` (WCAG 2.2, relative luminance)."""
        channels = [int(self.color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"


class Whatsapp(_Part):
    number: str
    templates: dict[str, str] = {}


class Sms(_Part):
    number: str


class Telegram(_Part):
    bot: str
    token: str
    secret: str


class Web(_Part):
    origins: list[str] = []


class Channels(_Part):
    whatsapp: Whatsapp | None = None
    sms: Sms | None = None
    telegram: Telegram | None = None
    web: Web = Web()


class Payments(_Part):
    provider: str = "sandbox"
    keys: dict[str, str] = {}
    methods: list[str] = ["ideal", "bancontact", "creditcard", "banktransfer"]
    methods_by_risk: dict[str, list[str]] = {}
    link_days: int = Field(default=14, ge=1, le=365)
    reference: Literal["iso11649", "ogm", "betalingskenmerk"] | None = None  # of links; None: as the country has it


class Verification(_Part):
    factors: list[Factor] = ["postcode", "invoice_number"]
    attempts: int = Field(default=3, ge=1, le=10)
    remember_days: int = Field(default=90, ge=0, le=730)


class Plans(_Part):
    max_months: int = Field(default=6, ge=1)
    min_instalment: Decimal = Decimal("25.00")
    agent_above: Decimal = Decimal("500.00")
    stops_costs: bool = True  # while one runs nothing is charged for paying late


class Promises(_Part):
    max_days: int = Field(default=14, ge=1)
    stops_costs: bool = True  # until the day that was promised


class Claims(_Part):
    """What follows where somebody says to have paid, and the money is not found."""

    pause_days: int = Field(default=5, ge=1, le=30)  # working days without reminders


class RiskRule(_Part):
    """A class, for who has reached everything that the rule names within `Risk.months`."""

    name: Literal["low", "medium", "high"]
    late: int | None = Field(default=None, ge=1)  # invoices paid long after they were due
    reversed: int | None = Field(default=None, ge=1)  # direct debits that the payer took back
    broken: int | None = Field(default=None, ge=1)  # promises and plans

    @model_validator(mode="after")
    def _says_something(self) -> RiskRule:
        if not self.reached:
            raise ValueError("a rule names late, reversed or broken: else everybody would be in its class")
        return self

    @property
    def reached(self) -> dict[str, int]:
        given = {"late": self.late, "reversed": self.reversed, "broken": self.broken}
        return {name: times for name, times in given.items() if times is not None}


class Risk(_Part):
    """Which behaviour puts somebody into a risk class: the first rule that fits, else none."""

    months: int = Field(default=12, ge=1, le=36)
    late_days: int = Field(default=14, ge=1)  # after the due date: only from then on it is late
    rules: list[RiskRule] = [
        RiskRule(name="high", reversed=3),
        RiskRule(name="high", broken=3),
        RiskRule(name="medium", late=3),
        RiskRule(name="medium", broken=2),
    ]


class Fees(_Part):
    """What is charged to who pays late, within the law and never without its letter."""

    interest: bool = True
    # Percent a year, where the terms ask less than the law allows: never more than that, whatever stands here.
    interest_rate: Decimal | None = Field(default=None, gt=0, le=100, decimal_places=2)
    vat: bool = False  # Netherlands: the creditor cannot reclaim VAT, and its letter says so
    clause: bool = False  # Belgium: the terms have a penalty clause; without one there is nothing to charge
    # What a payment pays first; None: as the country's law says.
    attribution: Literal["costs_first", "principal_first"] | None = None


class Reminder(_Part):
    name: str
    days: int  # after the due date; negative: before it
    channels: list[Literal["whatsapp", "sms", "telegram"]]
    letter: str | None = None


class Webhook(_Part):
    """Where the shop hears of money: signed by Standard Webhooks."""

    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=2_000)
    secret: str  # `${NAME}`: whsec_…


class Alerts(_Part):
    # Mandatory: who is woken for a person in crisis, by e-mail or by SMS.
    urgent: str = Field(pattern=r"^(\+[1-9][0-9]{7,14}|[^@\s]+@[^@\s]+)$")


class Offers(_Part):
    max_per_month: int = Field(default=2, ge=0)


def _hours(value: Any) -> Any:
    if isinstance(value, dict) and "days" not in value:
        return {"days": {str(k): v for k, v in value.items()}}
    return value


_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Hours(_Part):
    """Opening hours: `mon-fri: "08:30-17:30"`."""

    days: dict[str, str] = {}

    @field_validator("days")
    @classmethod
    def _readable(cls, value: dict[str, str]) -> dict[str, str]:
        for days, hours in value.items():
            if not all(day in _WEEKDAYS for day in days.split("-")) or not re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", hours):
                raise ValueError(f'“{days}: {hours}” is not of the form mon-fri: "08:30-17:30"')
        return value

    def of(self, weekday: int) -> tuple[time, time] | None:
        """Opening and closing time of a weekday (Monday is 0), or None when closed."""
        for days, hours in self.days.items():
            first, _, last = days.partition("-")
            if _WEEKDAYS.index(first) <= weekday <= _WEEKDAYS.index(last or first):
                start, _, end = hours.partition("-")
                return time.fromisoformat(start), time.fromisoformat(end)
        return None


class Creditor(_Part):
    key: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    name: str
    country: Literal["NL", "BE"]  # which law
    kind: Literal["first_party", "agency"] = "first_party"
    registration: str
    languages: list[Literal["nl", "en", "fr", "de"]] = Field(min_length=1)
    iban: str
    brand: Brand = Brand()
    timezone: str = "Europe/Amsterdam"
    token_secret: str | None = None
    api_key: str | None = None  # what its own systems prove themselves with (docs/operations.md)
    email: str | None = None
    phone: str | None = None
    webhook: Webhook | None = None
    channels: Channels = Channels()
    payments: Payments = Payments()
    verification: Verification = Verification()
    plans: Plans = Plans()
    promises: Promises = Promises()
    claims: Claims = Claims()
    risk: Risk = Risk()
    fees: Fees = Fees()
    reminders: list[Reminder] = []
    alerts: Alerts
    offers: Offers = Offers()
    hours: Annotated[Hours, BeforeValidator(_hours)] = Hours()
    training_inbox: bool = False  # keep, masked, what the bot was not sure of

    @field_validator("iban")
    @classmethod
    def _iban(cls, value: str) -> str:
        try:
            return iban(value)
        except BadInput as error:
            raise ValueError(str(error)) from None

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError):
            raise ValueError(f"“{value}” is not a time zone such as Europe/Amsterdam") from None
        return value

    @model_validator(mode="after")
    def _law(self) -> Creditor:
        if self.kind == "agency" and self.channels.whatsapp:
            raise ValueError("WhatsApp's policy may forbid third-party collection: an agency has no channels.whatsapp")
        if self.country == "BE" and self.fees.attribution == "costs_first":
            raise ValueError("fees.attribution may only be milder than what holds in BE: principal_first")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def reference(self) -> Literal["iso11649", "ogm", "betalingskenmerk"]:
        """Which payment reference its links carry: a bank app fills in ISO 11649, Belgium prints its own."""
        return self.payments.reference or ("ogm" if self.country == "BE" else "iso11649")

    @property
    def attribution(self) -> Literal["costs_first", "principal_first"]:
        """What a payment pays first: in the Netherlands the costs (BW 6:44), where the creditor is not milder."""
        return self.fees.attribution or ("costs_first" if self.country == "NL" else "principal_first")

    @property
    def min_instalment(self) -> Money:
        return Money.parse(str(self.plans.min_instalment))

    def secret(self, value: str | None, environment: dict[str, str]) -> str | None:
        """A value of this file with its `${NAME}` resolved; None where the name is not set."""
        if value is None:
            return None
        match = REFERENCE.match(value)
        return environment.get(match[1]) if match else value
