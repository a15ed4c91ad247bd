"""No cent appears or vanishes."""

from datetime import date

import pytest
from hypothesis import strategies as st
from sqlalchemy import func, select

from billing.ledger import Account, Kind, Posting, Unbalanced, balance_of, book, open_amounts
from core.ids import CreditorKey, InvoiceId
from core.money import Money
from store.tables.money import booking, posting
from tests.billing.drawn import drawn
from tests.billing.house import House


@pytest.mark.parametrize(
    "amounts",
    [
        pytest.param([Money(100), Money(-99)], id="a cent is missing"),
        pytest.param([Money(100, "EUR"), Money(-100, "USD")], id="two currencies"),
        pytest.param([], id="nothing"),
    ],
)
async def test_a_booking_that_does_not_add_up_is_refused(house: House, amounts: list[Money]) -> None:
    sides = [Posting(Account.BANK, amount) for amount in amounts]
    async with house.database.begin() as tx:
        with pytest.raises(Unbalanced):
            await book(tx, CreditorKey("bloem"), Kind.PAYMENT, sides, cause="x", at=house.clock.now())
    assert await house.accounts() == {}


async def test_a_cause_is_booked_once(house: House) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 10000)
    sides = [Posting(Account.BANK, Money(400)), Posting(Account.RECEIVABLE, Money(-400), who, key)]
    booked = []
    for _ in range(3):
        async with house.database.begin() as tx:
            booked.append(
                await book(tx, CreditorKey("bloem"), Kind.PAYMENT, sides, cause="payment:1", at=house.clock.now())
            )
    assert booked == [True, False, False]
    assert await house.open(key) == 9600
    async with house.database.read() as connection:
        assert await balance_of(connection, who) == Money(9600)


async def test_what_is_open_is_the_sum_of_the_invoices_own_postings(house: House) -> None:
    who = await house.debtor("K1")
    first, second = await house.invoice(who, "F1", 500), await house.invoice(who, "F2", 700)
    await house.paid_elsewhere(first, 200, "bank:1")
    async with house.database.read() as connection:
        nobodys = InvoiceId("none")
        assert await open_amounts(connection, [first, second, nobodys]) == {first: 300, second: 700, nobodys: 0}


async def test_random_sequences_keep_every_cent(house: House) -> None:
    """Invoices, payments and corrections in any order, each applied up to twice."""
    steps = st.lists(
        st.tuples(
            st.sampled_from(["invoice", "pay", "correct"]), st.integers(0, 5), st.integers(1, 10**7), st.booleans()
        ),
        min_size=1,
        max_size=12,
    )
    runs = iter(range(10_000))

    async def play(sequence: list[tuple[str, int, int, bool]]) -> None:
        run = next(runs)
        who = await house.debtor(f"K{run}")
        keys: list[InvoiceId] = []
        billed: dict[InvoiceId, int] = {}
        owed = 0
        for n, (what, which, minor, twice) in enumerate(sequence):
            if what == "invoice" or not keys:
                key = await house.invoice(who, f"F{run}-{n}", minor, date(2026, 11, 1))
                keys.append(key)
                billed[key] = minor
                owed += minor
                continue
            key = keys[which % len(keys)]
            against = Account.BANK if what == "pay" else Account.REVENUE
            sides = [Posting(Account.RECEIVABLE, Money(-minor), who, key), Posting(against, Money(minor))]
            for _ in range(2 if twice else 1):
                async with house.database.begin() as tx:
                    await book(tx, CreditorKey("bloem"), Kind.PAYMENT, sides, cause=f"{run}:{n}", at=house.clock.now())
            billed[key] -= minor
            owed -= minor
        async with house.database.read() as connection:
            assert await balance_of(connection, who) == Money(owed)
            assert await open_amounts(connection, keys) == billed
            unbalanced = (
                select(booking.c.id).join(posting).group_by(booking.c.id).having(func.sum(posting.c.minor) != 0)
            )
            assert (await connection.execute(unbalanced)).all() == []
            assert sum((await house.accounts()).values()) == 0

    for sequence in drawn(steps, 25):
        await play(sequence)
