"""A small world for the desk: two creditors, an agent of each role, people who wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aiohttp import web
from argon2 import PasswordHasher
from socketio import AsyncServer
from sqlalchemy import insert

from billing.claims import Claims
from billing.fees import FeeBook
from billing.ibans import IbanChanges
from billing.invoice_events import InvoiceEvents
from billing.invoices import Invoices
from billing.issued_links import IssuedLinks
from billing.links import Links
from billing.payments import Payments
from billing.plans import Plans
from billing.promises import Promises
from billing.refunds import Refunds
from billing.risk import Risks
from billing.shop.unheard import Unheard
from billing.statements.deciding import Deciding
from billing.statements.statements import Statements
from conversations.creditors import Creditors
from conversations.desking import Desking
from conversations.holds import holding
from conversations.outbox import Outbox
from core.agent import Agent
from core.errors import PaymentFailed
from core.hold import PRIORITY, Reason
from core.ids import AgentId, ConversationId, CreditorKey, new_id
from core.lifecycle import ConversationState, OutboundState, PaymentStatus, RefundState
from core.money import Money
from core.payment import PaymentState, ProviderRefund
from desk import Desk, Services
from desk.accounts import Accounts
from locales import Renderer
from payments.sandbox import Sandbox
from store.database import Database
from store.tables.money import booking, invoice, posting
from store.tables.people import contact_point, creditor, debtor, hold
from store.tables.talk import conversation, inbound, outbound
from store.wake import LocalWake
from tests.clock import FakeClock

BLOEM, TULP = CreditorKey("bloem"), CreditorKey("tulp")
PASSWORD = "zonnebloem-4711"
# The parameters of a real password cost a second a test; these exercise the same code.
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Counter(Sandbox):
    """A provider whose every payment is of 50 euros and paid; `refunded` cents of it have gone back."""

    name = "counter"

    def __init__(self) -> None:
        self.refunded, self.asked, self.fault = 0, 0, ""

    async def fetch(self, account: str, external_id: str) -> PaymentState:
        return PaymentState(external_id, PaymentStatus.PAID, Money(5000), "ideal", refunded=Money(self.refunded))

    async def refund(self, account: str, external_id: str, amount: Money, *, key: str) -> ProviderRefund:
        self.asked += 1
        if self.fault:
            raise PaymentFailed(self.fault, retryable=False)
        self.refunded += amount.minor
        return ProviderRefund("re_1", RefundState.TAKEN)


@dataclass
class World:
    db: Database
    clock: FakeClock
    accounts: Accounts
    desking: Desking
    desk: Desk
    bank: Counter

    async def agent(self, name: str, role: str = "agent", key: CreditorKey = BLOEM) -> Agent:
        email = f"{name.split()[0].lower()}@{key}.example"
        identifier = await self.accounts.add(key, email, name, role, PASSWORD)
        found = await self.accounts.check(email, PASSWORD)
        assert found is not None and found.id == identifier
        return found

    async def debtor(self, name: str, number: str, key: CreditorKey = BLOEM) -> str:
        identifier = new_id()
        await self._insert(
            debtor, id=identifier, creditor_id=key, customer_number=number, kind="consumer", name=name, country="NL",
            created_at=self.clock.now(), updated_at=self.clock.now(),
        )  # fmt: skip
        return identifier

    async def invoice(self, who: str, number: str, minor: int, due: date, description: str = "") -> str:
        identifier, book, now = new_id(), new_id(), self.clock.now()
        await self._insert(
            invoice, id=identifier, creditor_id=BLOEM, debtor_id=who, number=number, issue_date=due, due_date=due,
            currency="EUR", amount=minor, description=description, created_at=now, updated_at=now,
        )  # fmt: skip
        await self._insert(booking, id=book, creditor_id=BLOEM, cause=f"opening:{number}", kind="opening", at=now)
        await self._insert(
            posting, booking_id=book, account="receivable", debtor_id=who, invoice_id=identifier, currency="EUR",
            minor=minor,
        )  # fmt: skip
        return identifier

    async def talk(
        self,
        *,
        key: CreditorKey = BLOEM,
        state: ConversationState = ConversationState.OPEN,
        reason: Reason | None = Reason.HUMAN,
        channel: str = "whatsapp",
        locale: str | None = "nl",
        who: str | None = None,
        verified: bool = False,
        agent: AgentId | None = None,
        summary: Mapping[str, Any] | None = None,
        care: bool = False,
        opened_at: datetime | None = None,
    ) -> ConversationId:
        identifier, contact, now = ConversationId(new_id()), new_id(), self.clock.now()
        await self._insert(
            conversation, id=identifier, creditor_id=key, debtor_id=who if verified else None, state=state,
            locale=locale, dialogue=f"{identifier}:1", dialogue_slots={"wanted": "pay"}, form="plan_form",
            contact_point_id=contact, introduced=True, agent_id=agent, reason=reason,
            priority=PRIORITY[reason] if reason else 0, summary=dict(summary or {}), care=care,
            opened_at=(opened_at or now) if state == ConversationState.OPEN else None, created_at=now, updated_at=now,
        )  # fmt: skip
        await self._insert(
            contact_point, id=contact, creditor_id=key, channel=channel, address=contact, conversation_id=identifier,
            debtor_id=who, verified_until=datetime.max.replace(tzinfo=now.tzinfo, year=2099) if verified else None,
            locale=locale, last_inbound_at=now, created_at=now,
        )  # fmt: skip
        return identifier

    async def hears(self, talk: ConversationId, text: str, **values: Any) -> str:
        """The person writes."""
        home = await self._home(talk)
        identifier, now = new_id(), self.clock.now()
        row = {
            "id": identifier, "creditor_id": home.creditor_id, "channel": home.channel, "external_id": identifier,
            "conversation_id": talk, "contact_point_id": home.contact_point_id, "text": text, "media": [], "flags": {},
            "received_at": now, "state": "done", "parse": {"tapped": False},
        }  # fmt: skip
        await self._insert(inbound, **(row | values))
        return identifier

    async def says(self, talk: ConversationId, text: str | None, **values: Any) -> str:
        """The bot has said it; None: it has not been rendered yet."""
        home = await self._home(talk)
        identifier, now = new_id(), self.clock.now()
        row = {
            "id": identifier, "creditor_id": home.creditor_id, "conversation_id": talk,
            "contact_point_id": home.contact_point_id, "cause": identifier, "author": "bot", "key": "greet", "args": {},
            "options": [], "state": OutboundState.DELIVERED, "attempts": 1, "next_at": now, "created_at": now,
            "rendered": None if text is None else [{"text": text, "choices": []}],
        }  # fmt: skip
        await self._insert(outbound, **(row | values))
        return identifier

    async def holds(self, talk: ConversationId, reason: Reason, who: str | None = None) -> str:
        identifier = new_id()
        home = await self._home(talk)
        await self._insert(
            hold, id=identifier, creditor_id=home.creditor_id, conversation_id=talk, debtor_id=who, reason=reason,
            by=f"turn:{identifier}", since=self.clock.now(),
        )  # fmt: skip
        return identifier

    async def row(self, talk: ConversationId) -> Any:
        async with self.db.read() as tx:
            return (await tx.execute(conversation.select().where(conversation.c.id == talk))).one()

    async def all(self, table: Any) -> list[Any]:
        async with self.db.read() as tx:
            return list((await tx.execute(table.select())).all())

    async def _home(self, talk: ConversationId) -> Any:
        query = conversation.join(contact_point, contact_point.c.id == conversation.c.contact_point_id).select()
        async with self.db.read() as tx:
            return (await tx.execute(query.where(conversation.c.id == talk))).one()

    async def _insert(self, table: Any, **values: Any) -> None:
        async with self.db.begin() as tx:
            await tx.execute(insert(table).values(**values))

    def application(self) -> web.Application:
        """The desk over HTTP, with its socket."""
        application = web.Application()
        application.add_routes(self.desk.routes())
        server = AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
        server.register_namespace(self.desk.namespace)
        server.attach(application)
        return application


async def make(db: Database, clock: FakeClock, public_url: str = "http://desk.example") -> World:
    wake = LocalWake()
    accounts = Accounts(db, clock, _QUICK)
    desking = Desking(db, clock, wake, Outbox(db, clock, wake))
    bank = Counter()
    payments = Payments(db, clock, {bank.name: bank}, public_url)
    services = Services(
        db=db, clock=clock, accounts=accounts, desking=desking, creditors=Creditors(db), invoices=Invoices(db),
        invoice_events=InvoiceEvents(db, clock),
        claims=Claims(db, clock), ibans=IbanChanges(db, clock),
        risks=Risks(db, clock), links=Links(db, clock), issued_links=IssuedLinks(db),
        refunds=Refunds(db, clock, {bank.name: bank}, payments),
        statements=Statements(db, clock), deciding=Deciding(db, clock),
        fees=FeeBook(db, clock, Invoices(db), holding),
        promises=Promises(db, clock, holding), plans=Plans(db, clock, holding),
        unheard=Unheard(db, clock, wake),
        texts=Renderer(), public_url=public_url,
    )  # fmt: skip
    world = World(db, clock, accounts, desking, Desk(services), bank)
    for key, name in ((BLOEM, "Bloem & Blad BV"), (TULP, "Tulp & Zoon")):
        config = {
            "key": key, "name": name, "country": "NL", "registration": "KvK 12345678", "languages": ["nl", "en"],
            "iban": "NL02ABNA0123456789", "alerts": {"urgent": f"care@{key}.example"},
        }  # fmt: skip
        await world._insert(creditor, id=key, config=config, created_at=clock.now(), updated_at=clock.now())
    return world
