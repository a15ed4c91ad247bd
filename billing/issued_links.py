"""The payment links of a debtor as an agent sees them: over what, how far they came and when, and what was paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.invoices import numbers_of_links
from billing.methods import TRANSFER
from billing.refunds import Refund, refundable, refunds_of
from billing.statements.matching import Rule
from billing.statements.settling import Outcome
from core.ids import DebtorId, LinkId
from core.lifecycle import LINK, LinkState, PaymentStatus
from core.money import Money
from store.database import Database
from store.tables.bank import bank_decision
from store.tables.money import payment, payment_link

# As many as an agent reads at a glance.
_LATEST = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """A payment by a link: `at` is when it was paid, else when it was started."""

    amount: Money
    status: PaymentStatus
    method: str
    at: datetime
    returned: Money  # of the amount, so far
    id: str
    transfer: bool  # by bank: what of it is to go back is transferred from the creditor's own account
    refundable: Money  # paid too much, and held by this payment
    refunds: Sequence[Refund]  # that were asked for here
    why: Rule | None  # of a transfer, by what the bank's line was recognised


@dataclass(frozen=True, slots=True)
class IssuedLink:
    id: LinkId
    amount: Money
    invoices: Sequence[str]  # their numbers
    state: LinkState
    times: Mapping[LinkState, datetime]  # when it last came to each state, in that order
    expires_at: datetime
    payments: Sequence[Attempt]

    @property
    def revocable(self) -> bool:
        return LinkState.REVOKED in LINK[self.state]


class IssuedLinks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, debtor: DebtorId) -> list[IssuedLink]:
        """The latest, the newest first."""
        newest = payment_link.c.created_at.desc(), payment_link.c.id.desc()
        query = select(payment_link).where(payment_link.c.debtor_id == debtor).order_by(*newest).limit(_LATEST)
        async with self._database.read() as tx:
            rows = (await tx.execute(query)).all()
            keys = [row.id for row in rows]
            numbers = await numbers_of_links(tx, keys)
            attempts = select(payment).where(payment.c.link_id.in_(keys)).order_by(payment.c.created_at, payment.c.id)
            payments = (await tx.execute(attempts)).all()
            refunds = await refunds_of(tx, [row.id for row in payments])
            why = await _rules(tx, [row.id for row in payments])
            most = {row.id: await refundable(tx, row, debtor) for row in payments if row.status == PaymentStatus.PAID}
        return [
            IssuedLink(
                LinkId(row.id),
                Money(row.amount, row.currency),
                numbers.get(row.id, []),
                LinkState(row.state),
                _times(row.times),
                row.expires_at,
                [
                    _attempt(each, most.get(each.id), refunds.get(each.id, []), why.get(each.id))
                    for each in payments
                    if each.link_id == row.id
                ],
            )
            for row in rows
        ]


def _times(stored: Mapping[str, str]) -> dict[LinkState, datetime]:
    times = {LinkState(state): datetime.fromisoformat(at) for state, at in stored.items()}
    return dict(sorted(times.items(), key=lambda each: each[1]))


async def _rules(tx: AsyncConnection, payments: Sequence[str]) -> dict[str, Rule]:
    query = select(bank_decision.c.payment_id, bank_decision.c.rule).where(
        bank_decision.c.payment_id.in_(payments), bank_decision.c.outcome == Outcome.BOOKED
    )
    return {key: Rule(rule) for key, rule in await tx.execute(query)}


def _attempt(row: Any, most: Money | None, refunds: Sequence[Refund], why: Rule | None) -> Attempt:
    return Attempt(
        amount=Money(row.amount, row.currency),
        status=PaymentStatus(row.status),
        method=row.method or "",
        at=row.paid_at or row.created_at,
        returned=Money(row.refunded + row.charged_back, row.currency),
        id=row.id,
        transfer=row.provider == TRANSFER,
        refundable=most or Money(0, row.currency),
        refunds=refunds,
        why=why,
    )
