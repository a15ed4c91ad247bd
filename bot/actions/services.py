"""What actions may ask of the rest of the product: these methods and no others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from billing.debits import Why
from billing.fees import Fees as InvoiceFees
from billing.invoices import OpenInvoice
from billing.plans import Instalment
from billing.risk import Standing as RiskStanding
from conversations.context import TurnContext
from conversations.identity import Verification
from core.creditor import Creditor
from core.hold import Reason
from core.ids import ConversationId, CreditorKey, DebtorId, InvoiceId, LinkId, TurnId
from core.lifecycle import ClaimState
from core.message import Locale
from core.money import Money


class Contexts(Protocol):
    async def of(self, turn: TurnId) -> TurnContext: ...
    async def out_of_reach(self, context: TurnContext) -> bool:
        """Whether nothing that we begin in days reaches this person."""
        ...


class Identity(Protocol):
    async def needs(self, turn: TurnId) -> Sequence[str]:
        """What is asked besides a number: postcode, house_number, date_of_birth."""
        ...

    async def verify(self, turn: TurnId, number: str, factors: Mapping[str, str]) -> Verification: ...


class Handoffs(Protocol):
    async def open(self, turn: TurnId, reason: Reason, **summary: Any) -> None: ...


class OptOuts(Protocol):
    async def out(self, turn: TurnId) -> None: ...
    async def wrong_person(self, turn: TurnId) -> None: ...
    async def back(self, turn: TurnId) -> bool:
        """Whether offers are wanted too."""
        ...


class Misses(Protocol):
    async def count(self, turn: TurnId) -> int:
        """How often in a row, this turn included, the bot did not understand."""
        ...


class Invoices(Protocol):
    async def open_of(self, debtor: DebtorId) -> Sequence[OpenInvoice]: ...
    async def of(self, debtor: DebtorId) -> Sequence[OpenInvoice]:
        """Paid ones too, after those that are open."""
        ...

    async def credit_of(self, debtor: DebtorId) -> Money:
        """What was paid too much."""
        ...


class Copy(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


class Copies(Protocol):
    async def issue(
        self, debtor_id: DebtorId, key: InvoiceId, *, cause: str, creditor: Creditor, locale: Locale
    ) -> Copy: ...


class Link(Protocol):
    @property
    def id(self) -> LinkId: ...
    @property
    def amount(self) -> Money: ...
    @property
    def expires_at(self) -> datetime: ...


class Links(Protocol):
    async def issue(
        self,
        conversation: ConversationId | None,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        *,
        key: str,
        creditor: Creditor,
        amount: Money | None = None,
    ) -> Link: ...


class PaidPayment(Protocol):
    @property
    def amount(self) -> Money: ...
    @property
    def paid_at(self) -> datetime: ...
    @property
    def invoices(self) -> Sequence[str]: ...


class Payments(Protocol):
    async def recent_of(self, debtor: DebtorId) -> Sequence[PaidPayment]: ...
    async def methods_of(self, creditor: Creditor, debtor: DebtorId) -> Sequence[str]:
        """What this debtor may pay with, the last one used first."""
        ...

    async def pending_of(self, debtor: DebtorId) -> Sequence[object]: ...


class Answer(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str | None: ...
    @property
    def source(self) -> str:
        """The question or product that it is taken from."""
        ...

    @property
    def language(self) -> str | None: ...
    @property
    def price(self) -> Money | None:
        """A product's."""
        ...

    @property
    def availability(self) -> str | None:
        """A product's: in_stock, out_of_stock, preorder, backorder."""
        ...


@runtime_checkable
class Suggestions(Protocol):
    @property
    def questions(self) -> Sequence[str]: ...


class Answers(Protocol):
    async def find(self, creditor: CreditorKey, text: str, locale: Locale) -> Answer | Suggestions | None: ...


class Order(Protocol):
    @property
    def number(self) -> str: ...
    @property
    def ordered_at(self) -> date: ...
    @property
    def status(self) -> str: ...
    @property
    def carrier(self) -> str | None: ...
    @property
    def tracking_url(self) -> str | None: ...
    @property
    def expected_at(self) -> date | None: ...


class Orders(Protocol):
    async def of(self, debtor: DebtorId, number: str | None = None) -> Sequence[Order]: ...


class Fees(Protocol):
    async def explain(self, debtor: DebtorId, creditor: Creditor) -> Sequence[InvoiceFees]: ...


class Holds(Protocol):
    async def of(self, debtor: DebtorId) -> frozenset[Reason]:
        """Why nothing presses this debtor now."""
        ...


