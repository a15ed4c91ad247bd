"""What a conversation is told when something happens elsewhere: money has come, or has not."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from billing.attribution import credit_from
from billing.charges import relieved_by
from billing.invoices import Invoices
from billing.ledger import Kind
from billing.methods import TRANSFER
from conversations.contacts import contact_of
from conversations.outbox import Outbox
from core.clock import Clock
from core.message import Option, Say
from store.database import Database
from store.tables.money import invoice, payment, payment_link, payment_link_invoice
from store.tables.people import contact_point
from store.tables.talk import conversation


class Told:
    """Subscribers of payment events. Each message has the payment as its cause, so it is said once."""

    def __init__(self, db: Database, clock: Clock, outbox: Outbox, invoices: Invoices) -> None:
        self._db = db
        self._clock = clock
        self._outbox = outbox
        self._invoices = invoices

    async def booked(self, payload: Mapping[str, Any]) -> None:
        """The payment has arrived: say so, and thank."""
        paid, numbers, talk = await self._of(payload["payment_id"])
        if talk is None:
            return
        open_now = await self._invoices.open_of(talk.debtor_id)
        left = sum(each.open.minor for each in open_now if each.number in numbers)
        amount = {"money": [paid.amount, paid.currency]}
        receipt = Option("button.receipt", "ask_payment_status", entities={"receipt": paid.id})
        says = [
            Say("payment.received", {"amount": amount, "invoices": numbers, "n": len(numbers)}),
            Say("payment.part_left", {"left": {"money": [left, paid.currency]}}, [receipt])
            if left
            else Say("payment.thanks" if open_now else "payment.settled_all", {}, [receipt]),
        ]
        async with self._db.begin() as tx:
            # Where something is left costs may be charged over that: this would soon be untrue.
            if not left and (relieved := await relieved_by(tx, paid.id)):
                says.insert(1, Say("payment.relieved", {"amount": {"money": relieved.as_json()}}))
            if credit := await credit_from(tx, paid.id):
                human = Option("button.human", "human")
                says.append(Say("payment.credit", {"credit": {"money": credit.as_json()}}, [human]))
            # Who has paid online is there; of a transfer the bank tells us, later and at any hour.
            proactive = paid.provider == TRANSFER
            await self._outbox.put_all(tx, talk.id, says, cause=f"payment:{paid.id}:booked", proactive=proactive)
        self._outbox.wake()

    async def failed(self, payload: Mapping[str, Any]) -> None:
        """The payment did not go through: nothing was charged, and it can be tried again."""
        paid, _, talk = await self._of(payload["payment_id"])
        if talk is None:
            return
        say = Say(
            "payment.failed",
            {"amount": {"money": [paid.amount, paid.currency]}},
            [Option("button.try_again", "pay"), Option("button.human", "human")],
        )
        async with self._db.begin() as tx:
            await self._outbox.put(tx, talk.id, say, cause=f"payment:{paid.id}:failed")
        self._outbox.wake()

    async def returned(self, payload: Mapping[str, Any]) -> None:
        """Money went back: say what that means for the invoices."""
        if "reason" in payload:  # a bank said why: DIRECT_DEBIT_FAILED tells it, with the reason
            return
        paid, numbers, talk = await self._of(payload["payment_id"])
        if talk is None:
            return
        args = {
            "amount": {"money": [payload["minor"], paid.currency]},
            "invoices": numbers,
            "n": len(numbers),
        }
        human = Option("button.human", "human")
        if payload["kind"] == Kind.REFUND:
            say = Say("payment.refunded", args, [human])
        else:
            say = Say("payment.returned", args, [Option("button.pay", "pay"), human])
        async with self._db.begin() as tx:
            # Nobody has just asked: opt-outs, holds and quiet hours count.
            await self._outbox.put(tx, talk.id, say, cause=f"payment:{payload['cause']}", proactive=True)
        self._outbox.wake()

    async def released(self, payload: Mapping[str, Any]) -> None:
        """The shop has heard that an account may be used again: tell its person, where that is still verified."""
        async with self._db.begin() as tx:
            query = select(contact_point, conversation.c.id.label("talk")).join_from(
                conversation, contact_point, contact_point.c.id == conversation.c.contact_point_id
            )
            row = (await tx.execute(query.where(conversation.c.debtor_id == payload["debtor_id"]))).one_or_none()
            if row is None or not contact_of(row).verified(self._clock.now()):
                return
            cause = f"account:{payload['webhook_id']}:released"
            await self._outbox.put(tx, row.talk, Say("account.released"), cause=cause, proactive=True)
        self._outbox.wake()

    async def _of(self, payment_id: str) -> tuple[Any, list[str], Any]:
        async with self._db.read() as tx:
            paid = (await tx.execute(select(payment).where(payment.c.id == payment_id))).one()
            link = (await tx.execute(select(payment_link).where(payment_link.c.id == paid.link_id))).one()
            numbers = await tx.scalars(
                select(invoice.c.number)
                .join(payment_link_invoice, payment_link_invoice.c.invoice_id == invoice.c.id)
                .where(payment_link_invoice.c.link_id == link.id)
                .order_by(invoice.c.due_date)
            )
            talk = (
                await tx.execute(select(conversation).where(conversation.c.debtor_id == link.debtor_id))
            ).one_or_none()
            return paid, list(numbers), talk if talk is not None and talk.contact_point_id else None
