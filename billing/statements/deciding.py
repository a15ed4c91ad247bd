"""Lines that nobody can be sure of, and what an agent decides about them: recorded, and the first one wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.creditors import creditor_of
from billing.ledger import open_amounts
from billing.methods import TRANSFER
from billing.statements.camt import LineKind
from billing.statements.matching import Match, Rule
from billing.statements.settling import Outcome, decide, settle
from core.agent import Agent, NotAllowed, Right
from core.clock import Clock
from core.errors import BadInput, Conflict, NotFound
from core.ids import DebtorId, InvoiceId
from core.lifecycle import PaymentStatus
from core.money import Money
from store.audit import record
from store.database import Database
from store.tables.bank import bank_decision, bank_line
from store.tables.money import invoice, payment, payment_link_invoice
from store.tables.people import debtor
from store.tables.staff import agent as staff

# More than anybody reads at a time; the rest comes when these are done.
LONGEST = 100
_NOTE = 200  # characters of a reason


class Decided(Conflict):
    """Somebody has decided about this line meanwhile: `name` says who; None: it was sure in the end."""

    def __init__(self, name: str | None) -> None:
        super().__init__(f"{name or 'the next look at it'} has decided about this line")
        self.name = name


class NoInvoice(BadInput):
    """There is no invoice in euros with this number."""


class NoReason(BadInput):
    """A line is put aside with a reason of 1 to 200 characters."""


@dataclass(frozen=True, slots=True)
class Suggested:
    numbers: Sequence[str]  # of the invoices
    name: str  # the debtor's
    open: Money  # on all of them
    rule: Rule


@dataclass(frozen=True, slots=True)
class Listed:
    """A line as an agent sees it. `decisions`: how many there were; a form says how many it knew."""

    id: str
    kind: LineKind
    amount: Money
    booked_on: date
    name: str | None
    iban_end: str | None
    text: str
    reason: str | None
    twin: bool
    suggested: Suggested | None
    decisions: int
    note: str | None  # why it was put aside
    by: str | None


class Deciding:
    """Raises NotAllowed for a role that books nothing, NotFound for another creditor's line, Decided."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, agent: Agent, *, aside: bool = False) -> list[Listed]:
        """The lines that wait, the oldest first; or those that were put aside, the last one first."""
        _books(agent)
        last = _last()
        query = (
            select(bank_line, last.c.number.label("decisions"), bank_decision.c.note, staff.c.name.label("by"))
            .outerjoin(last, last.c.line_id == bank_line.c.id)
            .outerjoin(
                bank_decision,
                (bank_decision.c.line_id == last.c.line_id) & (bank_decision.c.number == last.c.number),
            )
            .outerjoin(staff, staff.c.id == bank_decision.c.agent_id)
            .where(bank_line.c.creditor_id == agent.creditor, bank_line.c.kind != LineKind.DEBIT)
        )
        if aside:
            query = query.where(bank_decision.c.outcome == Outcome.ASIDE).order_by(bank_decision.c.at.desc())
        else:
            waiting = query.where(last.c.number.is_(None), bank_line.c.looked_at.is_not(None))
            query = waiting.order_by(bank_line.c.booked_on, bank_line.c.created_at, bank_line.c.position)
        async with self._database.read() as tx:
            rows = (await tx.execute(query.limit(LONGEST))).all()
            suggested = await _suggested(tx, [row for row in rows if row.suggested and not aside])
        return [_listed(row, suggested.get(row.id)) for row in rows]

    async def confirm(self, agent: Agent, line: str, seen: int) -> None:
        """Book the line as it was suggested. Twice is once."""
        async with self._database.begin() as tx:
            row = await self._line(tx, agent, line)
            if row.suggested is None:
                raise Decided(None)
            rule = Rule(row.suggested_rule)
            if rule is Rule.ONLINE:
                await self._known(tx, agent, row, seen)
            else:
                await self._settle(tx, agent, row, _keys(row), rule, seen)

    async def choose(self, agent: Agent, line: str, number: str, seen: int) -> None:
        """Book the line on the invoice with this number. Twice is once. Raises NoInvoice."""
        async with self._database.begin() as tx:
            row = await self._line(tx, agent, line)
            query = select(invoice.c.id).where(
                invoice.c.creditor_id == agent.creditor,
                func.lower(invoice.c.number) == number.strip().lower(),
                invoice.c.currency == row.currency,
            )
            chosen = await tx.scalar(query)
            if chosen is None:
                raise NoInvoice
            await self._settle(tx, agent, row, [InvoiceId(chosen)], Rule.PERSON, seen)

    async def put_aside(self, agent: Agent, line: str, note: str, seen: int) -> None:
        """It is nobody's debt, for this reason; it can be booked later all the same. Twice is once. Raises NoReason."""
        note = " ".join(note.split())
        if not 0 < len(note) <= _NOTE:
            raise NoReason
        async with self._database.begin() as tx:
            row = await self._line(tx, agent, line)
            now = self._clock.now()
            if await decide(tx, row, Outcome.ASIDE, Rule.PERSON, now, number=seen + 1, agent=agent.id, note=note):
                await self._record(tx, agent, "payment_aside", row)
            else:
                await _same_or_raise(tx, agent, row, seen, Outcome.ASIDE, None)

    async def _settle(
        self, tx: AsyncConnection, agent: Agent, row: Any, chosen: Sequence[InvoiceId], rule: Rule, seen: int
    ) -> None:
        """The invoices are one debtor's, those due first at the front."""
        first = chosen[0]
        owner = DebtorId((await tx.execute(select(invoice.c.debtor_id).where(invoice.c.id == first))).scalar_one())
        creditor = await creditor_of(tx, agent.creditor)
        match = Match(rule, True, owner, chosen)
        if await settle(tx, creditor, row, match, self._clock.now(), number=seen + 1, agent=agent.id):
            await self._record(tx, agent, "payment_booked", row, {"invoice": first, "rule": rule})
        else:
            outcome = Outcome.BOOKED if row.amount > 0 else Outcome.RETURNED
            await _same_or_raise(tx, agent, row, seen, outcome, first)

    async def _known(self, tx: AsyncConnection, agent: Agent, row: Any, seen: int) -> None:
        """The line pays out an online payment that is booked: there is nothing to book."""
        links = select(payment_link_invoice.c.link_id).where(payment_link_invoice.c.invoice_id.in_(row.suggested))
        query = select(payment.c.id).where(
            payment.c.link_id.in_(links),
            payment.c.provider != TRANSFER,
            payment.c.status == PaymentStatus.PAID,
            payment.c.amount == row.amount,
            ~exists().where(bank_decision.c.payment_id == payment.c.id, bank_decision.c.line_id != row.id),
        )
        paid = await tx.scalar(query.order_by(payment.c.paid_at.desc()).limit(1))
        if paid is None:  # another line has paid it out
            raise Decided(None)
        about = _keys(row)[0]
        if await decide(
            tx,
            row,
            Outcome.KNOWN,
            Rule.ONLINE,
            self._clock.now(),
            number=seen + 1,
            invoice_id=about,
            payment_id=paid,
            agent=agent.id,
        ):
            await self._record(tx, agent, "payment_known", row, {"payment": paid})
        else:
            await _same_or_raise(tx, agent, row, seen, Outcome.KNOWN, about)

    async def _line(self, tx: AsyncConnection, agent: Agent, line: str) -> Any:
        _books(agent)
        query = select(bank_line).where(
            bank_line.c.id == line, bank_line.c.creditor_id == agent.creditor, bank_line.c.kind != LineKind.DEBIT
        )
        row = (await tx.execute(query)).one_or_none()
        if row is None:
            raise NotFound("there is no such line")
        return row

    async def _record(
        self, tx: AsyncConnection, agent: Agent, action: str, row: Any, detail: dict[str, str] | None = None
    ) -> None:
        await record(tx, agent, action, row.id, self._clock.now(), detail)


