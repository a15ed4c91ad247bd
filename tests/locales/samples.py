"""A value for each placeholder, and the channels on which each message is shown."""

from datetime import date
from typing import Any

from channels import sms, telegram, web, whatsapp
from core.creditor import Alerts, Creditor
from core.message import Limits

TODAY = date(2026, 11, 1)
URL = "https://effen.example/p/Qk3vTz9LmN0pRs7uWx1yZA"
LINK_URL = {"link-1": URL}

CREDITOR = Creditor(
    key="bloem",
    name="Bloem & Blad",
    country="NL",
    registration="KvK 12345678",
    languages=["nl", "en"],
    iban="NL02ABNA0123456789",
    alerts=Alerts(urgent="care@example.test"),
)

CHANNELS: dict[str, Limits] = {
    "web": web.WEB,
    "whatsapp": whatsapp.LIMITS,
    "sms": sms.LIMITS,
    "telegram": telegram.LIMITS,
}

_MONEY = {"money": [4995, "EUR"]}
_DATE = {"date": "2026-11-27"}

_DAYS = {"first": {"key": "day.mon"}, "last": {"key": "day.fri"}}
_FEES: list[dict[str, Any]] = [
    {"line": {"key": f"fees.line.{name}", "args": args}}
    for name, args in (
        ("principal", {"amount": _MONEY}),
        ("interest", {"amount": {"money": [61, "EUR"]}, "rate": {"percent": "4"}, "since": _DATE, "until": _DATE}),
        (
            "interest_agreed",
            {"amount": {"money": [31, "EUR"]}, "rate": {"percent": "2"}, "since": _DATE, "until": _DATE},
        ),
        ("costs.NL", {"amount": {"money": [4000, "EUR"]}}),
        ("letter", {"since": _DATE, "day": _DATE}),
    )
]
_RECEIPT: list[dict[str, Any]] = [
    {"line": {"key": f"receipt.line.{name}", "args": args}}
    for name, args in (
        ("amount", {"amount": _MONEY}),
        ("paid_at", {"day": _DATE}),
        ("method", {"method": {"key": "method.ideal"}}),
        ("reference", {"reference": "RF18 5390 0754 7034"}),
        ("invoice", {"number": "F2026-0042", "amount": _MONEY}),
    )
]
_PLAN: list[dict[str, Any]] = [
    {"due": {"date": day}, "amount": {"money": [minor, "EUR"]}}
    for day, minor in (("2026-12-01", 3334), ("2027-01-01", 3333), ("2027-02-01", 3333))
]
_INVOICE = {"number": "F2026-0042", "amount": _MONEY}
_LATE = {"key": "privacy.fact.late", "args": {"n": 3, "days": 14}}
_BROKEN = {"key": "privacy.fact.broken", "args": {"n": 1, "days": 14}}
_WHY = {"key": "privacy.why.rule", "args": {"months": 12, "facts": [_LATE, _BROKEN]}}
_ROWS = {
    "balance.disputed": ("balance.row_disputed", _INVOICE),
    "balance.open_many": (
        "balance.row",
        {**_INVOICE, "state": {"key": "balance.state.due"}, "due": _DATE},
    ),
    "balance.open": (
        "balance.row",
        {"number": "F2026-0042", "amount": _MONEY, "state": {"key": "balance.state.due"}, "due": _DATE},
        {
            "number": "F2026-0031",
            "amount": _MONEY,
            "state": {"key": "balance.state.overdue"},
            "due": {"date": "2026-10-01"},
        },
    ),
    **dict.fromkeys(
        ("payment_methods.list", "payment_methods.online"),
        ("payment_methods.row", {"method": {"key": "method.ideal"}}, {"method": {"key": "method.bancontact"}}),
    ),
    "payments.received": ("payments.row", {"amount": _MONEY, "paid_at": _DATE, "invoices": ["F2026-0042"]}),
    "receipt.text": ("fees.row", *_RECEIPT),
    "receipt.which": (
        "receipt.choice",
        {"count": 1, "amount": _MONEY, "paid_at": _DATE},
        {"count": 2, "amount": _MONEY, "paid_at": {"date": "2026-10-01"}},
    ),
    **dict.fromkeys(("fees.charged", "fees.chargeable"), ("fees.row", *_FEES)),
    **dict.fromkeys(
        (
            "plan.confirm",
            "plan.agreed",
            "plan.agreed_costs",
            "plan.agreed_web",
            "plan.agreed_costs_web",
            "plan.current",
        ),
        ("plan.row", *_PLAN),
    ),
    "contact.hours": (
        "contact.hours_row",
        {"days": {"key": "contact.days", "args": _DAYS}, "opens": "08:30", "closes": "17:30"},
        {"days": {"key": "day.sat"}, "opens": "09:00", "closes": "12:00"},
    ),
    "language.which": (
        "language.line",
        {"line": {"key": "language.ask_nl"}},
        {"line": {"key": "language.ask_fr"}},
    ),
    "orders.list": (
        "orders.row",
        {"number": "B-1007", "ordered_at": _DATE, "status": {"key": "orders.status.shipped"}},
    ),
}

