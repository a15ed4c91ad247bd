"""Whose payment a line is: every rule, and what looks like one and is none."""

from datetime import date

import pytest

from billing.statements.matching import Book, Claimed, Match, Owed, Paid, alike, match
from core.ids import DebtorId, InvoiceId
from payments.references import betalingskenmerk, creditor_reference, structured_communication

FIENTJE, JAN, OTHER = DebtorId("fientje"), DebtorId("jan"), DebtorId("other")
F_IBAN, J_IBAN, SHARED = "NL91ABNA0417164300", "NL20INGB0001234567", "BE68539007547034"
RF = creditor_reference("F-2026-001")
OGM = structured_communication("1234567890")
KENMERK = betalingskenmerk("42")
LINK = creditor_reference("L0123456789ab")


def _owed(key: str, debtor: DebtorId, number: str, minor: int, day: int = 1, **values: object) -> Owed:
    names = {FIENTJE: "Fientje Fictief", JAN: "Jan van der Verzonnen", OTHER: "Fietje Fabel"}
    return Owed(InvoiceId(key), debtor, number, names[debtor], minor, date(2026, 11, day), **values)  # type: ignore[arg-type]


OWED = [
    _owed("f1", FIENTJE, "F-2026-001", 5000, 1, references=frozenset({RF})),
    _owed("f2", FIENTJE, "F-2026-002", 7500, 2, references=frozenset({OGM})),
    _owed("f3", FIENTJE, "17", 900, 3),
    _owed("j1", JAN, "F-2026-003", 5000, 1, references=frozenset({KENMERK})),
    _owed("j2", JAN, "F-2026-004", 0, 4, references=frozenset({"KLANT7"})),
    _owed("j3", JAN, "F-2026-005", 5000, 2, online=frozenset({5000})),
    _owed("o1", OTHER, "F-2026-006", 1234, 1),
]
BOOK = Book(
    OWED,
    {LINK: [InvoiceId("f1"), InvoiceId("f2")]},
    {F_IBAN: frozenset({FIENTJE}), J_IBAN: frozenset({JAN}), SHARED: frozenset({FIENTJE, JAN})},
)


CLAIMS = [
    Claimed(JAN, [InvoiceId("j1"), InvoiceId("j3")], 6000, "7777"),
    Claimed(JAN, [InvoiceId("j2")], 700, "8888"),  # nothing is open of that
    Claimed(FIENTJE, [InvoiceId("f2")], 7500, "1111"),
    Claimed(OTHER, [InvoiceId("o1")], 7500, "1111"),
    Claimed(OTHER, [InvoiceId("o1")], None, "2222"),
    Claimed(OTHER, [InvoiceId("o1")], 1234, "4300"),
]
OF_CLAIMS = Book(OWED, {}, {F_IBAN: frozenset({FIENTJE})}, CLAIMS)


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        pytest.param(Paid(6000, iban="NL00X7777"), ("claim", True, ["j1", "j3"]), id="amount and end of the account"),
        pytest.param(Paid(5999, iban="NL00X7777"), ("claim", False, ["j1", "j3"]), id="another amount"),
        pytest.param(Paid(6000, iban="NL00X7778"), None, id="another account"),
        pytest.param(Paid(6000), None, id="no account"),
        pytest.param(Paid(700, iban="NL00X8888"), None, id="it is paid already"),
        pytest.param(Paid(7500, iban="NL00X1111"), None, id="two people say so"),
        pytest.param(Paid(1234, iban="NL00X2222"), ("claim", False, ["o1"]), id="no amount was said"),
        pytest.param(Paid(6000, RF, iban="NL00X7777"), ("reference", True, ["f1"]), id="a reference says more"),
        pytest.param(Paid(1234, iban=F_IBAN), ("account", False, ["f1"]), id="an account that is another's"),
        pytest.param(
            Paid(7500, name="F. Fictief", iban="NL00X7777"),
            ("name", False, ["f2"]),
            id="a name and the amount say more",
        ),
    ],
)
def test_what_somebody_says_to_have_paid(paid: Paid, expected: tuple[str, bool, list[str]] | None) -> None:
    assert _said(match(paid, OF_CLAIMS)) == expected


