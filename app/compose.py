"""Everything is constructed here, once, and passed down."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from app.accounts import Accounts
from app.alerts import Alerts
from app.api import Api
from app.chats import Chats
from app.events import Events
from app.metrics import Metrics
from app.proofs import Proofs
from app.providers import providers as known_providers
from app.proxies import remote_of
from app.settings import Settings
from app.told import Told
from app.workers import drain, every
from billing.checkouts import Checkouts
from billing.claims import Claims
from billing.copies import Copies
from billing.debits import Debits
from billing.fees import FeeBook
from billing.ibans import IbanChanges
from billing.invoice_events import InvoiceEvents
from billing.invoices import Invoices
from billing.issued_links import IssuedLinks
from billing.links import Links
from billing.payments import Payments
from billing.plans import Plans
from billing.promises import Promises
from billing.receipts import Receipts
from billing.refunds import Refunds
from billing.risk import Risks
from billing.sandbox_books import SandboxBooks
from billing.shop import delivery as shop_delivery
from billing.shop.notices import TOPIC as SHOP
from billing.shop.notices import ShopNotices
from billing.shop.unheard import Unheard
from billing.statements.deciding import Deciding
from billing.statements.statements import Statements
from bot.actions import actions
from bot.actions.server import executor
from bot.actions.server import routes as action_routes
from bot.actions.services import Services
from catalogue.answers import Answering, Answers
from catalogue.index import refresh
from catalogue.orders import Orders
from channels.origins import Origins
from channels.picture import Pictures
from channels.rate import Brake
from channels.sms import Sms
from channels.telegram import Telegram
from channels.twilio import Twilio
from channels.web import REST, WEB, Web
from channels.webchat import WebChat
from channels.whatsapp import WhatsApp
from conversations.codes import Codes
from conversations.context import Contexts
from conversations.creditors import Creditors
from conversations.delivery import Delivery
from conversations.desking import Desking
from conversations.engine import Engine
from conversations.handoff import Handoffs
from conversations.holds import Holds, holding
from conversations.identity import Identity
from conversations.inbox import Inbox
from conversations.making import Making
from conversations.misses import Misses
from conversations.optout import OptOuts
from conversations.outbox import Outbox
from conversations.pictures import Pictures as Evidence
from conversations.retention import Retention
from conversations.turns import Turns
from core.clock import Clock
from core.message import Address, Channel
from core.payment import PaymentProvider
from desk import Desk
from desk import Services as DeskServices
from desk.accounts import Accounts as DeskAccounts
from locales import Renderer
from outreach.agreements import Agreements
from outreach.current import still_true
from outreach.debits import DebitNews
from outreach.quiet import may_approach
from outreach.reminders import Reminders
from payments.mollie import Mollie
from payments.sandbox import Sandbox
from store import events as names
from store.database import Database
from store.wake import LocalWake
from understanding import Understanding

log = structlog.get_logger(__name__)

# Turns wait for the engine, not for us: a few at once keep it busy, and one that is stuck holds up nobody else's.
TURN_WORKERS = 6
SENDERS = 4
SHOP_WORKERS = 2  # one may be busy with a shop that is slow to answer
EVENT_WORKERS = 2  # one may be busy with a mail server for as long as that takes to give up
SCHEDULE = 60.0
DAILY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Effen:
    """The product, wired."""

    settings: Settings
    environment: Mapping[str, str]
    clock: Clock
    db: Database
    wake: LocalWake
    http: aiohttp.ClientSession
    texts: Renderer
    creditors: Creditors
    accounts: Accounts
    api: Api
    identity: Identity
    inbox: Inbox
    outbox: Outbox
    turns: Turns
    delivery: Delivery
    events: Events
    shop: shop_delivery.ShopDelivery
    reminders: Reminders
    agreements: Agreements
    retention: Retention
    invoices: Invoices
    copies: Copies
    invoice_events: InvoiceEvents
    links: Links
    payments: Payments
    refunds: Refunds
    statements: Statements
    providers: Mapping[str, PaymentProvider]
    sandbox: Sandbox | None
    channels: Mapping[str, Channel]
    telegram: Telegram
    chats: Chats
    webchat: WebChat
    origins: Origins
    brake: Brake
    desk: Desk
    metrics: Metrics
    actions: Sequence[web.RouteDef]
    refresh: Callable[[], Awaitable[object]]  # of the catalogue's index, after another encoder has come

    async def tick(self) -> None:
        """What time brings about: reminders, late payments, uncertain messages."""
        for run in self._due.values():
            await run()

    @property
    def _due(self) -> Mapping[str, Callable[[], Awaitable[object]]]:
        return {
            "agreements": self.agreements.run,
            "reminders": self.reminders.run,
            "payments": self.payments.poll_open,
            "refunds": self.refunds.run_due,
            "links": self.links.expire,
            "statements": self.statements.run,
        }

    async def work(self, *, worker: bool, scheduler: bool) -> None:
        """Run the loops until cancelled."""
        if self.db.is_sqlite:
            await self.turns.free()
            await self.delivery.free()
            await self.events.free()
            await self.shop.free()
        loops: list[Coroutine[Any, Any, None]] = [every(5, self.accounts.refresh, "accounts")]
        if worker:
            loops += [drain(self.turns.run_one, self.wake, "inbox") for _ in range(TURN_WORKERS)]
            loops += [drain(self.delivery.run_one, self.wake, "outbox") for _ in range(SENDERS)]
            loops += [drain(self.events.run_one, self.wake, "event") for _ in range(EVENT_WORKERS)]
            loops += [drain(self.shop.run_one, self.wake, SHOP) for _ in range(SHOP_WORKERS)]
            loops.append(every(5, self.delivery.settle, "settle"))
        if scheduler:
            loops += [
                # Each in a loop of its own: a fault in one holds up none of the others.
                *(every(SCHEDULE, run, name) for name, run in self._due.items()),
                every(DAILY, self.retention.run, "retention", first=SCHEDULE),
                every(DAILY, self.refresh, "catalogue"),
            ]
            if self.sandbox is not None:
                loops.append(every(1, self._settle_sandbox, "sandbox"))
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)

    async def _settle_sandbox(self) -> None:
        assert self.sandbox is not None
        await self.sandbox.run_due(self.clock.now())


@asynccontextmanager
async def wired(
    settings: Settings,
    clock: Clock,
    understanding: Understanding,
    answering: Answering,
    environment: Mapping[str, str] = os.environ,
) -> AsyncIterator[Effen]:
    """The product for these settings; what it holds is let go at the end."""
    async with AsyncExitStack() as stack:
        db = Database(settings.store_url)
        stack.push_async_callback(db.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        shops = await stack.enter_async_context(shop_delivery.session(public_only=settings.production))
        effen = _wire(settings, clock, understanding, answering, environment, db, http, shops)
        stack.push_async_callback(effen.telegram.close)
        mollie = effen.providers["mollie"]
        assert isinstance(mollie, Mollie)
        stack.push_async_callback(mollie.close)
        yield effen


def _wire(
    settings: Settings,
    clock: Clock,
    understanding: Understanding,
    answering: Answering,
    environment: Mapping[str, str],
    db: Database,
    http: aiohttp.ClientSession,
    shops: aiohttp.ClientSession,
) -> Effen:
    wake = LocalWake()
    db.wake_by(wake.ring)
    texts = Renderer()
    creditors = Creditors(db)
    accounts = Accounts(creditors, environment)
    inbox = Inbox(db, clock, wake)
    outbox = Outbox(db, clock, wake)
    identity = Identity(db, clock, wake, creditors, environment)
    invoices, links = Invoices(db), Links(db, clock)
    copies, invoice_events = Copies(db, clock, invoices), InvoiceEvents(db, clock)
    providers = known_providers(settings, clock, http, accounts.payments, SandboxBooks(db))
    sandbox = providers.get("sandbox")
    assert sandbox is None or isinstance(sandbox, Sandbox)
    payments = Payments(db, clock, providers, settings.public_url)
    refunds = Refunds(db, clock, providers, payments)
    checkouts = Checkouts(db, clock, providers, payments)
    fees = FeeBook(db, clock, invoices, holding)
    promises, plans = Promises(db, clock, holding), Plans(db, clock, holding)
    claims, debits, ibans = Claims(db, clock), Debits(db), IbanChanges(db, clock)
    risks = Risks(db, clock)
    statements = Statements(db, clock)
    notices = ShopNotices(db, clock, wake)
    shop = shop_delivery.ShopDelivery(
        db,
        clock,
        shops,
        lambda creditor, value: creditor.secret(value, dict(environment)),
        public_only=settings.production,
    )
    agreements = Agreements(db, clock, creditors, outbox, promises, plans, fees, links, claims)
    chats = Chats(db, clock, wake, creditors, inbox, outbox, identity, settings.secret_key)
    origins = Origins(settings.public_url, accounts.origins)
    brake = Brake(monotonic)
    webchat = WebChat(chats, origins, brake, remote_of(settings.trusted_proxies))
    pictures = Pictures(http, settings.public_url, f"http://{settings.host}:{settings.port}")
    telegram = Telegram(accounts.telegram, api_url=settings.telegram_api_url, fetch=pictures.fetch)
    channels = _channels(settings, http, accounts, webchat, telegram)
    services = Services(
        contexts=Contexts(db, clock, creditors),
        identity=identity,
        handoffs=Handoffs(db, clock),
        opt_outs=OptOuts(db, clock),
        misses=Misses(db),
        invoices=invoices,
        links=links,
        payments=payments,
        answers=Answers(db, answering),
        orders=Orders(db),
        fees=fees,
        promises=promises,
        plans=plans,
        claims=claims,
        debits=debits,
        ibans=ibans,
        risks=risks,
        accounts=notices,
        receipts=Receipts(db),
        codes=Codes(db, clock, creditors, channels["sms"], texts, settings.secret_key),
        holds=Holds(db),
        copies=copies,
    )
    engine = Engine(http, settings.engine_url.split(","), settings.engine_token)
    making = Making(creditors, texts, channels, settings.public_url, may_approach, still_true)
    delivery = Delivery(db, clock, wake, making, channels)
    proofs = Proofs(db, outbox, claims, Evidence(db, clock), channels)
    told = Told(db, clock, outbox, invoices)
    alerts = Alerts(db, creditors, channels["sms"], settings.smtp_url, settings.alerts_from, settings.public_url)
    room = Desk(
        DeskServices(
            db=db,
            clock=clock,
            accounts=DeskAccounts(db, clock),
            desking=Desking(db, clock, wake, outbox),
            creditors=creditors,
            invoices=invoices,
            invoice_events=invoice_events,
            claims=claims,
            ibans=ibans,
            fees=fees,
            promises=promises,
            plans=plans,
            risks=risks,
            links=links,
            issued_links=IssuedLinks(db),
            refunds=refunds,
            statements=statements,
            deciding=Deciding(db, clock),
            unheard=Unheard(db, clock, wake),
            texts=texts,
            public_url=settings.public_url,
        )
    )
    webchat.server.register_namespace(room.namespace)
    db.watch(room.namespace.look)

    return Effen(
        settings=settings,
        environment=environment,
        clock=clock,
        db=db,
        wake=wake,
        http=http,
        texts=texts,
        creditors=creditors,
        accounts=accounts,
        api=Api(db, accounts, clock, creditors, debits, risks, notices),
        identity=identity,
        inbox=inbox,
        outbox=outbox,
        turns=Turns(db, clock, wake, creditors, outbox, delivery, engine, understanding, frozenset({"telegram"})),
        delivery=delivery,
        events=Events(
            db,
            clock,
            {
                names.PAYMENT_BOOKED: [told.booked],
                names.BOOKED: [notices.booked, invoice_events.booked, agreements.booked, checkouts.booked],
                names.LINK_REVOKED: [checkouts.revoked],
                names.CHECKOUT_OVER: [checkouts.over],
                names.ACCOUNT_RELEASED: [told.released],
                names.PAYMENT_FAILED: [told.failed],
                names.PAYMENT_RETURNED: [told.returned],
                names.PROMISE_BROKEN: [agreements.promise_broken],
                names.INSTALMENT_DUE: [agreements.instalment_due],
                names.INSTALMENT_MISSED: [agreements.instalment_missed],
                names.PLAN_ARRANGED: [agreements.plan_arranged],
                names.PLAN_BROKEN: [agreements.plan_broken],
                names.PLAN_RESUMED: [agreements.plan_resumed],
                names.CLAIM_LAPSED: [agreements.claim_lapsed],
                names.DIRECT_DEBIT_FAILED: [DebitNews(db, clock, wake, creditors, outbox, links).failed],
                names.PROOF_GIVEN: [proofs.given],
                names.PICTURE_SENT: [proofs.shown],
                names.MESSAGE_SENT: [invoice_events.message_sent, links.message_sent],
                names.CARE_DETECTED: [alerts.care_detected],
            },
        ),
        shop=shop,
        reminders=Reminders(db, clock, creditors, outbox),
        agreements=agreements,
        retention=Retention(db, clock, engine),
        invoices=invoices,
        copies=copies,
        invoice_events=invoice_events,
        links=links,
        payments=payments,
        refunds=refunds,
        statements=statements,
        providers=providers,
        sandbox=sandbox,
        channels=channels,
        telegram=telegram,
        chats=chats,
        webchat=webchat,
        origins=origins,
        brake=brake,
        desk=room,
        metrics=Metrics(),
        actions=action_routes(executor(actions(services)), settings.engine_token),
        refresh=lambda: refresh(db, answering.encoder),
    )


def _channels(
    settings: Settings, http: aiohttp.ClientSession, accounts: Accounts, webchat: WebChat, telegram: Telegram
) -> Mapping[str, Channel]:
    twilio = Twilio(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        session=http,
        public_url=settings.public_url,
        api_url=settings.twilio_api_url,
    )

    async def nowhere(account: str, address: Address, payload: Mapping[str, object]) -> None:
        """REST has no open line: its clients fetch what was said."""

    known: list[Channel] = [
        Web("web", WEB, webchat.emit),
        Web("rest", REST, nowhere),
        WhatsApp(twilio, accounts.whatsapp),
        Sms(twilio, accounts.sms),
        telegram,
    ]
    return {channel.name: channel for channel in known}
