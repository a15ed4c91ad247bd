"""A creditor with debtors and invoices, and the pages that are under test, served on loopback."""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import func, insert, select, update

from billing import pay_page, webhooks
from billing.invoices import Invoices
from billing.ledger import Account, Kind, Posting, book, lowering
from billing.links import Link, Links
from billing.payments import Payments
from billing.refunds import Refunds
from billing.sandbox_books import SandboxBooks
from core.creditor import Alerts, Creditor
from core.ids import ConversationId, CreditorKey, DebtorId, InvoiceId
from core.message import Locale
from core.money import Money
from core.texts import Texts
from payments import sandbox_bank
from payments.sandbox import Sandbox
from store.database import Database
from store.events import BOOKED
from store.tables.money import invoice, posting
from store.tables.people import contact_point
from store.tables.people import creditor as creditors
from store.tables.people import debtor as debtors
from store.tables.talk import conversation, event, outbound
from tests.clock import FakeClock

BLOEM = Creditor(
    key="bloem",
    name="Bloem & <Blad> BV",
    country="NL",
    registration="KvK 12345678",
    languages=["nl", "en"],
    iban="NL02ABNA0123456789",
    alerts=Alerts(urgent="care@example.test"),
)
VELO = BLOEM.model_copy(update={"key": "velo", "name": "Velo Verzonnen BV", "languages": ["fr"]})


class Keys:
    """Says the key itself, with its arguments: what a page says, whatever the words."""

    def text(self, key: str, locale: Locale, **args: Any) -> str:
        shown = [
            f"{value.minor} {value.currency}" if isinstance(value, Money) else str(value) for value in args.values()
        ]
        return " ".join([f"[{locale}:{key}]", *shown])


