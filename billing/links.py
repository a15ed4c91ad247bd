"""Payment links: what may be paid with a token, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.invoice_events import Kind as InvoiceEventKind
from billing.invoice_events import note
from billing.ledger import open_amounts
from billing.references import link_reference
from core.agent import Agent
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput, Conflict, NotFound
from core.ids import ConversationId, CreditorKey, DebtorId, InvoiceId, LinkId, new_id, new_secret
from core.lifecycle import LINK, LinkState, PaymentStatus, sources
from core.message import links_in
from core.money import Money
from store.audit import record
from store.database import Database
from store.events import LINK_REVOKED, emit
from store.tables.money import invoice, payment, payment_link, payment_link_invoice
from store.tables.people import debtor
from store.tables.talk import conversation, outbound
from store.upsert import insert_once


@dataclass(frozen=True, slots=True)
class Link:
    id: LinkId
    token: str
    creditor: CreditorKey
    debtor: DebtorId
    conversation: ConversationId | None
    amount: Money  # when it was issued; `due_on` knows the present
    reference: str
    state: LinkState
    expires_at: datetime


class Standing(StrEnum):
    """What a link is good for now."""

    PAYABLE = "payable"
    PENDING = "pending"  # a payment is under way
    PAID = "paid"
    SETTLED = "settled"  # paid in another way
    EXPIRED = "expired"
    REVOKED = "revoked"


class NotPayable(Conflict):
    """This link takes no payment now."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing)
        self.standing = standing


def standing(link: Link, due: Money, now: datetime, *, pending: bool) -> Standing:
    """What the page says, and whether a payment may be started."""
    if link.state is LinkState.PAID and not due:  # where money went back, it may be paid again
        return Standing.PAID
    if not due:
        return Standing.SETTLED
    if pending:
        return Standing.PENDING
    if link.state is LinkState.REVOKED:
        return Standing.REVOKED
    if link.state is LinkState.EXPIRED or now >= link.expires_at:
        return Standing.EXPIRED
    return Standing.PAYABLE


class Links:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(
        self,
        conversation: ConversationId | None,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        *,
        key: str,
        creditor: Creditor,
        amount: Money | None = None,
    ) -> Link:
        """A link over all that is open on these invoices; the same `key` gives the same link.

        `amount`: over a part of it, the invoices due first at the front. Raises NotFound for an invoice that is not
        this debtor's, BadInput where nothing is open, currencies differ, or the part is nothing.
        """
        now = self._clock.now()
        async with self._database.begin() as tx:
            if issued := await _one(tx, payment_link.c.cause == key):
                return issued
            rows = await _invoices(tx, debtor, invoices)
            open_now = await open_amounts(tx, [InvoiceId(row.id) for row in rows])
            rows = [row for row in rows if open_now[row.id] > 0]
            if not rows:
                raise BadInput("nothing is open on these invoices")
            if len({row.currency for row in rows}) > 1:
                raise BadInput("one link is in one currency")
            due = {row.id: open_now[row.id] for row in rows}
            if amount is not None:
                due = _part(due, amount)
                rows = [row for row in rows if row.id in due]
            link = new_id()
            values = {
                "id": link,
                "token": new_secret(),
                "creditor_id": creditor.key,
                "debtor_id": debtor,
                "conversation_id": conversation,
                "cause": key,
                "reference": await link_reference(tx, creditor, link, rows),
                "currency": rows[0].currency,
                "amount": sum(due.values()),
                "state": LinkState.CREATED,
                "times": {LinkState.CREATED: now.isoformat()},
                "expires_at": now + timedelta(days=creditor.payments.link_days),
                "created_at": now,
            }
            if await insert_once(tx, payment_link, **values):
                parts = [{"link_id": link, "invoice_id": row.id, "amount": due[row.id]} for row in rows]
                await tx.execute(insert(payment_link_invoice), parts)
            issued = await _one(tx, payment_link.c.cause == key)
            assert issued is not None  # just inserted, or by the one who was faster
            return issued

    async def by_token(self, token: str) -> Link | None:
        async with self._database.read() as connection:
            return await _one(connection, payment_link.c.token == token)

    async def language(self, link: Link) -> str | None:
        """In which the link was sent: the conversation's, else the debtor's; None where neither is known."""
        spoken = select(conversation.c.locale).where(conversation.c.id == link.conversation).scalar_subquery()
        known = select(func.coalesce(spoken, debtor.c.language)).where(debtor.c.id == link.debtor)
        async with self._database.read() as connection:
            language: str | None = await connection.scalar(known)
            return language

    async def by_id(self, link: LinkId) -> Link | None:
        async with self._database.read() as connection:
            return await _one(connection, payment_link.c.id == link)

    async def mark(self, link: LinkId, state: LinkState) -> bool:
        """Move the link to `state`; False where its lifecycle does not lead there."""
        async with self._database.begin() as tx:
            return await mark(tx, link, state, self._clock.now())

    async def message_sent(self, payload: Mapping[str, Any]) -> None:
        """A message has gone out: the links that it carries are sent."""
        async with self._database.begin() as tx:
            row = (await tx.execute(select(outbound).where(outbound.c.id == payload["outbound_id"]))).one_or_none()
            if row is not None:
                for link in links_in(row.args):
                    await mark(tx, link, LinkState.SENT, row.sent_at or self._clock.now())

    async def revoke(self, link: LinkId, debtor: DebtorId, agent: Agent) -> None:
        """An agent takes the link back: nothing can be paid with it any more. Twice is once.

        Raises NotFound for one that is not this debtor's at the agent's creditor, Conflict for one that is over.
        """
        ours = select(payment_link.c.state).where(
            payment_link.c.id == link,
            payment_link.c.debtor_id == debtor,
            payment_link.c.creditor_id == agent.creditor,
        )
        now = self._clock.now()
        async with self._database.begin() as tx:
            state = await tx.scalar(ours.with_for_update())
            if state is None:
                raise NotFound("there is no such payment link")
            if state == LinkState.REVOKED:
                return
            if not await mark(tx, link, LinkState.REVOKED, now):
                raise Conflict("this payment link is over already")
            await record(tx, agent, "revoke_link", link, now)
            await emit(tx, LINK_REVOKED, {"link_id": link}, now)

    async def expire(self) -> int:
        """Mark the links whose time is over; for the scheduler. How many."""
        now = self._clock.now()
        query = select(payment_link.c.id).where(
            payment_link.c.expires_at <= now, payment_link.c.state.in_(sources(LINK, LinkState.EXPIRED))
        )
        async with self._database.begin() as tx:
            over = (await tx.execute(query)).scalars().all()
            return sum([await mark(tx, LinkId(link), LinkState.EXPIRED, now) for link in over])


