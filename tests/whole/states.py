"""In what state somebody may be when they write: the columns of docs/conversations.md, each brought about as it is."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.settings import Settings
from billing.plans import Plans, spread
from billing.promises import Promises
from conversations.desking import Desking
from conversations.holds import holding
from core.agent import Agent, Role
from core.ids import CreditorKey, InvoiceId
from core.message import Address, Locale
from core.money import Money
from desk.accounts import Accounts, agent_of
from store.tables.money import invoice
from store.tables.staff import agent as staff
from tests.clock import FakeClock
from tests.desk.world import PASSWORD
from tests.whole.crowd import Customer, Debt, settle_in
from tests.whole.people import Person, Phone, RestClient, Telegrammer, logged_in
from tests.whole.stage import Stage, staged
from tests.whole.test_paying import pay_at_the_bank
from understanding import Understanding

_AHEAD, _PAST = 40, -30
# state → how many days from today its invoices are due
DUE: Mapping[str, Sequence[int]] = {
    "nothing": (),
    "one": (_AHEAD,),
    "two": (_AHEAD, _AHEAD + 1),
    "twelve": tuple(range(_PAST, 60, 8)),
    "overdue": (_PAST,),
    "disputed": (_AHEAD,),
    "plan": (_AHEAD,),
    "promised": (_AHEAD,),
    "paid": (_AHEAD,),
    "unverified": (_AHEAD,),
    "stranger": (),
    "hardship": (_AHEAD,),
    "agent": (_AHEAD,),
    "opted_out": (_AHEAD,),
}
_BEFORE = {
    "disputed": {
        "nl": "ik heb dit nooit besteld",
        "en": "I never ordered this",
        "fr": "je n'ai jamais commandé ça",
        "de": "das habe ich nie bestellt",
    },
    "hardship": {
        "nl": "ik ben mijn baan kwijt en kan niet betalen",
        "en": "I lost my job and I cannot pay",
        "fr": "j'ai perdu mon travail et je ne peux pas payer",
        "de": "ich habe meine Arbeit verloren und kann nicht zahlen",
    },
    "agent": {
        "nl": "ik wil een medewerker spreken",
        "en": "I want to speak to a human",
        "fr": "je veux parler à un conseiller",
        "de": "ich möchte mit einem Mitarbeiter sprechen",
    },
    "opted_out": {
        "nl": "stuur me geen berichten meer",
        "en": "stop sending me messages",
        "fr": "arrêtez de m'envoyer des messages",
        "de": "schickt mir keine Nachrichten mehr",
    },
}
CENTS = 12_050


@dataclass
class Scene:
    """Where scripts are played: one product for all, another customer for each."""

    stage: Stage
    clock: FakeClock
    agent: Agent
    played: int = 0

    async def person(self, state: str, language: str, channel: str = "rest") -> tuple[Person, Customer]:
        """Somebody new, in this state, who has just been greeted."""
        self.played += 1
        today = self.clock.now().date()
        debts = [
            Debt(f"2025-9{self.played:04}{place:02}", CENTS + place * 100, today - timedelta(days=60), day)
            for place, day in enumerate(today + timedelta(days=ahead) for ahead in DUE[state])
        ]
        seed = 50_000 + self.played
        customer = Customer(seed, language, f"+3168{seed:07}", "1234 KZ", 12, debts)
        await settle_in(self.stage.effen.db, self.clock, self.stage.effen.settings, [customer])
        person = _writer(self.stage, channel, customer, language)
        if state not in ("unverified", "stranger"):
            await self._verify(person, customer, language)
        if state in _BEFORE:
            await person.say(_BEFORE[state][language])
            await self._seen_to(person, back=state != "agent")
        else:
            await person.say({"nl": "hallo", "en": "hello", "fr": "bonjour", "de": "guten Tag"}[language])
        brought: Mapping[str, Callable[[Person, Customer], Awaitable[None]]] = {
            "plan": self._plan,
            "promised": self._promise,
            "paid": self._pay,
        }
        if state in brought:
            await brought[state](person, customer)
        return person, customer

    async def hand_back(self, person: Person) -> None:
        await self._seen_to(person, back=True)

    async def _verify(self, person: Person, customer: Customer, language: str) -> None:
        identity = self.stage.effen.identity
        token = logged_in(self.stage, customer.number)
        assert await identity.identify(
            CreditorKey("bloem"), person.channel, Address(person.address), token, Locale(language)
        )

    async def _seen_to(self, person: Person, *, back: bool) -> None:
        """An agent takes the conversation where it waits for one, and hands it back or keeps it."""
        effen = self.stage.effen
        desk = Desking(effen.db, effen.clock, effen.wake, effen.outbox)
        talk = await person.conversation()
        if talk.state == "open":
            await desk.take(talk.id, self.agent)
            if back:
                await desk.hand_back(talk.id, self.agent)
        await self.stage.settled()

    async def _invoices(self, customer: Customer) -> list[InvoiceId]:
        rows = await self.stage.rows(invoice, invoice.c.number.in_([debt.number for debt in customer.debts]))
        return [InvoiceId(row.id) for row in rows]

    async def _plan(self, person: Person, customer: Customer) -> None:
        effen = self.stage.effen
        creditor = await effen.creditors.get(CreditorKey("bloem"))
        talk = await person.conversation()
        table = spread(Money(CENTS), 2, self.clock.now().date())
        await Plans(effen.db, self.clock, holding).agree(
            talk.id, talk.debtor_id, await self._invoices(customer), table, key=f"{talk.id}:plan", creditor=creditor
        )

    async def _promise(self, person: Person, customer: Customer) -> None:
        effen = self.stage.effen
        creditor = await effen.creditors.get(CreditorKey("bloem"))
        talk = await person.conversation()
        until = self.clock.now().date() + timedelta(days=7)
        await Promises(effen.db, self.clock, holding).make(
            talk.id, talk.debtor_id, await self._invoices(customer), until, key=f"{talk.id}:promise", creditor=creditor
        )

    async def _pay(self, person: Person, customer: Customer) -> None:
        """Yesterday, with a link that was asked for elsewhere."""
        effen = self.stage.effen
        creditor = await effen.creditors.get(CreditorKey("bloem"))
        talk = await person.conversation()
        now = self.clock.now()
        self.clock.set(now - timedelta(days=1))
        link = await effen.links.issue(
            None, talk.debtor_id, await self._invoices(customer), key=f"{talk.id}:link", creditor=creditor
        )
        await pay_at_the_bank(self.stage, link.token)
        self.clock.set(now)


def _writer(stage: Stage, channel: str, customer: Customer, language: str) -> Person:
    match channel:
        case "rest":
            return RestClient(stage, locale=language, network=f"10.1.{customer.seed >> 8 & 255}.{customer.seed & 255}")
        case "telegram":
            return Telegrammer(stage, address=str(800_000 + customer.seed))
        case _:
            return Phone(stage, channel=channel, number=f"+3169{customer.seed:07}")


@asynccontextmanager
async def scene_of(
    settings: Settings, understanding: Understanding, furnished: Path, folder: Path
) -> AsyncIterator[Scene]:
    """The product over a copy of the demo shop, with somebody at the desk."""
    settings = settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    clock = FakeClock()
    database = shutil.copy(furnished, folder / "effen.db")
    async with staged(settings, understanding, f"sqlite:///{database}", clock) as stage:
        accounts = Accounts(stage.effen.db, clock)
        await accounts.add(CreditorKey("bloem"), "roos@example.test", "Roos Wilg", Role.CARE, PASSWORD)
        yield Scene(stage, clock, agent_of(await stage.one(staff)))
