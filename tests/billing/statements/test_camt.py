"""What is read in a bank's file, and which files are refused."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from billing.statements import xml
from billing.statements.camt import LineKind, Statement, parse
from billing.statements.refused import Refused
from core.money import Money
from tests.billing.statements.written import OURS, Entry, Stmt, Tx, one, written

PAYER = "NL91ABNA0417164300"
VERSIONS = pytest.mark.parametrize("version", ["02", "08"])


@VERSIONS
def test_a_payment(version: str) -> None:
    tx = Tx(
        5000,
        "Fientje  Fictief",
        PAYER,
        text=["factuur", "F-1"],
        reference=["RF18539007547034", "second"],
        end_to_end="E2E-1",
        bank_reference="BANK-1",
    )
    (statement,) = parse(one(tx, version=version), OURS)
    assert (statement.number, statement.sequence, statement.account) == ("2026-327", "327", OURS)
    assert (statement.opening, statement.closing) == (Money(100_000), Money(105_000))
    (line,) = statement.lines
    assert (line.kind, line.amount, line.booked_on) == (LineKind.PAYMENT, Money(5000), date(2026, 11, 23))
    assert (line.name, line.iban) == ("Fientje Fictief", PAYER)
    assert (line.reference, line.text) == ("RF18539007547034", "factuur F-1 second")
    assert (line.end_to_end, line.bank_reference, line.part, line.reason) == ("E2E-1", "BANK-1", 0, None)


def _kinds(statement: Statement) -> list[tuple[LineKind, int]]:
    return [(line.kind, line.amount.minor) for line in statement.lines]


@VERSIONS
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(Entry([Tx(100)]), [(LineKind.PAYMENT, 100)], id="credit"),
        pytest.param(Entry([Tx(-100)]), [(LineKind.DEBIT, -100)], id="debit"),
        pytest.param(Entry([Tx(-100, reason="AM04")]), [(LineKind.RETURN, -100)], id="returned with a reason"),
        pytest.param(Entry([Tx(-100, returned=True)]), [(LineKind.RETURN, -100)], id="returned without one"),
        pytest.param(Entry([Tx(-100)], reversal=True), [(LineKind.RETURN, -100)], id="reversal of a credit"),
        pytest.param(Entry([Tx(-100)], code="IDDT/UPDD"), [(LineKind.RETURN, -100)], id="unpaid debit, by its code"),
        pytest.param(Entry([Tx(-100)], code="ICDT/ESCT"), [(LineKind.DEBIT, -100)], id="own transfer"),
        pytest.param(Entry([Tx(-100)], code="RDDT/UPDD"), [(LineKind.DEBIT, -100)], id="another family's code"),
        pytest.param(Entry([Tx(100)], reversal=True), [(LineKind.REVERSAL, 100)], id="reversal of a debit"),
        pytest.param(Entry([Tx(100, reason="AC04")]), [(LineKind.REVERSAL, 100)], id="own transfer that came back"),
        pytest.param(Entry([Tx(100)], status="PDNG"), [], id="pending"),
        pytest.param(Entry([Tx(100)], status="INFO"), [], id="for information"),
        pytest.param(Entry([Tx(0)]), [], id="nothing"),
        pytest.param(
            Entry([Tx(100), Tx(250)]), [(LineKind.PAYMENT, 100), (LineKind.PAYMENT, 250)], id="batch of payments"
        ),
        pytest.param(
            Entry([Tx(-100, reason="AC04"), Tx(-250, reason="MD06")]),
            [(LineKind.RETURN, -100), (LineKind.RETURN, -250)],
            id="batch of returns",
        ),
        pytest.param(Entry([Tx(100), Tx(250, amount=False)]), [(LineKind.PAYMENT, 350)], id="batch not told apart"),
        pytest.param(Entry([Tx(350)], details=False), [(LineKind.PAYMENT, 350)], id="no details"),
    ],
)
def test_kinds_of_lines(version: str, entry: Entry, expected: list[tuple[LineKind, int]]) -> None:
    (statement,) = parse(written(Stmt([entry]), version=version), OURS)
    assert _kinds(statement) == expected


def test_a_batch_of_both_directions() -> None:
    """Version 8 gives each transaction its direction."""
    (statement,) = parse(written(Stmt([Entry([Tx(500), Tx(-200, reason="MD06")])]), version="08"), OURS)
    assert _kinds(statement) == [(LineKind.PAYMENT, 500), (LineKind.RETURN, -200)]


@VERSIONS
def test_what_a_batch_shares_and_what_it_does_not(version: str) -> None:
    batch = Entry([Tx(100, end_to_end="A"), Tx(100, end_to_end="NOTPROVIDED", bank_reference="T2")], "B1")
    (statement,) = parse(written(Stmt([batch]), version=version), OURS)
    assert [(line.bank_reference, line.part, line.end_to_end) for line in statement.lines] == [
        ("B1", 0, "A"),
        ("T2", 1, None),
    ]


@pytest.mark.parametrize(
    ("tx", "expected"),
    [
        (Tx(-100, "Fientje", PAYER, reason="AC04"), ("Fientje", PAYER, "AC04")),
        (Tx(-100, "Fientje", PAYER, side="Cdtr", reason="AC04"), ("Fientje", PAYER, "AC04")),
        (Tx(-100, "Fientje", PAYER, reason="not a code"), ("Fientje", PAYER, None)),
        (Tx(-100, "Leverancier", PAYER, text="loon van Jan"), (None, None, None)),
        (Tx(100, "Fientje", "Nonsense", text="x"), ("Fientje", None, None)),
    ],
    ids=["debtor", "who gets it back", "no code", "own payment", "no iban"],
)
def test_the_other_side(tx: Tx, expected: tuple[str | None, ...]) -> None:
    (line,) = parse(one(tx), OURS)[0].lines
    assert (line.name, line.iban, line.reason) == expected
    assert line.kind is not LineKind.DEBIT or not line.text


def test_what_an_old_bank_says_about_the_entry() -> None:
    (line,) = parse(written(Stmt([Entry([Tx(100)], details=False, info="FICTIEF F  factuur F-1")])), OURS)[0].lines
    assert line.text == "FICTIEF F factuur F-1"


def test_several_statements() -> None:
    first, second = Stmt([Entry([Tx(100)])]), Stmt([], number="2026-328", sequence="", opening=100_100)
    statements = parse(written(first, second, version="08"), OURS)
    assert [(each.number, each.sequence, len(each.lines)) for each in statements] == [
        ("2026-327", "327", 1),
        ("2026-328", "", 0),
    ]


@pytest.mark.parametrize(
    "stmt",
    [
        Stmt([Entry([Tx(100)])], codes=("PRCD", "CLBD")),
        Stmt([Entry([Tx(100)])], codes=("OPBD", "ITBD")),
        Stmt([Entry([Tx(100)])], codes=("ITBD", "ITBD")),
        Stmt([Entry([Tx(100)])], between=[("CLAV", 1), ("FWAV", 2)]),
        Stmt([Entry([Tx(-100)])], opening=50),
        Stmt([], opening=-7),
    ],
    ids=["previous closing", "first page", "middle page", "available", "into the red", "in the red"],
)
def test_balances_that_add_up(stmt: Stmt) -> None:
    assert len(parse(written(stmt), OURS)) == 1


def _entity(_: str = "") -> bytes:
    declared = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return one(Tx(1, text="&b;")).replace(b"<Document", declared + b"<Document")


FILES: dict[str, tuple[Callable[[], bytes], str, dict[str, Any]]] = {
    "empty": (lambda: b"", "not_xml", {"line": 1}),
    "csv": (lambda: b"a;b\n1;2", "not_xml", {"line": 1}),
    "broken off": (lambda: one(Tx(1))[:-20], "not_xml", {"line": 2}),
    "unknown encoding": (lambda: one(Tx(1)).replace(b"UTF-8", b"X-KLINGON"), "not_xml", {"line": 1}),
    "not in its encoding": (lambda: one(Tx(1, text="é")).replace("é".encode(), b"\xe9"), "not_xml", {"line": 2}),
    "entities": (_entity, "hostile", {}),
    "external entity": (
        lambda: one(Tx(1)).replace(b"<Document", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document'),
        "hostile",
        {},
    ),
    "declared types": (lambda: one(Tx(1)).replace(b"<Document", b"<!DOCTYPE x><Document"), "hostile", {}),
    "deep": (lambda: b"<a>" * 100_000, "hostile", {}),
    "huge": (lambda: b" " * (xml.MAX_BYTES + 1), "too_large", {"megabytes": 16}),
    "many": (lambda: b"<a>" + b"<b/>" * 500_001 + b"</a>", "too_large", {"megabytes": 16}),
    "other format": (
        lambda: written(Stmt([]), namespace="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"),
        "not_camt",
        {"found": "{urn:iso:std:iso:20022:tech:xsd:camt.054.001.02}Document"},
    ),
    "other version": (
        lambda: written(Stmt([]), namespace="urn:iso:std:iso:20022:tech:xsd:camt.053.001.04"),
        "not_camt",
        {"found": "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.04}Document"},
    ),
    "no statement": (lambda: written(), "incomplete", {"where": "BkToCstmrStmt/Stmt"}),
    "another account": (
        lambda: written(Stmt([Entry([Tx(1)])]), Stmt([], account=PAYER)),
        "other_account",
        {"found": PAYER, "expected": OURS},
    ),
    "account in dollars": (
        lambda: written(Stmt([], currency="USD")),
        "currency",
        {"where": "Stmt 1", "currency": "USD"},
    ),
    "an entry in dollars": (
        lambda: written(Stmt([Entry([Tx(5)]), Entry([Tx(1)], currency="USD")])),
        "currency",
        {"where": "Stmt 1, Ntry 2", "currency": "USD"},
    ),
    "balances do not add up": (
        lambda: written(Stmt([Entry([Tx(100)])], closing=100_101)),
        "balance",
        {"where": "Stmt 1", "total": Money(100_100), "told": Money(100_101)},
    ),
    "no opening balance": (
        lambda: written(Stmt([], codes=(None, "CLBD"))),
        "incomplete",
        {"where": "Stmt 1: Bal OPBD"},
    ),
    "no closing balance": (
        lambda: written(Stmt([], codes=("OPBD", None))),
        "incomplete",
        {"where": "Stmt 1: Bal CLBD"},
    ),
    "a batch does not add up": (
        lambda: written(Stmt([Entry([Tx(100), Tx(250)], total=351)])),
        "batch",
        {"where": "Stmt 1, Ntry 1", "total": Money(351), "told": Money(350)},
    ),
    "no day": (
        lambda: one(Tx(1)).replace(b"<BookgDt><Dt>2026-11-23</Dt></BookgDt><ValDt><Dt>2026-11-23</Dt></ValDt>", b""),
        "incomplete",
        {"where": "Stmt 1, Ntry 1: BookgDt"},
    ),
    "no such day": (
        lambda: one(Tx(1)).replace(b"<BookgDt><Dt>2026-11-23", b"<BookgDt><Dt>2026-02-30"),
        "incomplete",
        {"where": "Stmt 1, Ntry 1: BookgDt/Dt"},
    ),
    "no direction": (
        lambda: one(Tx(1)).replace(b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<Sts>"),
        "incomplete",
        {"where": "Stmt 1, Ntry 1: Amt, CdtDbtInd"},
    ),
    "no status": (lambda: one(Tx(1)).replace(b"<Sts>BOOK</Sts>", b""), "incomplete", {"where": "Stmt 1, Ntry 1: Sts"}),
    "no amount": (lambda: one(Tx(3)).replace(b">0.03<", b">NaN<"), "incomplete", {"where": "Stmt 1, Ntry 1: Amt"}),
    "negative": (lambda: one(Tx(3)).replace(b">0.03<", b">-0.03<"), "incomplete", {"where": "Stmt 1, Ntry 1: Amt"}),
    "half a cent": (lambda: one(Tx(3)).replace(b">0.03<", b">0.035<"), "incomplete", {"where": "Stmt 1, Ntry 1: Amt"}),
    "no id": (lambda: one(Tx(1)).replace(b"<Id>2026-327</Id>", b""), "incomplete", {"where": "Stmt 1: Id"}),
}


@pytest.mark.parametrize("name", FILES)
def test_refused(name: str) -> None:
    content, code, args = FILES[name]
    with pytest.raises(Refused) as refused:
        parse(content(), OURS)
    assert (refused.value.code, refused.value.args_of_text) == (code, args)