async def mark(tx: AsyncConnection, link: LinkId, state: LinkState, now: datetime) -> bool:
    """`Links.mark` as a part of somebody's transaction."""
    query = select(payment_link.c.state, payment_link.c.times).where(payment_link.c.id == link).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return False
    moves = state in LINK[LinkState(row.state)]
    # A person may open a link sooner than we hear that it was sent: when that was is kept all the same.
    if not moves and (state is not LinkState.SENT or state in row.times):
        return False
    values = {"state": state if moves else row.state, "times": {**row.times, state: now.isoformat()}}
    await tx.execute(update(payment_link).where(payment_link.c.id == link).values(values))
    if state is LinkState.VIEWED:
        of_link = select(payment_link_invoice.c.invoice_id).where(payment_link_invoice.c.link_id == link)
        keys = (await tx.execute(of_link)).scalars().all()
        await note(tx, [InvoiceId(key) for key in keys], InvoiceEventKind.VIEWED, f"link:{link}", now)
    return moves


async def due_on(tx: AsyncConnection, link: Link) -> Money:
    """What the link may collect now: what is still open, and never more than is left of what it was issued for."""
    query = select(payment_link_invoice.c.invoice_id, payment_link_invoice.c.amount).where(
        payment_link_invoice.c.link_id == link.id
    )
    issued = {InvoiceId(row.invoice_id): row.amount for row in await tx.execute(query)}
    open_now = await open_amounts(tx, list(issued))
    still_open = sum(max(0, min(open_now[key], issued[key])) for key in issued)
    left = max(0, link.amount.minor - await _collected(tx, link))
    return Money(min(still_open, left), link.amount.currency)


async def _collected(tx: AsyncConnection, link: Link) -> int:
    """What was paid with this link, less what went back, in minor units of its currency."""
    kept = func.coalesce(func.sum(payment.c.amount - payment.c.refunded - payment.c.charged_back), 0)
    query = select(kept).where(
        payment.c.link_id == link.id,
        payment.c.status == PaymentStatus.PAID,
        payment.c.currency == link.amount.currency,
    )
    return int((await tx.execute(query)).scalar_one())


async def _invoices(tx: AsyncConnection, debtor: DebtorId, invoices: Sequence[InvoiceId]) -> list[Any]:
    query = select(invoice).where(invoice.c.id.in_(invoices), invoice.c.debtor_id == debtor)
    rows = list(await tx.execute(query.order_by(invoice.c.due_date, invoice.c.number)))
    if len(rows) != len(set(invoices)):
        raise NotFound("an invoice is not this debtor's")
    return rows


def _part(due: Mapping[InvoiceId, int], amount: Money) -> dict[InvoiceId, int]:
    left, part = amount.minor, {}
    for key, minor in due.items():
        if share := min(left, minor):
            part[key] = share
            left -= share
    if amount.minor <= 0:
        raise BadInput("a part of nothing cannot be paid")
    return part


async def _one(tx: AsyncConnection, where: Any) -> Link | None:
    row = (await tx.execute(select(payment_link).where(where))).one_or_none()
    return None if row is None else link_of(row)


def link_of(row: Any) -> Link:
    """A row of `payment_link`."""
    return Link(
        id=LinkId(row.id),
        token=row.token,
        creditor=CreditorKey(row.creditor_id),
        debtor=DebtorId(row.debtor_id),
        conversation=None if row.conversation_id is None else ConversationId(row.conversation_id),
        amount=Money(row.amount, row.currency),
        reference=row.reference,
        state=LinkState(row.state),
        expires_at=row.expires_at,
    )
