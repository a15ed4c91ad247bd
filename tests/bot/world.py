"""The services that actions ask, small and in memory: one creditor, one debtor, and what was done for them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing.debits import Why
from billing.fees import Fees
from billing.ibans import IbanChange
from billing.invoices import OpenInvoice
from billing.plans import Instalment
from billing.receipts import Receipt
from billing.risk import Behaviour
from billing.risk import Standing as RiskStanding
from bot.actions.services import Answer, Services, Suggestions
from conversations.context import TurnContext
from conversations.identity import Verification
from core.creditor import Creditor
from core.hold import Reason
from core.iban import iban
from core.ids import ContactPointId, ConversationId, CreditorKey, DebtorId, InvoiceId, LinkId, TurnId
from core.lifecycle import ClaimState
from core.message import Locale
from core.money import Money

DEBTOR = DebtorId("anna")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday


def creditor(**changes: Any) -> Creditor:
    given: dict[str, Any] = {
        "key": "bloem",
        "name": "Bloem & Blad BV",
        "country": "NL",
        "registration": "KvK 12345678",
        "languages": ["nl", "en"],
        "iban": "NL02ABNA0123456789",
        "alerts": {"urgent": "care@example.test"},
        "hours": {"mon-fri": "08:30-17:30"},
    }
    return Creditor(**{**given, **changes})


def invoice(number: str, cents: int, *, due: date = date(2026, 12, 1), disputed: bool = False) -> OpenInvoice:
    return OpenInvoice(
        InvoiceId(f"id-{number}"),
        DEBTOR,
        number,
        date(2026, 11, 1),
        due,
        Money(cents),
        Money(cents),
        "Kamerplanten",
        None,
        disputed,
    )


@dataclass(frozen=True)
class Link:
    id: LinkId
    amount: Money
    expires_at: datetime


@dataclass(frozen=True)
class Copied:
    id: str
    expires_at: datetime


@dataclass(frozen=True)
class Paid:
    amount: Money
    paid_at: datetime
    invoices: Sequence[str]


@dataclass(frozen=True)
class Known:
    text: str
    link: str | None = None
    source: str = "Kamerplanten"
    language: str | None = "nl"
    price: Money | None = None
    availability: str | None = None


@dataclass(frozen=True)
class Near:
    questions: Sequence[str]


@dataclass(frozen=True)
class Parcel:
    number: str
    ordered_at: date = date(2026, 11, 18)
    status: str = "shipped"
    carrier: str | None = "PostNL"
    tracking_url: str | None = "https://track.example/1"
    expected_at: date | None = date(2026, 11, 24)


@dataclass(frozen=True)
class Agreed:
    instalments: Sequence[Instalment]
    invoices: Sequence[InvoiceId] = (InvoiceId("id-2026-0042"),)
    charged: Money = field(default_factory=lambda: Money(0))


@dataclass(frozen=True)
class Claimed:
    id: str
    state: ClaimState
    invoices: Sequence[InvoiceId]
    paid_on: date | None
    until: date
    amount: Money | None = None
    account_end: str | None = None


@dataclass(frozen=True)
class Failed:
    invoice: InvoiceId
    number: str
    amount: Money
    why: Why
    at: datetime = NOW


class OutOfOrder(Exception):
    """The world is broken on purpose."""


@dataclass
class World:
    """What is true, and what has been done."""

    creditor: Creditor = field(default_factory=creditor)
    verified: bool = False
    now: datetime = NOW
    agent_open: bool = True
    country: str = "NL"
    needs: Sequence[str] = ("postcode",)
    people: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {"2026-0042": {"postcode": "1234AB", "house_number": "12"}}
    )
    credit: Money = field(default_factory=lambda: Money(0))
    invoices: list[OpenInvoice] = field(default_factory=lambda: [invoice("2026-0042", 4995)])
    settled: list[OpenInvoice] = field(default_factory=list)
    copies: dict[str, InvoiceId] = field(default_factory=dict)  # cause → invoice
    paid: list[Paid] = field(default_factory=list)
    pending: list[Paid] = field(default_factory=list)
    answer: Answer | Suggestions | None = None
    orders: list[Parcel] = field(default_factory=list)
    broken: bool = False
    parse: Mapping[str, Any] = field(default_factory=dict)  # beside the intent: readings, entities
    meeting: asyncio.Barrier | None = None  # two actions go on together

    heard: dict[str, tuple[str, str]] = field(default_factory=dict)  # turn → text, intent
    wrong: int = 0
    handoffs: list[tuple[Reason, dict[str, Any]]] = field(default_factory=list)
    links: dict[str, tuple[InvoiceId, ...]] = field(default_factory=dict)
    opted: list[str] = field(default_factory=list)
    fees: list[Fees] = field(default_factory=list)
    promised: dict[str, date] = field(default_factory=dict)
    plan: Agreed | None = None
    claims: list[Claimed] = field(default_factory=list)
    proofs: list[tuple[str, TurnId]] = field(default_factory=list)  # claim, turn of the pictures
    channel: str = "web"
    out_of_reach: bool = False  # there is no address that outlasts this session
    debit: Failed | None = None
    methods: Sequence[str] = ("bancontact", "ideal")  # what this debtor is offered
    risk: RiskStanding = field(default_factory=lambda: RiskStanding(None, "none", dict.fromkeys(Behaviour, 0)))
    ibans: list[IbanChange] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    confirmed: bool = True  # writes from the telephone on file
    telephone: bool = True  # there is one on file, and a code may go to it
    codes: list[str] = field(default_factory=list)  # sent; the last one is right
    blocked: bool = False
    released: list[DebtorId] = field(default_factory=list)
    held: frozenset[Reason] = frozenset()
    asked: list[str] = field(default_factory=list)  # questions looked up

    def services(self) -> Services:
        return Services(
            contexts=Contexts(self),
            identity=Identity(self),
            handoffs=Handoffs(self),
            opt_outs=OptOuts(self),
            misses=Misses(self),
            invoices=Invoices(self),
            copies=Copies(self),
            links=Links(self),
            payments=Payments(self),
            answers=Answers(self),
            orders=Orders(self),
            fees=FeeBook(self),
            promises=Promises(self),
            plans=Plans(self),
            claims=Claims(self),
            debits=Debits(self),
            ibans=IbanChanges(self),
            risks=Risks(self),
            accounts=Accounts(self),
            holds=Holds(self),
            receipts=Receipts(self),
            codes=Codes(self),
        )


@dataclass
class _Of:
    world: World


class Contexts(_Of):
    async def of(self, turn: TurnId) -> TurnContext:
        world = self.world
        if world.broken:
            raise OutOfOrder("de tekst van Anna")
        if world.meeting is not None:
            await world.meeting.wait()
        text, intent = world.heard[turn]
        return TurnContext(
            turn=turn,
            conversation=ConversationId("talk"),
            contact_point=ContactPointId("point"),
            creditor=world.creditor,
            channel=world.channel,
            locale=Locale("nl"),
            country=world.country,
            debtor=DEBTOR if world.verified else None,
            verified=world.verified,
            text=text,
            intent=intent,
            care=None,
            parse=world.parse,
            agent_open=world.agent_open,
            now=world.now,
        )

    async def out_of_reach(self, context: TurnContext) -> bool:
        return self.world.out_of_reach


class Identity(_Of):
    async def needs(self, turn: TurnId) -> Sequence[str]:
        return self.world.needs

    async def verify(self, turn: TurnId, number: str, factors: Mapping[str, str]) -> Verification:
        def plain(text: str) -> str:
            return "".join(c for c in text.upper() if c.isalnum())

        known = {plain(n): f for n, f in self.world.people.items()}.get(plain(number))
        if known and all(plain(known[name]) == plain(factors[name]) for name in self.world.needs):
            self.world.verified = True
            return Verification(ok=True, left=3, locked=False)
        self.world.wrong += 1
        left = 3 - self.world.wrong
        return Verification(ok=False, left=left, locked=left <= 0)


class Handoffs(_Of):
    async def open(self, turn: TurnId, reason: Reason, **summary: Any) -> None:
        self.world.handoffs.append((reason, {k: v for k, v in summary.items() if v}))


class OptOuts(_Of):
    async def out(self, turn: TurnId) -> None:
        self.world.opted.append("out")

    async def wrong_person(self, turn: TurnId) -> None:
        self.world.opted.append("wrong_person")

    async def back(self, turn: TurnId) -> bool:
        self.world.opted.append("back")
        return self.world.verified


class Misses(_Of):
    async def count(self, turn: TurnId) -> int:
        intents = [intent for _, intent in self.world.heard.values()]
        return len(intents) - max((i + 1 for i, name in enumerate(intents) if name != "out_of_scope"), default=0)


class Invoices(_Of):
    async def open_of(self, debtor: DebtorId) -> Sequence[OpenInvoice]:
        return self.world.invoices

    async def of(self, debtor: DebtorId) -> Sequence[OpenInvoice]:
        return [*self.world.invoices, *self.world.settled]

    async def credit_of(self, debtor: DebtorId) -> Money:
        return self.world.credit


class Copies(_Of):
    async def issue(
        self, debtor_id: DebtorId, key: InvoiceId, *, cause: str, creditor: Creditor, locale: Locale
    ) -> Copied:
        assert debtor_id == DEBTOR and self.world.verified
        self.world.copies[cause] = key
        return Copied("copy", self.world.now + timedelta(days=7))


class Links(_Of):
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
        self.world.links[key] = tuple(invoices)
        cents = sum(i.open.minor for i in self.world.invoices if i.id in invoices)
        return Link(LinkId("link"), amount or Money(cents), self.world.now + timedelta(days=14))


class Payments(_Of):
    async def recent_of(self, debtor: DebtorId) -> Sequence[Paid]:
        return self.world.paid

    async def methods_of(self, creditor: Creditor, debtor: DebtorId) -> Sequence[str]:
        return self.world.methods

    async def pending_of(self, debtor: DebtorId) -> Sequence[object]:
        return self.world.pending


class Answers(_Of):
    async def find(self, creditor: CreditorKey, text: str, locale: Locale) -> Answer | Suggestions | None:
        self.world.asked.append(text)
        return self.world.answer


class Orders(_Of):
    async def of(self, debtor: DebtorId, number: str | None = None) -> Sequence[Parcel]:
        return [order for order in self.world.orders if number in (None, order.number)]


class FeeBook(_Of):
    async def explain(self, debtor: DebtorId, creditor: Creditor) -> Sequence[Fees]:
        return self.world.fees


class Holds(_Of):
    async def of(self, debtor: DebtorId) -> frozenset[Reason]:
        return self.world.held


@dataclass(frozen=True)
class Promised:
    until: date
    invoices: Sequence[InvoiceId] = ()


class Promises(_Of):
    async def current(self, debtor: DebtorId) -> Promised | None:
        theirs = [invoice.id for invoice in self.world.invoices]
        return next((Promised(day, theirs) for day in reversed(self.world.promised.values())), None)

    async def make(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        until: date,
        *,
        key: str,
        creditor: Creditor,
    ) -> object:
        self.world.promised[key] = until
        return until


class Plans(_Of):
    async def current(self, debtor: DebtorId) -> Agreed | None:
        return self.world.plan

    async def agree(
        self,
        conversation: ConversationId,
        debtor: DebtorId,
        invoices: Sequence[InvoiceId],
        instalments: Sequence[Instalment],
        *,
        key: str,
        creditor: Creditor,
    ) -> Agreed:
        self.world.plan = Agreed(instalments, invoices)
        return self.world.plan


class Claims(_Of):
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
    ) -> Claimed:
        made = Claimed(key, ClaimState.OPEN, list(invoices), paid_on, date(2026, 11, 30), amount, account_end)
        self.world.claims.append(made)
        return made

    async def latest(self, debtor: DebtorId) -> Claimed | None:
        return next((claim for claim in reversed(self.world.claims) if claim.state is not ClaimState.SETTLED), None)

    async def prove(self, key: str, turn: TurnId) -> None:
        self.world.proofs.append((key, turn))


class Accounts(_Of):
    async def blocked(self, who: DebtorId) -> bool:
        return self.world.blocked

    async def release(self, who: DebtorId) -> bool:
        due = [invoice for invoice in self.world.invoices if invoice.due < self.world.now.date()]
        if not due:
            self.world.released.append(who)
        return not due


class Receipts(_Of):
    async def of(self, debtor: DebtorId) -> Sequence[Receipt]:
        return self.world.receipts


class Debits(_Of):
    async def latest(self, debtor: DebtorId) -> Failed | None:
        return self.world.debit


class IbanChanges(_Of):
    async def propose(
        self, creditor: CreditorKey, conversation: ConversationId, debtor: DebtorId, text: str, *, key: str
    ) -> IbanChange:
        self.world.ibans.append(IbanChange(key, iban(text), None))
        return self.world.ibans[-1]

    async def proposed(self, debtor: DebtorId) -> IbanChange | None:
        return next((change for change in reversed(self.world.ibans) if change.requested_at is None), None)

    async def find(self, key: str, debtor: DebtorId) -> IbanChange | None:
        return next((change for change in self.world.ibans if change.id == key), None)

    async def confirm(self, key: str, debtor: DebtorId) -> bool:
        self.world.ibans = [
            replace(change, requested_at=self.world.now) if change.id == key else change for change in self.world.ibans
        ]
        return True


class Codes(_Of):
    async def confirmed(self, turn: TurnId) -> bool:
        return self.world.confirmed

    async def send(self, turn: TurnId) -> bool:
        if self.world.telephone:
            self.world.codes.append(f"41820{len(self.world.codes)}")
        return self.world.telephone

    async def check(self, turn: TurnId, code: str) -> bool:
        self.world.confirmed = self.world.codes[-1:] == [code]
        return self.world.confirmed


class Risks(_Of):
    async def of(self, creditor: Creditor, debtor: DebtorId) -> RiskStanding:
        return self.world.risk
