"""Statements, online payments, refunds, returns and agents' decisions in any order: no cent appears or vanishes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from billing.ledger import Account, Kind, balance_of
from billing.links import Link, NotPayable
from billing.methods import TRANSFER
from billing.returns import book_returns
from billing.statements.deciding import Decided, Deciding, NoInvoice
from billing.statements.statements import Statements
from core.agent import Agent, Role
from core.errors import BadInput
from core.ids import AgentId, CreditorKey, DebtorId, InvoiceId
from core.lifecycle import PaymentStatus
from core.message import Locale
from core.money import Money
from core.payment import PaymentState
from payments.references import creditor_reference
from store.tables.bank import bank_decision, bank_line
from store.tables.money import booking, invoice, payment, payment_link, posting
from store.tables.staff import agent as staff
from tests.billing.drawn import drawn
from tests.billing.house import Street
from tests.billing.statements.written import Entry, Stmt, Tx, written

SEQUENCES = 12
BLOEM = CreditorKey("bloem")
IBANS = ["NL91ABNA0417164300", "NL20INGB0001234567", "BE68539007547034"]


class Step(NamedTuple):
    what: str
    which: int
    other: int
    minor: int


_STEP = st.builds(
    Step,
    st.sampled_from(
        [
            "bill", "reference", "reference", "number", "account", "name", "stranger", "batch", "back", "back",
            "again", "overlap", "link", "online", "refund", "confirm", "choose", "aside", "wait",
        ]
    ),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(1, 20_000),
)  # fmt: skip


_FIRST = [
    *(Step("bill", n, 0, minor) for n, minor in enumerate((5000, 700, 12_345, 999))),
    Step("link", 0, 0, 1),
    Step("reference", 1, 1, 300),
]


@pytest.mark.slow
async def test_random_weeks_of_a_bank_account(on_street: Street) -> None:
    now = on_street.house.clock.now()
    agents = [
        Agent(AgentId(f"a{n}"), BLOEM, f"a{n}@bloem.example", name, Role.AGENT)
        for n, name in enumerate(["Sanne de Wit", "Karim Haddad"])
    ]
    async with on_street.house.database.begin() as tx:
        rows = [
            {"id": each.id, "creditor_id": BLOEM, "email": each.email, "name": each.name, "role": each.role,
             "password_hash": "x", "created_at": now}
            for each in agents
        ]  # fmt: skip
        await tx.execute(insert(staff), rows)
    for run, steps in enumerate(drawn(st.lists(_STEP, min_size=20, max_size=30), SEQUENCES)):
        week = Week(on_street, run, agents)
        for n, step in enumerate([*_FIRST, *steps]):
            await week.play(n, step)
            await week.holds(week.invoices)
        async with on_street.house.database.read() as tx:
            every = (await tx.execute(select(invoice.c.id))).scalars().all()
        await week.holds([InvoiceId(key) for key in every])
    async with on_street.house.database.read() as tx:
        seen = set((await tx.execute(select(bank_decision.c.outcome))).scalars())
        kinds = set((await tx.execute(select(booking.c.kind))).scalars())
    assert seen >= {"booked", "returned", "aside"} and kinds >= {"payment", "chargeback", "refund"}, (
        "all of it was played"
    )


class Week:
    def __init__(self, street: Street, run: int, agents: list[Agent]) -> None:
        self._street = street
        self._house = street.house
        self._run = run
        self._agents = agents
        self._statements = Statements(self._house.database, self._house.clock)
        self._deciding = Deciding(self._house.database, self._house.clock)
        self._debtors: list[DebtorId] = []
        self.invoices: list[InvoiceId] = []
        self._links: list[Link] = []
        self._files: list[Stmt] = []
        self._sent: list[Tx] = []

    async def play(self, n: int, step: Step) -> None:
        which = step.which % max(len(self.invoices), 1)
        number = self._number(which)
        account = IBANS[which % 3]  # mostly one debtor's
        known = Tx(step.minor, "Fientje Fictief", account, end_to_end=f"E{self._run}-{n}")
        match step.what:
            case "bill":
                if len(self._debtors) < 3:
                    self._debtors.append(await self._house.debtor(f"K{self._run}-{n}"))
                count = len(self.invoices)
                who = self._debtors[count % len(self._debtors)]
                due = date(2026, 11, 1) + timedelta(days=count)
                self.invoices.append(await self._house.invoice(who, self._number(count), step.minor, due))
            case "reference":
                await self._file(n, [replace(known, reference=creditor_reference(number))], step)
            case "number":
                await self._file(n, [replace(known, text=f"betaling {number}", name=None)], step)
            case "account" | "name":
                owed = await self._house.open(self.invoices[which])
                tx = replace(known, minor=owed or step.minor, end_to_end=None)
                await self._file(n, [tx if step.what == "account" else replace(tx, iban=None)], step)
            case "stranger":
                await self._file(n, [Tx(step.minor, "Iemand Anders"), Tx(-step.minor, "Leverancier")], step)
            case "batch":
                both = [replace(known, text=self._number(which)) for which in (which, step.other)]
                await self._file(n, both, step)
            case "back":
                if self._sent:
                    sent = self._sent[step.which % len(self._sent)]
                    await self._file(n, [replace(sent, minor=-sent.minor, reason="AM04")], step)
            case "again":
                if self._files:
                    before = await self._state()
                    file = self._files[step.which % len(self._files)]
                    done = await self._statements.load(BLOEM, written(file, version="08"), "command")
                    assert (done.statements, done.lines) == (0, 0) and await self._state() == before
            case "overlap":
                if self._files:
                    file = self._files[step.which % len(self._files)]
                    wider = Stmt(
                        [*file.entries, Entry([Tx(step.minor)], f"o{self._run}-{n}")], number=f"o{self._run}-{n}"
                    )
                    await self._statements.load(BLOEM, written(wider), "command")
            case "link":
                chosen = self.invoices[step.which % len(self.invoices) :]
                who = await self._owner(chosen[0])
                theirs = [key for key in chosen if await self._owner(key) == who]
                try:
                    self._links.append(await self._house.link(who, theirs, f"{self._run}:{n}"))
                except BadInput:
                    assert [await self._house.open(key) for key in theirs] == [0] * len(theirs)
            case "online":
                if self._links:
                    try:
                        link = self._links[step.which % len(self._links)]
                        checkout = await self._street.payments.start(link, "ideal", Locale("nl"))
                        await self._street.choose(checkout, "succeed")
                    except NotPayable:
                        pass
            case "refund":
                await self._refund(step)
            case "confirm" | "choose" | "aside":
                await self._decide(step)
            case "wait":
                self._house.clock.advance(hours=25)
                await self._statements.run()

    def _number(self, which: int) -> str:
        return f"F{self._run:02d}-2026-{which:03d}"

    async def _file(self, n: int, txs: list[Tx], step: Step) -> None:
        reference = f"b{self._run}-{n}" if step.other % 2 else None
        entries = [Entry(txs, reference)] if step.what == "batch" else [Entry([tx], reference) for tx in txs]
        file = Stmt(entries, number=f"s{self._run}-{n}", opening=step.minor)
        self._files.append(file)
        self._sent += [tx for tx in txs if tx.minor > 0]
        await self._statements.load(BLOEM, written(file, version="02"), "command")

    async def _refund(self, step: Step) -> None:
        async with self._house.database.begin() as tx:
            query = select(payment).where(payment.c.provider != TRANSFER, payment.c.status == PaymentStatus.PAID)
            rows = (await tx.execute(query.order_by(payment.c.id))).all()
            if rows:
                row = rows[step.which % len(rows)]
                refunded = Money(min(row.amount, step.minor))
                state = PaymentState(row.external_id, PaymentStatus.PAID, Money(row.amount), refunded=refunded)
                await book_returns(tx, row, state, self._house.clock.now())

    async def _decide(self, step: Step) -> None:
        agent = self._agents[step.other % 2]
        lines = await self._deciding.listed(agent, aside=step.minor % 3 == 0)
        if not lines:
            return
        line = lines[step.which % len(lines)]
        try:
            if step.what == "confirm":
                await self._deciding.confirm(agent, line.id, line.decisions)
            elif step.what == "choose":
                await self._deciding.choose(agent, line.id, self._number(step.which), line.decisions)
            else:
                await self._deciding.put_aside(agent, line.id, "geen klant", line.decisions)
        except (Decided, NoInvoice):
            pass

    async def holds(self, looked_at: Sequence[InvoiceId]) -> None:
        """What is always so; each of the invoices looked at is as open as the ledger says."""
        async with self._house.database.read() as tx:
            sums = select(posting.c.booking_id, func.sum(posting.c.minor)).group_by(posting.c.booking_id)
            assert {int(total) for _, total in await tx.execute(sums)} <= {0}, "each booking is balanced"
            rows = (
                await tx.execute(select(posting, booking.c.kind).join(booking, booking.c.id == posting.c.booking_id))
            ).all()
            billed = {row.id: row.amount for row in await tx.execute(select(invoice.c.id, invoice.c.amount))}
            attributed: Counter[str] = Counter()
            for row in rows:
                if row.invoice_id and row.kind != Kind.OPENING:
                    attributed[row.invoice_id] -= row.minor
            for key in looked_at:
                owed, amount = await self._house.open(key), billed[key]
                assert owed == amount - attributed[key] and 0 <= owed <= amount, "open = amount − what was attributed"
            totals: Counter[str] = Counter()
            for row in rows:
                totals[row.account] += row.minor
            assert totals[Account.CREDIT] <= 0 and totals[Account.REVENUE] == -sum(billed.values())
            assert totals[Account.BANK] == await self._moved(tx), "what the bank moved, and nothing else"
            owners = (await tx.execute(select(invoice.c.debtor_id).distinct())).scalars().all()
            balances = sum([(await balance_of(tx, DebtorId(who))).minor for who in owners])
            assert balances == sum(billed.values()) - totals[Account.BANK]

    async def _moved(self, tx: Any) -> int:
        """By the decided lines of statements, and online, less refunds."""
        lines = (
            select(func.coalesce(func.sum(bank_line.c.amount), 0))
            .join(bank_decision, bank_decision.c.line_id == bank_line.c.id)
            .where(bank_decision.c.payment_id.is_not(None), bank_decision.c.outcome.in_(["booked", "returned"]))
        )
        online = select(func.coalesce(func.sum(payment.c.amount - payment.c.refunded), 0)).where(
            payment.c.provider != TRANSFER, payment.c.status == PaymentStatus.PAID
        )
        return int((await tx.execute(lines)).scalar_one()) + int((await tx.execute(online)).scalar_one())

    async def _state(self) -> list[int]:
        tables = (bank_line, bank_decision, booking, posting, payment, payment_link)
        async with self._house.database.read() as tx:
            return [int((await tx.execute(select(func.count()).select_from(table))).scalar_one()) for table in tables]

    async def _owner(self, key: InvoiceId) -> DebtorId:
        found = await self._house.invoices.by_id(key)
        assert found is not None
        return found.debtor
