"""The remittance report adds up to the ledger's movement, day by day."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st
from sqlalchemy import select, update

from billing.ledger import Account, Kind, Posting, book
from billing.remittance import Movement, Remittance, remittance
from billing.transfers import receive
from core.ids import CreditorKey
from core.message import Locale
from core.money import Money
from store.tables.money import booking, invoice, posting
from store.tables.people import debtor
from tests.billing.drawn import drawn
from tests.billing.house import BLOEM, VELO, House, Street

DAY = date(2026, 11, 24)
_BOOKED = st.tuples(
    st.sampled_from(list(Kind)),
    st.integers(-(10**6), 10**6).filter(bool),
    st.integers(-60 * 24 * 4, 60 * 24 * 4),  # minutes from noon
)


async def test_any_day_adds_up_to_the_ledgers_movement(house: House) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 1000)
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC)  # of a day with 25 hours in Amsterdam
    for run, booked in enumerate(drawn(st.lists(_BOOKED, max_size=30), 8)):
        async with house.database.begin() as tx:
            for number, (kind, minor, minutes) in enumerate(booked):
                sides = [Posting(Account.BANK, Money(minor)), Posting(Account.RECEIVABLE, Money(-minor), who, key)]
                at = noon + timedelta(minutes=minutes)
                await book(tx, CreditorKey("bloem"), kind, sides, cause=f"x:{run}:{number}", at=at)
    query = select(booking.c.at, posting.c.minor).join(posting).where(posting.c.account == Account.BANK)
    async with house.database.read() as tx:
        moved = [(row.at.astimezone(ZoneInfo("Europe/Amsterdam")).date(), row.minor) for row in await tx.execute(query)]
    days = {day for day, _ in moved} | {DAY}
    reports = [await remittance(house.database, BLOEM, day) for day in sorted(days)]
    for report in reports:
        there = [minor for day, minor in moved if day == report.day]
        assert sum(each.minor for each in report.sums) == sum(there)
        assert sum(each.amount.minor for each in report.totals) == sum(there)
        assert sum(each.count for each in report.totals) == len(there) == len(report.movements)
    assert (await remittance(house.database, VELO, date(2026, 10, 25))).movements == []


async def test_by_provider_and_method(on_street: Street) -> None:
    house = on_street.house
    who = await house.debtor("K1")
    keys = [await house.invoice(who, "539007547034", 1000), await house.invoice(who, "F2", 2500)]
    link = await house.link(who, keys)
    await on_street.choose(await on_street.payments.start(link, "ideal", Locale("nl")), "succeed")
    await on_street.payments.refresh(link)
    other = await house.invoice(who, "F3", 700)
    async with house.database.begin() as tx:
        now = house.clock.now()
        await receive(tx, BLOEM, who, [other], Money(800), key="bank:1", paid_at=now, now=now)
    report = await remittance(house.database, BLOEM, DAY)
    assert [(each.provider, each.method, each.kind, each.count, each.amount) for each in report.totals] == [
        ("banktransfer", "banktransfer", "payment", 1, Money(800)),
        ("sandbox", "ideal", "payment", 1, Money(3500)),
    ]
    assert [(each.customer_number, each.invoices) for each in report.movements] == [
        ("K1", ["539007547034", "F2"]),
        ("K1", ["F3"]),
    ]
    assert report.sums == [Money(4300)]
    assert (await remittance(house.database, BLOEM, DAY - timedelta(days=1))).sums == []


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ("2026-11-24T22:59:59", DAY),
        ("2026-11-24T23:00:00", DAY + timedelta(days=1)),
        ("2026-11-23T23:00:00", DAY),
        ("2026-11-23T22:59:59", DAY - timedelta(days=1)),
    ],
)
async def test_a_day_is_the_creditors(house: House, utc: str, day: date) -> None:
    house.clock.set(datetime.fromisoformat(utc).replace(tzinfo=UTC))
    who = await house.debtor("K1")
    await house.paid_elsewhere(await house.invoice(who, "F1", 1000), 1000, "bank:1")
    report = await remittance(house.database, BLOEM, day)
    assert [each.amount for each in report.movements] == [Money(1000)]
    assert report.movements[0].booked_at.date() == day


@pytest.mark.parametrize(
    ("customer", "number", "shown"),
    [
        ("K1", "F1", ["K1", "F1"]),
        ("=HYPERLINK(1)", "@SUM(A1)", ["'=HYPERLINK(1)", "'@SUM(A1)"]),
        ("+31", "-1", ["'+31", "'-1"]),
        ("\tx", 'a","b\n=1', ["'\tx", 'a","b\n=1']),
    ],
)
async def test_no_cell_is_a_formula(house: House, customer: str, number: str, shown: list[str]) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 1000)
    async with house.database.begin() as tx:
        await tx.execute(update(debtor).values(customer_number=customer))
        await tx.execute(update(invoice).values(number=number))
    await house.paid_elsewhere(key, 1000, "bank:1")
    report = await remittance(house.database, BLOEM, DAY)
    (row,) = list(csv.DictReader(io.StringIO(report.csv().decode(), newline="")))
    assert [row["customer_number"], row["invoices"]] == shown
    assert (row["booked_at"], row["amount"], row["currency"]) == ("2026-11-24T10:00:00+01:00", "10.00", "EUR")


def test_a_belgian_reference_is_no_formula() -> None:
    given: dict[str, Any] = {"kind": "refund", "provider": "mollie", "method": "bancontact", "payment": "p"}
    at = datetime(2026, 11, 24, 10, tzinfo=UTC)
    moved = Movement(at, **given, reference="+++090/9337/55493+++", customer_number="K", invoices=[], amount=Money(-5))
    text = Remittance(DAY, [moved]).csv().decode()
    assert text.splitlines()[1].endswith("p,'+++090/9337/55493+++,K,,-0.05,EUR")