# By the placeholder's name; a name that is not here is a test failure, so that somebody thinks about its type.
ARGUMENTS: dict[str, Any] = {
    "price": _MONEY,
    "stock": {"key": "answer.stock.in_stock"},
    "amount": _MONEY,
    "by": "Sanne",
    "carrier": "PostNL",
    "channel": "WhatsApp",
    "closes": "17:30",
    "code": "418203",
    "count": 4000,
    "day": _DATE,
    "days": 3,
    "description": "Monstera deliciosa",
    "due": _DATE,
    "email": "hallo@bloem.example",
    "expected_at": _DATE,
    "first": {"key": "day.mon"},
    "help": {"key": "care.debt_help.NL"},
    "hours": 4,
    "iban": "NL02 ABNA 0123 4567 89",
    "intent": "…",
    "intents": "…",
    "invoice": "F2026-0042",
    "invoices": ["F2026-0042", "F2026-0057"],
    "issued": {"date": "2026-10-30"},
    "language": "…",
    "least": {"money": [2500, "EUR"]},
    "line": {"key": "fees.line.principal", "args": {"amount": _MONEY}},
    "last": {"key": "day.fri"},
    "lines": {"key": "care.self_harm.lines.NL"},
    "link": {"link": "link-1"},
    "method": {"key": "method.ideal"},
    "minutes": 12,
    "n": 2,
    "name": "Sanne",
    "number": "F2026-0042",
    "open": _MONEY,
    "opens": "08:30",
    "ordered_at": _DATE,
    "page": {"page": "link-1"},
    "paid_at": _DATE,
    "phone": "020 123 45 67",
    "question": "Hoe vaak geef ik een monstera water?",
    "rate": {"percent": "10.5"},
    "reason": "…",
    "reference": "RF18 5390 0754 7034",
    "registration": "KvK 12345678",
    "role": "…",
    "since": {"date": "2026-10-16"},
    "source": "bloem.example",
    "state": {"key": "balance.state.due"},
    "status": {"key": "orders.status.shipped"},
    "text": "Goedemiddag, ik kijk het even voor u na.",
    "time": "08:30",
    "total": {"money": [9990, "EUR"]},
    "until": _DATE,
    "currency": "USD",
    "credit": {"money": [1000, "EUR"]},
    "duplicates": 1,
    "end": "6789",
    "expected": "NL02ABNA0123456789",
    "found": "…",
    "fresh": 12,
    "ignored": 2,
    "left": {"money": [1000, "EUR"]},
    "matched": 7,
    "megabytes": 16,
    "statements": 1,
    "suggested": 2,
    "told": {"money": [9900, "EUR"]},
    "unmatched": 1,
    "where": "Stmt 1, Ntry 2",
    "url": "https://postnl.example/t/3SABC",
    "risk": {"key": "privacy.class.high"},
    "months": 12,
    "facts": [_LATE, _BROKEN],
    "when": "…",
    "why": {"key": "debit.why.insufficient"},
}

# Where a message gives a name another type than the others do.
OWN: dict[str, dict[str, Any]] = {
    **{key: {"why": _WHY} for key in ("privacy.risk", "privacy.risk_methods")},
    "contact.hours_row": {"days": {"key": "contact.days", "args": _DAYS}},
    "answer.found_link": {"link": "https://bloem.example/veelgestelde-vragen"},
    **{key: {"rows": {"key": row, "rows": rows}} for key, (row, *rows) in _ROWS.items()},
}


def argument(key: str, name: str) -> Any:
    """A sample of this message's argument. Raises KeyError."""
    return OWN.get(key, {}).get(name) or ARGUMENTS[name]
