"""People bill, link, click, pay, cancel, wait and pay twice in any order: no cent appears or vanishes.

Letters go out, costs are charged over them, and transfers come of which the bank tells late. Plans are made, kept,
broken and taken up again; invoices are corrected and credited; what was paid too much goes back.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import strategies as st
from sqlalchemy import select

from billing import letters
from billing.fees import FeeBook
from billing.imports.credit_notes import CreditNote, keep
from billing.issued_links import Attempt, IssuedLinks
from billing.law import Kind, nl
from billing.ledger import OWED, Account, open_parts
from billing.links import Link, NotPayable
from billing.plans import Plans
from billing.transfers import receive
from conversations.holds import holding
from core.agent import Agent, Role
from core.errors import BadInput, Conflict
from core.ids import AgentId, CreditorKey, DebtorId, InvoiceId
from core.lifecycle import PaymentStatus, RefundState
from core.message import Locale
from core.money import Money
from store.tables.money import booking, plan
from tests.billing.drawn import drawn
from tests.billing.house import BLOEM, House, Street

pytestmark = pytest.mark.slow

SEQUENCES = 20
LEAD = Agent(AgentId("noor"), CreditorKey("bloem"), "noor@bloem.example", "Noor Bakker", Role.SUPERVISOR)


# The invoices are due on 1 November: 14 full days from the day after this one, and today is the 24th.
SENT = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Step(NamedTuple):
    what: str
    which: int
    minor: int


_STEP = st.builds(
    Step,
    st.sampled_from(
        [
            *("bill", "link", "part", "start", "start", "succeed", "delay", "fail", "cancel", "elsewhere", "wait"),
            *("letter", "letter", "charge", "charge", "charge", "in_time", "late"),
            *("plan", "plan", "instalment", "rest", "days", "days", "correct", "credit_note", "refund", "refund"),
        ]
    ),
    st.integers(0, 7),
    st.integers(1, 10**6),
)


async def test_random_days_of_a_debtor(on_street: Street) -> None:
    for run, steps in enumerate(drawn(st.lists(_STEP, min_size=20, max_size=45), SEQUENCES)):
        await _play(on_street, run, steps)
    async with on_street.house.database.read() as tx:
        kinds = set(await tx.scalars(select(booking.c.kind)))
        ends = set(await tx.scalars(select(plan.c.state)))
    assert {"payment", "charge", "relief", "correction", "credit", "refund"} <= kinds, "what is looked at has happened"
    assert {"kept", "broken"} <= ends


async def _play(street: Street, run: int, steps: list[Step]) -> None:
    house = street.house
    before = await house.accounts()
    who = await house.debtor(f"K{run}")
    invoices: list[InvoiceId] = []
    links: list[Link] = []
    checkouts: list[str] = []
    plans, talk = Plans(house.database, house.clock, holding), await house.talk(who)
    fees = FeeBook(house.database, house.clock, house.invoices, holding)
    billed = elsewhere = back = 0
    for n, step in enumerate([Step("bill", 0, 100), Step("link", 0, 1), Step("start", 0, 1), *steps]):
        match step.what:
            case "bill":
                invoices.append(await house.invoice(who, f"F{run}-{n}", step.minor, date(2026, 11, 1)))
                billed += step.minor
            case "link" | "part":
                chosen = invoices[step.which % len(invoices) :]
                part = Money(step.minor) if step.what == "part" else None
                given = {"key": f"{run}:{n}", "creditor": BLOEM, "amount": part}
                try:
                    links.append(await house.links.issue(None, who, chosen, **given))  # type: ignore[arg-type]
                except BadInput:
                    assert [await house.open(key) for key in chosen] == [0] * len(chosen)
            case "start":
                try:
                    link = links[step.which % len(links)]
                    checkouts.append(await street.payments.start(link, "ideal", Locale("nl")))
                except NotPayable:
                    pass
            case "elsewhere":
                key = invoices[step.which % len(invoices)]
                left = (await _parts(house, key))[Account.RECEIVABLE]
                if left:
                    await house.paid_elsewhere(key, min(step.minor, left), f"bank:{run}:{n}")
                    elsewhere += min(step.minor, left)
            case "letter":
                key = invoices[step.which % len(invoices)]
                costs = nl.costs(Money((await _parts(house, key))[Account.RECEIVABLE]), SENT.date())
                about = {"content_hash": f"sha256:{n}", "channel": "email", "sent_at": SENT, "received_on": SENT.date()}
                async with house.database.begin() as tx:
                    await letters.record(tx, key, Kind.FOURTEEN_DAYS, costs=costs, **about)  # type: ignore[arg-type]
            case "charge":
                # Of this debtor alone: agreements of those before may have ended meanwhile.
                await fees.charge(who, BLOEM)
                assert await fees.charge(who, BLOEM) == 0
            case "in_time" | "late":
                chosen = invoices[step.which % len(invoices) :]
                paid_at = SENT + timedelta(days=14 if step.what == "in_time" else 15)
                told = {"key": f"s:{run}:{n}", "paid_at": paid_at, "now": house.clock.now()}
                async with house.database.begin() as tx:
                    await receive(tx, BLOEM, who, chosen, Money(step.minor), **told)  # type: ignore[arg-type]
                elsewhere += step.minor
            case "plan":
                first, months = house.clock.now().date(), 2 + step.which
                with suppress(BadInput, Conflict):  # nothing is open, or another one runs
                    about = {"key": f"{run}:{n}", "creditor": BLOEM}
                    await plans.arrange(LEAD, talk, who, invoices, months, first, **about)  # type: ignore[arg-type]
            case "instalment" | "rest":
                running = await plans.current(who)
                owed = sum([await house.open(key) for key in running.invoices]) if running else 0
                if running and owed:
                    due = min(owed, running.instalments[0].amount.minor) if step.what == "instalment" else owed
                    now = house.clock.now()
                    paid_now = {"key": f"s:{run}:{n}", "paid_at": now, "now": now}
                    async with house.database.begin() as tx:
                        await receive(tx, BLOEM, who, running.invoices, Money(due), **paid_now)  # type: ignore[arg-type]
                    elsewhere += due
            case "days":
                house.clock.advance(days=step.which * 3)
                await plans.run_due(BLOEM)
                await plans.mend(who)
            case "correct":
                key = invoices[step.which % len(invoices)]
                change = step.minor if step.which % 2 else -step.minor
                await house.corrected(key, change, f"correction:{run}:{n}")
                billed += change
            case "credit_note":
                note = CreditNote(f"C{run}-{n}", who, house.clock.now().date(), Money(step.minor), [])
                async with house.database.begin() as tx:
                    assert await keep(tx, BLOEM, note, invoices[step.which % len(invoices) :], house.clock.now())
                billed -= step.minor
            case "refund":
                for each in await _payments(house, who):
                    most = each.refundable
                    if most and not each.transfer:
                        part = Money(min(step.minor, most.minor))
                        cause = f"refund:{run}:{n}"
                        assert await street.refunds.ask(LEAD, who, each.id, part, cause=cause) is RefundState.DONE
                        back += part.minor
                        break
            case "wait":
                house.clock.advance(minutes=step.which * 10)
                await street.bank.run_due(house.clock.now())
                await street.payments.poll_open()
            case outcome:
                await street.choose(checkouts[step.which % len(checkouts)], outcome)
        parts = [await _parts(house, key) for key in invoices]
        assert min(minor for each in parts for minor in each.values()) >= 0
    house.clock.advance(minutes=1)
    await street.bank.run_due(house.clock.now())
    after = {name: total - before.get(name, 0) for name, total in (await house.accounts()).items()}
    paid = [await street.bank.find(checkout.rsplit("/", 1)[1]) for checkout in set(checkouts)]
    collected = sum(entry.order.amount.minor for entry in paid if entry and entry.status is PaymentStatus.PAID)
    assert sum(after.values()) == 0
    assert after["revenue"] == -billed
    assert after.get("bank", 0) == collected + elsewhere - back
    owed = sum(after.get(account, 0) for account in OWED)
    assert owed == sum([await house.open(key) for key in invoices])
    assert after.get("fees", 0) <= 0
    assert after.get("credit", 0) <= 0


async def _payments(house: House, who: DebtorId) -> list[Attempt]:
    return [each for link in await IssuedLinks(house.database).of(who) for each in link.payments]


async def _parts(house: House, key: InvoiceId) -> dict[Account, int]:
    async with house.database.read() as tx:
        return (await open_parts(tx, [key]))[key]