@dataclass
class House:
    database: Database
    clock: FakeClock
    invoices: Invoices
    links: Links
    refused: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, database: Database, clock: FakeClock) -> "House":
        return cls(database, clock, Invoices(database), Links(database, clock))

    async def creditor(self, config: Creditor) -> None:
        now = self.clock.now()
        row = {"id": config.key, "config": config.model_dump(mode="json"), "created_at": now, "updated_at": now}
        async with self.database.begin() as tx:
            await tx.execute(insert(creditors).values(row))

    async def change(self, config: Creditor) -> None:
        async with self.database.begin() as tx:
            row = {"config": config.model_dump(mode="json"), "updated_at": self.clock.now()}
            await tx.execute(update(creditors).where(creditors.c.id == config.key).values(row))

    async def debtor(self, number: str, creditor: Creditor = BLOEM) -> DebtorId:
        now = self.clock.now()
        key = f"{creditor.key}-{number}"
        row = {
            "id": key,
            "creditor_id": creditor.key,
            "customer_number": number,
            "kind": "consumer",
            "name": "Fientje Fictief",
            "created_at": now,
            "updated_at": now,
        }
        async with self.database.begin() as tx:
            await tx.execute(insert(debtors).values(row))
        return DebtorId(key)

    async def talk(self, debtor: DebtorId) -> ConversationId:
        """The debtor's conversation."""
        now = self.clock.now()
        creditor, _, _ = debtor.partition("-")
        row = {"id": f"talk-{debtor}", "creditor_id": creditor, "debtor_id": debtor, "state": "pending"}
        async with self.database.begin() as tx:
            await tx.execute(insert(conversation).values(**row, dialogue=f"d-{debtor}", created_at=now, updated_at=now))
        return ConversationId(row["id"])

    async def said(self, key: str, debtor: DebtorId, args: Mapping[str, Any], cause: str = "turn-1:1") -> None:
        """A message to the debtor has gone out."""
        now = self.clock.now()
        home = {"creditor_id": debtor.partition("-")[0], "conversation_id": await self.talk(debtor)}
        point = {**home, "id": f"point-{key}", "channel": "web", "address": "someone", "created_at": now}
        row = {
            **home, "id": key, "contact_point_id": point["id"], "cause": cause, "author": "bot", "key": "x.y",
            "args": args, "options": [], "state": "sent", "next_at": now, "created_at": now, "sent_at": now,
        }  # fmt: skip
        async with self.database.begin() as tx:
            await tx.execute(insert(contact_point).values(point))
            await tx.execute(insert(outbound).values(row))

    async def invoice(
        self, debtor: DebtorId, number: str, minor: int, due: date = date(2026, 11, 1), **values: Any
    ) -> InvoiceId:
        creditor, _, _ = debtor.partition("-")
        key = InvoiceId(f"{creditor}-{number}")
        now = self.clock.now()
        row = {
            "id": key,
            "creditor_id": creditor,
            "debtor_id": debtor,
            "number": number,
            "issue_date": date(2026, 10, 1),
            "due_date": due,
            "currency": "EUR",
            "amount": minor,
            "description": "Kamerplanten",
            "created_at": now,
            "updated_at": now,
            **values,
        }
        async with self.database.begin() as tx:
            await tx.execute(insert(invoice).values(row))
            await self._book(tx, creditor, key, debtor, Money(minor), Account.REVENUE, f"opening:{key}")
        return key

    async def paid_elsewhere(self, key: InvoiceId, minor: int, cause: str) -> None:
        """The creditor tells us of money that came in another way."""
        found = await self.invoices.by_id(key)
        assert found is not None
        async with self.database.begin() as tx:
            await self._book(tx, BLOEM.key, key, found.debtor, Money(-minor), Account.BANK, cause)

    async def corrected(self, key: InvoiceId, minor: int, cause: str) -> None:
        """The creditor's file says that more, or less, is owed than before; what was not owed is credit."""
        found = await self.invoices.by_id(key)
        assert found is not None
        async with self.database.begin() as tx:
            sides = [Posting(Account.RECEIVABLE, Money(minor), found.debtor, key)]
            if minor < 0:
                sides = await lowering(tx, found.debtor, [key], Money(-minor))
            sides.append(Posting(Account.REVENUE, Money(-minor)))
            await book(tx, CreditorKey(BLOEM.key), Kind.CORRECTION, sides, cause=cause, at=self.clock.now())

    async def _book(
        self, tx: Any, creditor: str, key: InvoiceId, debtor: DebtorId, amount: Money, against: Account, cause: str
    ) -> None:
        sides = [Posting(Account.RECEIVABLE, amount, debtor, key), Posting(against, Money(-amount.minor))]
        kind = Kind.OPENING if against is Account.REVENUE else Kind.PAYMENT
        await book(tx, CreditorKey(creditor), kind, sides, cause=cause, at=self.clock.now())

    async def open(self, key: InvoiceId) -> int:
        found = await self.invoices.by_id(key)
        assert found is not None
        return found.open.minor

    async def link(
        self,
        debtor: DebtorId,
        keys: Sequence[InvoiceId],
        key: str = "turn-1:link",
        creditor: Creditor = BLOEM,
        amount: Money | None = None,
    ) -> Link:
        return await self.links.issue(None, debtor, keys, key=key, creditor=creditor, amount=amount)

    async def accounts(self) -> Mapping[str, int]:
        """Account → its sum."""
        query = select(posting.c.account, func.sum(posting.c.minor)).group_by(posting.c.account)
        async with self.database.read() as connection:
            return {row[0]: int(row[1]) for row in await connection.execute(query)}

    async def events(self) -> list[str]:
        """Their names in order, apart from the ledger's own, which goes with every booking."""
        query = select(event.c.name).where(event.c.name != BOOKED).order_by(event.c.seq)
        async with self.database.read() as connection:
            return list((await connection.execute(query)).scalars())


@dataclass
class Street:
    """The house with its pages open, and the sandbox bank next door."""

    house: House
    url: str
    http: aiohttp.ClientSession
    bank: Sandbox
    books: SandboxBooks
    payments: Payments
    refunds: Refunds

    async def choose(self, checkout: str, outcome: str) -> str:
        """Press a button of the bank's page; where the payer is sent."""
        async with self.http.post(checkout, data={"outcome": outcome}, allow_redirects=False) as response:
            assert response.status == 303
            return response.headers["Location"]


@asynccontextmanager
async def street(house: House, texts: Texts) -> AsyncIterator[Street]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with aiohttp.ClientSession() as http:
        books = SandboxBooks(house.database)
        bank = Sandbox(books, house.clock, http, public_url=url, secret="not-a-secret")
        payments = Payments(house.database, house.clock, {bank.name: bank}, url)
        app = web.Application()
        app.add_routes(pay_page.routes(house.database, house.links, payments, texts, public_url=url))
        app.add_routes(sandbox_bank.routes(bank, texts))
        app.add_routes(
            webhooks.routes(house.database, payments, {bank.name: bank}, public_url=url, refused=house.refused.append)
        )
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        try:
            refunds = Refunds(house.database, house.clock, {bank.name: bank}, payments)
            yield Street(house, url, http, bank, books, payments, refunds)
        finally:
            await runner.cleanup()
