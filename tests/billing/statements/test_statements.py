"""Statements on the real store: what is booked, what is told, and what is left for a person."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from billing.claims import Claims
from billing.issued_links import IssuedLinks
from billing.ledger import balance_of
from billing.methods import TRANSFER
from billing.statements.refused import Refused
from billing.statements.statements import Statements, Summary
from core.errors import NotFound
from core.ids import CreditorKey, DebtorId, InvoiceId
from core.lifecycle import LinkState, PaymentStatus
from core.money import Money
from payments.references import creditor_reference
from store.events import DIRECT_DEBIT_FAILED, PAYMENT_BOOKED, PAYMENT_RETURNED
from store.tables.bank import bank_decision, bank_line, bank_statement
from store.tables.money import booking, payment, payment_link
from store.tables.talk import event
from tests.billing.house import BLOEM as CREDITOR
from tests.billing.house import House
from tests.billing.statements.written import DAY, Entry, Stmt, Tx, one, written

BLOEM, VELO = CreditorKey("bloem"), CreditorKey("velo")
F_IBAN, J_IBAN = "NL91ABNA0417164300", "NL20INGB0001234567"
RF = creditor_reference("F-2026-001")


async def _rows(house: House, table: Any) -> list[Any]:
    async with house.database.read() as tx:
        return list(await tx.execute(select(table)))


async def _said(house: House, name: str) -> list[Mapping[str, Any]]:
    return [row.payload for row in await _rows(house, event) if row.name == name]


async def _fientje(house: House, minor: int = 5000) -> tuple[DebtorId, InvoiceId]:
    who = await house.debtor("K1")
    return who, await house.invoice(who, "F-2026-001", minor)


def _counts(summary: Summary) -> tuple[int, ...]:
    return summary.matched, summary.suggested, summary.unmatched, summary.ignored, summary.duplicates


@pytest.mark.parametrize("version", ["02", "08"])
async def test_a_payment_is_booked_and_told_like_any_other(house: House, statements: Statements, version: str) -> None:
    _who, key = await _fientje(house)
    summary = await statements.load(BLOEM, one(Tx(5000, "F Fictief", F_IBAN, reference=RF), version=version), "command")
    assert summary == Summary(1, 1, matched=1, suggested=0, unmatched=0, ignored=0, duplicates=0)
    assert await house.open(key) == 0
    (paid,) = await _rows(house, payment)
    assert (paid.provider, paid.status, paid.amount, paid.method) == (TRANSFER, PaymentStatus.PAID, 5000, TRANSFER)
    assert paid.paid_at.date() == DAY
    assert [each["payment_id"] for each in await _said(house, PAYMENT_BOOKED)] == [paid.id]
    assert await house.accounts() == {"receivable": 0, "revenue": -5000, "bank": 5000}
    (decision,) = await _rows(house, bank_decision)
    assert (decision.outcome, decision.rule, decision.payment_id, decision.invoice_id, decision.agent_id) == (
        "booked", "reference", paid.id, key, None,
    )  # fmt: skip


async def test_the_same_statement_twice_changes_nothing(house: House, statements: Statements) -> None:
    await _fientje(house)
    content = one(Tx(5000, reference=RF), Tx(77), Tx(-10))
    first = await statements.load(BLOEM, content, "command")
    assert _counts(first) == (1, 0, 1, 1, 0)
    tables = (bank_statement, bank_line, bank_decision, payment, booking, event)
    before = [await _rows(house, table) for table in tables]
    house.clock.advance(minutes=5)
    again = await statements.load(BLOEM, content.replace(b"M1", b"M2"), "command")
    assert again == Summary(0, 0, 0, 0, 0, 0, duplicates=3)
    assert [await _rows(house, table) for table in tables] == before


async def test_the_same_statement_in_both_versions_is_one(house: House, statements: Statements) -> None:
    await _fientje(house)
    stmt = Stmt([Entry([Tx(5000, "F", F_IBAN, reference=RF, bank_reference="B1")])])
    await statements.load(BLOEM, written(stmt, version="02"), "command")
    assert (await statements.load(BLOEM, written(stmt, version="08"), "command")).duplicates == 1


async def test_overlapping_statements_share_lines_by_the_banks_reference(house: House, statements: Statements) -> None:
    _who, key = await _fientje(house, 20_000)
    a, b = Entry([Tx(5000, reference=RF)], "B1"), Entry([Tx(5000, reference=RF)], "B2")
    await statements.load(BLOEM, written(Stmt([a], number="day")), "command")
    summary = await statements.load(BLOEM, written(Stmt([a, b], number="week")), "command")
    assert (summary.lines, summary.duplicates, summary.matched) == (1, 1, 1)
    assert await house.open(key) == 10_000


async def test_the_same_reference_in_a_batch_is_told_apart(house: House, statements: Statements) -> None:
    _who, key = await _fientje(house, 20_000)
    batch = Entry([Tx(5000, reference=RF), Tx(5000, reference=RF)], "B1")
    assert (await statements.load(BLOEM, written(Stmt([batch])), "command")).matched == 2
    assert await house.open(key) == 10_000


async def test_two_payments_that_say_the_same_are_two(house: House, statements: Statements) -> None:
    _who, key = await _fientje(house, 20_000)
    tx = Tx(5000, "F", F_IBAN, reference=RF)
    assert (await statements.load(BLOEM, one(tx, tx), "command")).matched == 2
    assert await house.open(key) == 10_000


async def test_a_line_without_a_reference_that_comes_in_another_statement_is_for_a_person(
    house: House, statements: Statements
) -> None:
    _who, key = await _fientje(house, 20_000)
    tx = Tx(5000, "F", F_IBAN, reference=RF)
    await statements.load(BLOEM, one(tx), "command")
    summary = await statements.load(BLOEM, one(tx, number="reissued"), "command")
    assert _counts(summary) == (0, 1, 0, 0, 0)
    assert await house.open(key) == 15_000


async def test_a_refused_file_changes_nothing(house: House, statements: Statements) -> None:
    await _fientje(house)
    good, bad = Stmt([Entry([Tx(5000, reference=RF)])]), Stmt([], number="2", opening=1, closing=2)
    with pytest.raises(Refused):
        await statements.load(BLOEM, written(good, bad), "command")
    with pytest.raises(NotFound):
        await statements.load(CreditorKey("nobody"), written(good), "command")
    assert await _rows(house, bank_statement) == [] and await _rows(house, bank_line) == []


async def test_a_dry_run_changes_nothing(house: House, statements: Statements) -> None:
    await _fientje(house)
    content = one(Tx(5000, reference=RF), Tx(1))
    assert await statements.load(BLOEM, content, "command", dry_run=True) == Summary(1, 2, 0, 0, 0, 0, 0)
    assert await _rows(house, bank_statement) == []
    await statements.load(BLOEM, content, "command")
    assert await statements.load(BLOEM, content, "command", dry_run=True) == Summary(1, 0, 0, 0, 0, 0, 2)


async def test_another_creditors_invoice_is_not_found(house: House, statements: Statements) -> None:
    await _fientje(house)
    summary = await statements.load(VELO, one(Tx(5000, "Fientje Fictief", reference=RF)), "command")
    assert _counts(summary) == (0, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("first", "then", "expected_open", "credit"),
    [
        pytest.param(0, 4000, 1000, 0, id="a part"),
        pytest.param(0, 6000, 0, -1000, id="too much"),
        pytest.param(5000, 5000, 0, -5000, id="paid already"),
    ],
)
async def test_more_or_less_than_is_owed(
    house: House, statements: Statements, first: int, then: int, expected_open: int, credit: int
) -> None:
    who, key = await _fientje(house)
    if first:
        await house.paid_elsewhere(key, first, "told")
    assert (await statements.load(BLOEM, one(Tx(then, reference=RF)), "command")).matched == 1
    assert await house.open(key) == expected_open
    assert (await house.accounts()).get("credit", 0) == credit
    async with house.database.read() as tx:
        assert await balance_of(tx, who) == Money(expected_open + credit)


async def test_the_persons_link_is_paid_by_it(house: House, statements: Statements) -> None:
    who, key = await _fientje(house)
    other = await house.invoice(who, "F-2026-002", 700)
    link = await house.link(who, [key, other])
    alone = await house.link(who, [key], "alone")
    await statements.load(BLOEM, one(Tx(5700, text=f"kenmerk {link.reference}")), "command")
    states = {row.id: row.state for row in await _rows(house, payment_link)}
    assert states == {link.id: LinkState.PAID, alone.id: LinkState.CREATED}
    assert [await house.open(each) for each in (key, other)] == [0, 0]


async def test_a_part_leaves_the_link_open(house: House, statements: Statements) -> None:
    who, key = await _fientje(house)
    link = await house.link(who, [key])
    await statements.load(BLOEM, one(Tx(1000, reference=link.reference), Tx(4000, reference=link.reference)), "command")
    assert [row.state for row in await _rows(house, payment_link)] == [LinkState.PAID]
    assert len(await _rows(house, payment)) == 2


async def test_an_awaited_transfer_is_that_payment(house: House, statements: Statements) -> None:
    who, key = await _fientje(house)
    link = await house.link(who, [key])
    row = {
        "id": "p1", "creditor_id": BLOEM, "link_id": link.id, "provider": TRANSFER, "external_id": "x", "cause": "x",
        "currency": "EUR", "amount": 5000, "status": PaymentStatus.PENDING, "created_at": house.clock.now(),
    }  # fmt: skip
    async with house.database.begin() as tx:
        await tx.execute(insert(payment).values(row))
    await statements.load(BLOEM, one(Tx(4900, reference=link.reference)), "command")
    (paid,) = await _rows(house, payment)
    assert (paid.id, paid.status, paid.amount) == ("p1", PaymentStatus.PAID, 4900)
    assert await house.open(key) == 100
    assert [each.cause for each in await _rows(house, booking) if each.kind == "payment"] == ["payment:p1"]


async def test_an_account_is_known_once_it_has_paid(house: House, statements: Statements) -> None:
    who, first = await _fientje(house)
    second, third = await house.invoice(who, "F-2026-002", 700), await house.invoice(who, "F-2026-003", 800)
    unknown = await statements.load(BLOEM, one(Tx(700, "Ander", F_IBAN)), "command")
    assert _counts(unknown) == (0, 0, 1, 0, 0)
    paid = [Tx(5000, "Ander", F_IBAN, reference=RF), Tx(800, "Ander", F_IBAN), Tx(9, "Ander", F_IBAN)]
    assert _counts(await statements.load(BLOEM, one(*paid, number="2"), "command")) == (2, 1, 0, 0, 0)
    assert [await house.open(key) for key in (first, second, third)] == [0, 700, 0]
    house.clock.advance(days=1, minutes=1)
    assert await statements.run() == 1
    assert await house.open(second) == 0


@pytest.mark.parametrize(
    ("paid", "counts", "left"),
    [
        pytest.param(Tx(5000, "Onbekend", J_IBAN), (1, 0, 0, 0, 0), 0, id="amount and account's end"),
        pytest.param(Tx(4000, "Onbekend", J_IBAN), (0, 1, 0, 0, 0), 5000, id="another amount"),
        pytest.param(Tx(5000, "Onbekend", F_IBAN), (0, 0, 1, 0, 0), 5000, id="another account"),
    ],
)
async def test_what_somebody_says_to_have_paid_is_found(
    house: House, statements: Statements, paid: Tx, counts: tuple[int, ...], left: int
) -> None:
    who, key = await _fientje(house)
    claims = Claims(house.database, house.clock)
    said: dict[str, Any] = {"paid_on": DAY, "amount": Money(5000), "account_end": J_IBAN[-4:], "key": "c1"}
    await claims.make(await house.talk(who), who, [key], **said, creditor=CREDITOR)
    assert _counts(await statements.load(BLOEM, one(paid), "command")) == counts
    assert await house.open(key) == left
    if not left:
        (link,) = await IssuedLinks(house.database).of(who)
        assert [each.why for each in link.payments] == ["claim"]
        assert await claims.settle(who) == 1
        # It is settled: the same account's next payment is known by the account.
        again = await statements.load(
            BLOEM, one(replace(paid, minor=700), number="2026-328", sequence="328"), "command"
        )
        assert _counts(again) == (0, 0, 1, 0, 0)


async def test_what_came_too_early_is_found_the_next_day(house: House, statements: Statements) -> None:
    who = await house.debtor("K1")
    assert (await statements.load(BLOEM, one(Tx(5000, reference=RF)), "command")).unmatched == 1
    key = await house.invoice(who, "F-2026-001", 5000)
    assert await statements.run() == 0
    house.clock.advance(days=1, minutes=1)
    assert await statements.run() == 1
    assert await house.open(key) == 0
    house.clock.advance(timedelta(days=40))
    assert await statements.run() == 0


async def test_a_payout_of_an_online_payment_is_for_a_person(house: House, statements: Statements) -> None:
    who, key = await _fientje(house)
    link = await house.link(who, [key])
    row = {
        "id": "p1", "creditor_id": BLOEM, "link_id": link.id, "provider": "mollie", "external_id": "tr_1", "cause": "x",
        "currency": "EUR", "amount": 5000, "status": PaymentStatus.PAID, "created_at": house.clock.now(),
        "paid_at": house.clock.now(),
    }  # fmt: skip
    async with house.database.begin() as tx:
        await tx.execute(insert(payment).values(row))
    content = one(Tx(5000, "Stichting Betaaldienst", text=f"tr_1 {RF}"), Tx(5000, "F. Fictief", F_IBAN, text=RF))
    summary = await statements.load(BLOEM, content, "command")
    assert _counts(summary) == (1, 1, 0, 0, 0)
    suggested = [row.suggested_rule for row in await _rows(house, bank_line)]
    assert sorted(suggested, key=str) == [None, "online"]


RETURN = Tx(-5000, "Fientje Fictief", F_IBAN, end_to_end="E1", reason="AM04")


@pytest.mark.parametrize(
    "returned",
    [
        pytest.param(Entry([RETURN]), id="by the id of both"),
        pytest.param(Entry([replace(RETURN, end_to_end=None, reference=RF)]), id="by reference"),
        pytest.param(Entry([replace(RETURN, end_to_end="other", text="factuur F-2026-001")]), id="by number"),
    ],
)
@pytest.mark.parametrize("version", ["02", "08"])
async def test_a_returned_payment_is_open_again_and_told_once(
    house: House, statements: Statements, returned: Entry, version: str
) -> None:
    who, key = await _fientje(house)
    await statements.load(BLOEM, one(Tx(5000, reference=RF, end_to_end="E1"), version=version), "command")
    assert await house.open(key) == 0
    back = written(Stmt([returned], number="2"), version=version)
    for _ in range(2):
        await statements.load(BLOEM, back, "command")
    assert await house.open(key) == 5000
    assert await house.accounts() == {"receivable": 5000, "revenue": -5000, "bank": 0}
    line = next(row for row in await _rows(house, bank_line) if row.amount < 0)
    assert await _said(house, DIRECT_DEBIT_FAILED) == [
        {
            "creditor_id": "bloem", "debtor_id": who, "invoice_id": key, "amount": 5000, "currency": "EUR",
            "reason": "AM04", "iban_end": "4300", "cause": f"statement:{line.id}",
        }
    ]  # fmt: skip
    (told,) = await _said(house, PAYMENT_RETURNED)
    assert (told["kind"], told["minor"], told["reason"]) == ("chargeback", 5000, "AM04")


async def test_a_returned_payment_can_be_paid_and_returned_again(house: House, statements: Statements) -> None:
    _who, key = await _fientje(house)
    for day in range(3):
        entries = [Entry([Tx(5000, reference=RF, end_to_end="E1")], f"in{day}"), Entry([RETURN], f"out{day}")]
        summary = await statements.load(BLOEM, written(Stmt(entries, number=f"{day}")), "command")
        assert summary.matched == 2
        assert await house.open(key) == 5000
    assert len(await _said(house, DIRECT_DEBIT_FAILED)) == 3


async def test_what_a_return_costs_is_not_the_debtors(house: House, statements: Statements) -> None:
    _who, key = await _fientje(house)
    await statements.load(BLOEM, one(Tx(5000, reference=RF, end_to_end="E1")), "command")
    await statements.load(BLOEM, one(replace(RETURN, minor=-5300, reference=RF), number="2"), "command")
    assert await house.open(key) == 5000
    assert (await house.accounts())["bank"] == -300


@pytest.mark.parametrize(
    ("opening", "expected"), [(0, 5000), (2000, 5000), (5000, 5000)], ids=["told as paid", "partly", "never told"]
)
async def test_a_debit_that_we_never_saw_come(
    house: House, statements: Statements, opening: int, expected: int
) -> None:
    """The creditor collects by itself, and tells us of paid invoices by its files."""
    who = await house.debtor("K1")
    key = await house.invoice(who, "F-2026-001", opening, amount=5000)
    back = Tx(-5000, "F", F_IBAN, end_to_end="E1", text="F-2026-001", reason="MD06")
    for number in ("1", "2"):
        summary = await statements.load(BLOEM, one(back, number=number, opening=10**6), "command")
        assert summary.matched + summary.suggested == 1
    assert await house.open(key) == expected
    assert sum((await house.accounts()).values()) == 0
    (told,) = await _said(house, DIRECT_DEBIT_FAILED)
    assert (told["debtor_id"], told["invoice_id"], told["reason"]) == (who, key, "MD06")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry([Tx(-5000, reference=RF)], reversal=True), "MS03"),
        (Entry([Tx(-5000, text=RF)], code="IDDT/UPDD"), "MS03"),
        (Entry([Tx(-5000, reference=RF, reason="AC04")]), "AC04"),
    ],
)
async def test_reasons(house: House, statements: Statements, entry: Entry, reason: str) -> None:
    await _fientje(house)
    await statements.load(BLOEM, written(Stmt([Entry([Tx(5000, reference=RF)]), entry])), "command")
    assert [each["reason"] for each in await _said(house, DIRECT_DEBIT_FAILED)] == [reason]


@pytest.mark.parametrize(
    "entry",
    [
        Entry([Tx(-5000, "Fientje Fictief", F_IBAN, reason="AC04")]),
        Entry([Tx(5000, "Fientje Fictief", reference=RF)], reversal=True),
        Entry([Tx(5000, "Fientje Fictief", reference=RF, reason="AC04")]),
    ],
    ids=["returned, nobody knows what", "own debit undone", "own transfer came back"],
)
async def test_what_a_person_has_to_look_at(house: House, statements: Statements, entry: Entry) -> None:
    _who, key = await _fientje(house)
    assert _counts(await statements.load(BLOEM, written(Stmt([entry])), "command")) == (0, 0, 1, 0, 0)
    assert await house.open(key) == 5000


async def test_whom_the_creditor_pays_is_not_kept(house: House, statements: Statements) -> None:
    content = one(Tx(-5000, "Jan Werknemer", J_IBAN, text="salaris november", reference=RF))
    assert _counts(await statements.load(BLOEM, content, "command")) == (0, 0, 0, 1, 0)
    (line,) = await _rows(house, bank_line)
    assert (line.amount, line.name, line.iban, line.text, line.reference) == (-5000, None, None, "", None)