def _books(agent: Agent) -> None:
    if not agent.may(Right.BOOK):
        raise NotAllowed("book")


async def _same_or_raise(
    tx: AsyncConnection, agent: Agent, row: Any, seen: int, outcome: Outcome, chosen: InvoiceId | None
) -> None:
    """The same decision of the same agent a second time is no news; anything else was overtaken."""
    query = select(bank_decision, staff.c.name).outerjoin(staff, staff.c.id == bank_decision.c.agent_id)
    of_line = query.where(bank_decision.c.line_id == row.id).order_by(bank_decision.c.number.desc()).limit(1)
    last = (await tx.execute(of_line)).one()
    same = last.number == seen + 1 and last.agent_id == agent.id and last.outcome == outcome
    if not same or last.invoice_id != chosen:
        raise Decided(last.name)


def _keys(row: Any) -> list[InvoiceId]:
    """Of the invoices that were suggested for this line."""
    return [InvoiceId(key) for key in row.suggested]


def _last() -> Any:
    last = select(bank_decision.c.line_id, func.max(bank_decision.c.number).label("number"))
    return last.group_by(bank_decision.c.line_id).subquery()


async def _suggested(tx: AsyncConnection, rows: Sequence[Any]) -> dict[str, Suggested]:
    keys = [key for row in rows for key in _keys(row)]
    open_now = await open_amounts(tx, keys)
    query = select(invoice.c.id, invoice.c.number, debtor.c.name).join(debtor, debtor.c.id == invoice.c.debtor_id)
    found = {each.id: each for each in await tx.execute(query.where(invoice.c.id.in_(keys)))}
    return {
        row.id: Suggested(
            [found[key].number for key in _keys(row)],
            found[_keys(row)[0]].name,
            Money(sum(open_now[key] for key in _keys(row)), row.currency),
            Rule(row.suggested_rule),
        )
        for row in rows
    }


def _listed(row: Any, suggested: Suggested | None) -> Listed:
    return Listed(
        id=row.id,
        kind=LineKind(row.kind),
        amount=Money(row.amount, row.currency),
        booked_on=row.booked_on,
        name=row.name,
        iban_end=row.iban[-4:] if row.iban else None,
        text=" ".join(each for each in (row.reference, row.text) if each),
        reason=row.reason,
        twin=row.twin,
        suggested=suggested,
        decisions=row.decisions or 0,
        note=row.note,
        by=row.by,
    )