def _said(found: Match | None) -> tuple[str, bool, list[str]] | None:
    return None if found is None else (found.rule, found.sure, list(found.invoices))


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        pytest.param(Paid(5000, RF), ("reference", True, ["f1"]), id="structured"),
        pytest.param(Paid(5000, text=f"betaling {RF[:4]} {RF[4:8]} {RF[8:]}"), ("reference", True, ["f1"]), id="free"),
        pytest.param(Paid(5000, end_to_end=RF), ("reference", True, ["f1"]), id="as the payer's own id"),
        pytest.param(Paid(7500, text=f"mededeling {OGM}"), ("reference", True, ["f2"]), id="ogm"),
        pytest.param(Paid(7500, OGM.replace("+", "").replace("/", "")), ("reference", True, ["f2"]), id="ogm's digits"),
        pytest.param(Paid(7500, text=OGM.replace("+", "*")), ("reference", True, ["f2"]), id="ogm with stars"),
        pytest.param(Paid(5000, KENMERK), ("reference", True, ["j1"]), id="betalingskenmerk"),
        pytest.param(Paid(1, RF), ("reference", True, ["f1"]), id="a part"),
        pytest.param(Paid(10**6, RF), ("reference", True, ["f1"]), id="too much"),
        pytest.param(Paid(5000, "klant-7"), ("reference", True, ["j2"]), id="the creditor's own, and paid already"),
        pytest.param(Paid(12500, LINK), ("reference", True, ["f1", "f2"]), id="a link over two"),
        pytest.param(Paid(12500, text=f"{RF} {OGM}"), ("reference", True, ["f1", "f2"]), id="two references"),
        pytest.param(Paid(5000, text=f"{RF} {KENMERK}"), None, id="references of two people"),
        pytest.param(Paid(5000, RF[:-1] + "9"), None, id="wrong check digits"),
        pytest.param(Paid(4444, text="factuur f-2026-001 mvg"), ("number", True, ["f1"]), id="number"),
        pytest.param(Paid(4444, text="Factuur: F 2026 001"), ("number", True, ["f1"]), id="number with spaces"),
        pytest.param(Paid(5000, text="F2026001/F2026002"), ("number", True, ["f1", "f2"]), id="two numbers"),
        pytest.param(Paid(5000, text="F-2026-001 F-2026-003"), None, id="numbers of two people"),
        pytest.param(Paid(5000, text="XF-2026-0012"), None, id="a number inside another"),
        pytest.param(Paid(900, text="17"), ("number", True, ["f3"]), id="short number, the amount"),
        pytest.param(Paid(901, text="17"), ("number", False, ["f3"]), id="short number, another amount"),
        pytest.param(Paid(901, text="17", iban=F_IBAN), ("account", False, ["f1"]), id="short number, account known"),
        pytest.param(Paid(901, text="17", name="F Fictief"), ("name", False, ["f3"]), id="short number, name known"),
        pytest.param(Paid(7500, text="17 november", iban=F_IBAN), ("account", True, ["f2"]), id="a day, no number"),
        pytest.param(Paid(5000, text="F-2026-005", name="PSP"), ("online", False, ["j3"]), id="paid out by a provider"),
        pytest.param(
            Paid(5000, text="F-2026-005", name="J. Verzonnen"), ("number", True, ["j3"]), id="paid a second time"
        ),
        pytest.param(Paid(7500, iban=F_IBAN), ("account", True, ["f2"]), id="account and amount"),
        pytest.param(Paid(13400, iban=F_IBAN), ("account", True, ["f1", "f2", "f3"]), id="account and all of it"),
        pytest.param(Paid(5000, iban=J_IBAN), ("account", True, ["j1"]), id="the one due first"),
        pytest.param(Paid(7500, iban=SHARED), ("account", True, ["f2"]), id="shared account, one fits"),
        pytest.param(Paid(5000, iban=SHARED), None, id="shared account, both fit"),
        pytest.param(Paid(4321, iban=F_IBAN), ("account", False, ["f1"]), id="account, another amount"),
        pytest.param(Paid(4321, iban=SHARED), None, id="shared account, another amount"),
        pytest.param(Paid(1234, name="FABEL F"), ("name", False, ["o1"]), id="name and amount"),
        pytest.param(Paid(1134, name="Fietje Fabel"), ("name", False, ["o1"]), id="a euro less"),
        pytest.param(Paid(1133, name="Fietje Fabel"), None, id="more than a euro less"),
        pytest.param(Paid(7650, name="F. Fictief"), ("name", False, ["f2"]), id="two percent more"),
        pytest.param(Paid(7651, name="F. Fictief"), None, id="more than two percent more"),
        pytest.param(Paid(5000, name="J v d Verzonnen"), ("name", False, ["j1"]), id="the one due first, by name"),
        pytest.param(Paid(1234, name="Iemand Anders"), None, id="amount alone"),
        pytest.param(Paid(31337, name="Fietje Fabel"), None, id="name alone"),
        pytest.param(Paid(1234), None, id="nobody"),
        pytest.param(Paid(0), None, id="nothing"),
    ],
)
def test_rules(paid: Paid, expected: tuple[str, bool, list[str]] | None) -> None:
    assert _said(match(paid, BOOK)) == expected


def test_two_people_of_one_name() -> None:
    first = _owed("a", FIENTJE, "1", 5000)
    second = Owed(InvoiceId("b"), DebtorId("twin"), "2", "Fientje Fictief", 5000, date(2026, 11, 1))
    assert match(Paid(5000, name="F Fictief"), Book([first, second])) is None


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("F. Fictief", "Fientje Fictief", True),
        ("FICTIEF F", "Fientje Fictief", True),
        ("Dhr J van der Verzonnen", "Jan van der Verzonnen", True),
        ("Fictief-de Bedacht F", "Fientje Fictief", True),
        ("Fictif", "Fientje Fictief", True),
        ("Müller G", "Gerda Mueller", True),
        ("Müller G", "Gerda Muller", True),
        ("P. Fictief", "Fientje Fictief", False),
        ("Fientje Bedacht", "Fientje Fictief", False),
        ("van der", "Jan van der Verzonnen", False),
        ("", "Fientje Fictief", False),
        (None, "Fientje Fictief", False),
        ("Bakkerij Zonnebloem BV", "Bakkerij De Zonnebloem", True),
    ],
)
def test_names(left: str | None, right: str, expected: bool) -> None:
    assert alike(left, right) is expected
