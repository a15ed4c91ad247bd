"""Direct debits that came back: why, in words of ours, and which is the latest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import open_amounts
from core.errors import BadInput, Conflict, NotFound
from core.ids import CreditorKey, DebtorId, InvoiceId, new_id
from core.money import Money
from store.database import Database
from store.events import DIRECT_DEBIT_FAILED, emit
from store.tables.money import direct_debit, invoice
from store.upsert import insert_once


class Why(StrEnum):
    INSUFFICIENT = "insufficient"
    WRONG_IBAN = "wrong_iban"
    CLOSED = "closed"
    BLOCKED = "blocked"
    FORBIDDEN = "forbidden"  # not from this kind of account
    NO_MANDATE = "no_mandate"
    REFUNDED = "refunded"  # taken back by the payer
    DECEASED = "deceased"
    SERVICE = "service"  # the payer, or the bank, lets nobody or not us collect
    TECHNICAL = "technical"  # between creditor and banks: never the payer's doing
    UNSPECIFIED = "unspecified"


# ISO 20022, External Code Sets: ExternalReturnReason1Code and ExternalStatusReason1Code
# (https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets), those that the rulebooks
# for SEPA direct debits use (EPC173-14, guidance on reason codes for R-transactions). Any other code is unspecified.
_WHY: Mapping[Why, str] = {
    Why.INSUFFICIENT: "AM04",
    Why.WRONG_IBAN: "AC01 AC02 BE01",
    Why.CLOSED: "AC04 AC05",
    Why.BLOCKED: "AC06",
    Why.FORBIDDEN: "AC13 AG01",
    Why.NO_MANDATE: "MD01",
    Why.REFUNDED: "MD06",
    Why.DECEASED: "MD07",
    Why.SERVICE: "SL01",
    Why.TECHNICAL: "AG02 AM05 BE05 CNOR DNOR DT01 ED05 FF01 FF05 MD02 RC01 RR01 RR02 RR03 RR04 TM01",
    Why.UNSPECIFIED: "MS02 MS03",
}
_BY_CODE = {code: why for why, codes in _WHY.items() for code in codes.split()}
# Another account helps.
OTHER_ACCOUNT = frozenset({Why.WRONG_IBAN, Why.CLOSED, Why.BLOCKED, Why.FORBIDDEN})


def why(code: str) -> Why:
    return _BY_CODE.get(code, Why.UNSPECIFIED)


@dataclass(frozen=True, slots=True)
class Debit:
    id: str
    creditor: CreditorKey
    debtor: DebtorId
    invoice: InvoiceId
    number: str  # of the invoice
    amount: Money
    why: Why
    iban_end: str | None
    at: datetime


class Debits:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(
        self,
        creditor: CreditorKey,
        number: str,
        amount: Money,
        reason: str,
        iban_end: str | None,
        *,
        key: str,
        now: datetime,
    ) -> str:
        """The creditor tells of a debit that failed or was taken back; the same key: the same one. Its id.

        The books are not touched: what is open is what the creditor's file or statement says. Raises NotFound for an
        invoice that is not the creditor's, BadInput for an amount that cannot be, Conflict where it is not open, and
        for a key that told something else before.
        """
        query = select(invoice).where(invoice.c.creditor_id == creditor, invoice.c.number == number)
        async with self._database.begin() as tx:
            row = (await tx.execute(query)).one_or_none()
            if row is None:
                raise NotFound(f"there is no invoice {number}")
            if amount.minor <= 0 or amount.currency != row.currency:
                raise BadInput(f"the amount is more than nothing, in {row.currency}")
            payload = {
                "creditor_id": creditor,
                "debtor_id": row.debtor_id,
                "invoice_id": row.id,
                "amount": amount.minor,
                "currency": amount.currency,
                "reason": reason,
                "iban_end": iban_end,
                "cause": f"api:{creditor}:{key}",
            }
            known = await _one(tx, direct_debit.c.cause == payload["cause"])
            if known is None:
                if (await open_amounts(tx, [InvoiceId(row.id)]))[InvoiceId(row.id)] < amount.minor:
                    raise Conflict("less than this is open on the invoice: import it first, as it is now")
                known = await record(tx, payload, now)
                await emit(tx, DIRECT_DEBIT_FAILED, payload, now)
            told = (known.invoice, known.amount, known.why, known.iban_end)
            if told != (row.id, amount, why(reason), iban_end):
                raise Conflict("this key has told of another direct debit before: use a key of its own for each")
            return known.id

    async def latest(self, debtor: DebtorId) -> Debit | None:
        """The last one whose invoice is still open."""
        query = _query().where(direct_debit.c.debtor_id == debtor).order_by(direct_debit.c.at.desc())
        async with self._database.read() as tx:
            found = [_debit(row) for row in await tx.execute(query)]
            owed = await open_amounts(tx, [debit.invoice for debit in found])
        return next((debit for debit in found if owed[debit.invoice] > 0), None)


# Of the event's payload.
_TOLD = ("creditor_id", "debtor_id", "invoice_id", "cause", "currency", "amount", "reason", "iban_end")


async def record(tx: AsyncConnection, payload: Mapping[str, Any], now: datetime) -> Debit:
    """Keep what an event of a failed debit says, once by its cause."""
    await insert_once(tx, direct_debit, id=new_id(), at=now, **{name: payload[name] for name in _TOLD})
    kept = await _one(tx, direct_debit.c.cause == payload["cause"])
    assert kept is not None  # just inserted, or before
    return kept


async def _one(tx: AsyncConnection, where: Any) -> Debit | None:
    row = (await tx.execute(_query().where(where))).one_or_none()
    return None if row is None else _debit(row)


def _query() -> Any:
    return select(direct_debit, invoice.c.number).join(invoice, invoice.c.id == direct_debit.c.invoice_id)


def _debit(row: Any) -> Debit:
    return Debit(
        id=row.id,
        creditor=CreditorKey(row.creditor_id),
        debtor=DebtorId(row.debtor_id),
        invoice=InvoiceId(row.invoice_id),
        number=row.number,
        amount=Money(row.amount, row.currency),
        why=why(row.reason),
        iban_end=row.iban_end,
        at=row.at,
    )