class Promise(Protocol):
    @property
    def until(self) -> date: ...
    @property
    def invoices(self) -> Sequence[InvoiceId]: ...


class Promises(Protocol):
    async def current(self, debtor: DebtorId) -> Promise | None: ...
    async def make(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        until: date,
        *,
        key: str,
        creditor: Creditor,
    ) -> object: ...


class Claim(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def state(self) -> ClaimState: ...
    @property
    def invoices(self) -> Sequence[InvoiceId]: ...
    @property
    def paid_on(self) -> date | None: ...
    @property
    def until(self) -> date: ...


class Claims(Protocol):
    async def make(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        *,
        paid_on: date | None,
        amount: Money | None,
        account_end: str | None,
        key: str,
        creditor: Creditor,
    ) -> Claim: ...

    async def latest(self, debtor: DebtorId) -> Claim | None:
        """The last that no money has settled, open or lapsed."""
        ...

    async def prove(self, key: str, turn: TurnId) -> None:
        """The turn's pictures are its proof."""
        ...


class Risks(Protocol):
    async def of(self, creditor: Creditor, debtor: DebtorId) -> RiskStanding: ...


class Debit(Protocol):
    @property
    def invoice(self) -> InvoiceId: ...
    @property
    def number(self) -> str: ...
    @property
    def amount(self) -> Money: ...
    @property
    def why(self) -> Why: ...
    @property
    def at(self) -> datetime: ...


class Debits(Protocol):
    async def latest(self, debtor: DebtorId) -> Debit | None:
        """The last direct debit that failed, of an invoice that is still open."""
        ...


class IbanChange(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def end(self) -> str: ...


class IbanChanges(Protocol):
    async def propose(
        self, creditor: CreditorKey, conversation: ConversationId, debtor: DebtorId, text: str, *, key: str
    ) -> IbanChange:
        """Raises BadInput for no account number."""
        ...

    async def proposed(self, debtor: DebtorId) -> IbanChange | None: ...
    async def find(self, key: str, debtor: DebtorId) -> IbanChange | None: ...
    async def confirm(self, key: str, debtor: DebtorId) -> bool: ...


class Plan(Protocol):
    @property
    def instalments(self) -> Sequence[Instalment]: ...
    @property
    def invoices(self) -> Sequence[InvoiceId]: ...
    @property
    def charged(self) -> Money:
        """On its invoices since it was agreed on: it comes beside the plan."""
        ...


class Plans(Protocol):
    async def current(self, debtor: DebtorId) -> Plan | None: ...
    async def agree(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        instalments: Sequence[Instalment],
        *,
        key: str,
        creditor: Creditor,
    ) -> Plan: ...


class Accounts(Protocol):
    """Customers' accounts in the creditor's shop."""

    async def blocked(self, who: DebtorId) -> bool: ...
    async def release(self, who: DebtorId) -> bool:
        """Ask the shop to let it be used again; False where something is overdue."""
        ...


class Receipt(Protocol):
    """Of a payment that has arrived; `paid` by the invoice's number."""

    @property
    def id(self) -> str: ...
    @property
    def amount(self) -> Money: ...
    @property
    def returned(self) -> Money: ...
    @property
    def paid_at(self) -> datetime: ...
    @property
    def method(self) -> str | None: ...
    @property
    def reference(self) -> str | None: ...
    @property
    def paid(self) -> Sequence[tuple[str, Money]]: ...
    @property
    def credit(self) -> Money: ...


class Receipts(Protocol):
    async def of(self, debtor: DebtorId) -> Sequence[Receipt]:
        """The newest first."""
        ...


class Codes(Protocol):
    """One-time codes to the address on file."""

    async def confirmed(self, turn: TurnId) -> bool:
        """Whether who writes has shown to have that address, or came with the shop's token."""
        ...

    async def send(self, turn: TurnId) -> bool:
        """False where none can be sent."""
        ...

    async def check(self, turn: TurnId, code: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Services:
    contexts: Contexts
    identity: Identity
    handoffs: Handoffs
    opt_outs: OptOuts
    misses: Misses
    invoices: Invoices
    links: Links
    payments: Payments
    answers: Answers
    orders: Orders
    fees: Fees
    promises: Promises
    plans: Plans
    claims: Claims
    debits: Debits
    ibans: IbanChanges
    risks: Risks
    accounts: Accounts
    holds: Holds
    copies: Copies
    receipts: Receipts
    codes: Codes
