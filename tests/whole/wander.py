"""A conversation by chance, and what holds after each turn of any conversation.

All chance comes from the conversation's number, so that a number is all it takes to see the same conversation again.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import bindparam, exists, or_, select

from bench.nlu.messages import held_out
from conversations import waiting
from conversations.contacts import contact_of
from conversations.desking import Desking
from core.agent import Agent
from core.hold import Reason
from core.lifecycle import ConversationState, OutboundState, TurnOutcome, TurnState
from store.tables.people import contact_point
from store.tables.talk import button, conversation, inbound, outbound
from tests.whole.crowd import LANGUAGES, Customer, words
from tests.whole.people import Person, Phone, RestClient, Telegrammer, Visitor, logged_in
from tests.whole.stage import Stage
from understanding import examples

HUMAN = {
    "nl": "ik wil een medewerker spreken",
    "en": "I want to talk to a human agent",
    "fr": "je veux parler à un conseiller",
    "de": "ich möchte mit einem Mitarbeiter sprechen",
}
HOSTILE = (
    "",
    " ",
    "\n\n\t",
    "😀",
    "🏳️‍🌈🏳️‍🌈🏳️‍🌈",
    "👍",
    "?",
    "...",
    "0",
    "-1",
    "999999999999999999999999999999",
    "1e309",
    "٣٤٥٦",
    "½",
    "a" * 5000,
    "waarom " * 700,
    "💶" * 2500,
    "\u202e\u0644\u0627 \u0623\u0631\u064a\u062f \u0623\u0646 \u0623\u062f\u0641\u0639\u202c",
    "כמה אני חייב?",
    "我要付款",
    "\x00\x01\x02\x1b[31mrood\x1b[0m",
    "ﷺ" * 300,
    "e\u0301\u0302\u0303" * 200,
    "\ud83d",
    "{amount}",
    "{{config}} ${EFFEN_SECRET_KEY} %s %(n)d",
    "'; DROP TABLE invoice; --",
    "<script>alert(1)</script>",
    '/pay{"invoice": "all"}',
    "/restart",
    "talk.greet",
    "NaN",
    "2026-02-30",
    "31-13-2026",
    "€ -50",
    "0,00 euro",
    "€ 99999999999999",
    "stop stop stop",
    "ja nee ja",
)
_PATIENCE = 60.0
_WAITING = select(
    or_(
        exists().where(inbound.c.contact_point_id == bindparam("point"), inbound.c.state == TurnState.RECEIVED),
        exists().where(
            outbound.c.contact_point_id == bindparam("point"),
            outbound.c.state.in_([OutboundState.QUEUED, OutboundState.SENDING]),
        ),
    )
)
_PLACEHOLDER = re.compile(r"\{[a-z_]*\}|\bNone\b|%\(")
_KEY = re.compile(r"\b[a-z_]+(?:\.[A-Za-z0-9_]+)+")


@dataclass(frozen=True)
class Material:
    """What people say, by language; `keys`: names that no message may show."""

    sentences: Mapping[str, Sequence[str]]
    keys: frozenset[str]

    @classmethod
    def read(cls, data: Any, keys: frozenset[str]) -> "Material":
        found: dict[str, list[str]] = {language: [] for language in LANGUAGES}
        for example in examples.read(data):
            found[example.language].append(example.text)
        for language in LANGUAGES:
            found[language] += [m.text for m in held_out(language) if m.half == "dev"]
        return cls(found, keys)


@dataclass
class Wanderer:
    """One customer, who writes over one or two channels; `told`: the conversation, for whoever looks into a fault."""

    stage: Stage
    customer: Customer
    material: Material
    owners: Mapping[str, Customer]  # whose a word is
    agent: Agent
    told: list[str] = field(default_factory=list)
    fault: str = ""  # what went wrong, with the conversation so far

    def __post_init__(self) -> None:
        self._chance = Random(f"wander {self.customer.seed}")
        self._people: list[Person] = []
        self._seen = 0  # of the inbox
        self._heard = 0  # of the outbox

    async def step(self) -> None:
        """Write once, and perhaps have an agent look."""
        await self._tried(self._step)

    async def leave(self) -> None:
        """From wherever this has led: "stop" leaves a form, and who asks for a person is handed over."""
        await self._tried(self._leave)
        for person in self._people:
            if isinstance(person, Visitor):
                await person.leave()

    async def _tried(self, deed: Callable[[], Awaitable[None]]) -> None:
        """Nothing more is done after a fault."""
        if self.fault:
            return
        try:
            await deed()
        except Exception as error:
            told = "\n".join(self.told)
            self.fault = f"conversation {self.customer.seed}: {type(error).__name__}: {error}\n{told}"

    async def _step(self) -> None:
        if not self._people:
            self._people = await self._by_chance()
        person = self._chance.choice(self._people)
        await self._turn(person)
        await self._agent(person)

    async def _leave(self) -> None:
        for person in self._people:
            await self._way_out(person)

    async def _by_chance(self) -> list[Person]:
        seed, language = self.customer.seed, self.customer.language
        network = f"10.{seed >> 16 & 255}.{seed >> 8 & 255}.{seed & 255}"
        token = logged_in(self.stage, self.customer.number) if self._chance.random() < 0.3 else None
        makers: list[Callable[[], Person]] = [
            lambda: Visitor(self.stage, token=token, locale=language, network=network),
            lambda: RestClient(self.stage, locale=language, network=network),
            lambda: Phone(self.stage, number=self._number()),
            lambda: Phone(self.stage, channel="whatsapp", number=self._number()),
            lambda: Telegrammer(self.stage, address=str(900_000 + seed)),
        ]
        first = seed % len(makers)
        chosen = [makers[first]]
        if self._chance.random() < 0.2:
            chosen.append(makers[(first + 1) % len(makers)])
        people = [make() for make in chosen]
        for person in people:
            if isinstance(person, Visitor):
                await person.arrive()
            self.told.append(f"({person.channel}, {language})")
        return people

    def _number(self) -> str:
        """The telephone number on file, or one that nobody has given us."""
        return self.customer.phone if self._chance.random() < 0.5 else f"+3169{self.customer.seed:07}"

    async def _turn(self, person: Person) -> None:
        form = await self._form(person)
        chance = self._chance.random()
        if chance < 0.22:
            shown = await self._buttons(person, old=self._chance.random() < 0.3)
            if shown:
                return await self._tap(person, self._chance.choice(shown))
        if chance < 0.24:
            return await self._say(person, "", "a-button-that-never-was")
        if chance < 0.36:
            return await self._say(person, self._chance.choice(HOSTILE))
        if form is not None and chance < 0.75:
            return await self._say(person, self._answer(form))
        language = self.customer.language if self._chance.random() < 0.8 else self._chance.choice(LANGUAGES)
        return await self._say(person, self._chance.choice(self.material.sentences[language]))

    def _answer(self, form: str) -> str:
        """What fits the form's question, more often than not."""
        mine = self.customer
        number = self._chance.choice([mine.number, *(debt.number for debt in mine.debts)])
        right = f"{number}, {mine.postcode}, {mine.house_number}"
        verifying = (right, right, right, number, mine.postcode, "2026-9999", "9999 ZZ")
        others = ("vrijdag", "le 30", "am Ersten", "50 euro", "alles", "de tweede", "2", "ja", "non", "31-12-2026",
                  "laat maar", "+31 6 12345678", "morgen om 10 uur", "mijn nieuwe adres is Dorpsstraat 1, 1234 AB Ede",
                  "robin@example.test", "ben je een robot?", "stop")  # fmt: skip
        return self._chance.choice(verifying if form == "verify_form" and self._chance.random() < 0.8 else others)

    async def _buttons(self, person: Person, *, old: bool) -> Sequence[Any]:
        found = await self._contact(person)
        if found is None:
            return ()
        rows = await self.stage.rows(button, button.c.conversation_id == found.conversation_id)
        if old or not rows:
            return rows
        order = {row.id: row.seq for row in await self._outbound(found)}
        newest = max((row.outbound_id for row in rows if row.outbound_id in order), key=order.__getitem__, default=None)
        return [row for row in rows if row.outbound_id == newest]

    async def _tap(self, person: Person, row: Any) -> None:
        self.told.append(f"> [{row.option['title']} {row.option['entities']}]")
        await self._say(person, "", row.id)

    async def _say(self, person: Person, text: str, button_id: str | None = None) -> None:
        if button_id is None:
            self.told.append(f"> {text[:80]!r}{'…' if len(text) > 80 else ''}")
        if person.channel in ("sms", "whatsapp", "telegram"):
            text = text.encode("utf-8", "replace").decode()  # what no such provider can bring
        await person.write(text, button_id)
        point = await self._contact(person)
        if point is not None:
            await self._settled(point)
            await self._check(await self._contact(person))

    # What holds after each turn

    async def _check(self, point: Any) -> None:
        turns = await self.stage.rows(inbound, inbound.c.contact_point_id == point.id, inbound.c.seq > self._seen)
        for turn in turns:
            self._seen = turn.seq
            said = await self.stage.rows(outbound, outbound.c.turn_id == turn.id)
            talk = await self.stage.one(conversation, conversation.c.id == turn.conversation_id)
            self.told.append(f"  {turn.intent} → {[row.key for row in said]} {talk.state} {talk.form or ''}")
            assert turn.state == TurnState.DONE, "the turn has no end"
            assert turn.outcome != TurnOutcome.APOLOGISED, "the bot could not answer"
            # Silence is deliberate where a person has the conversation, a provider has answered the keyword itself, or
            # somebody who was told goodbye as the wrong person says goodbye.
            if turn.outcome == TurnOutcome.ANSWERED:
                assert said, "no answer"
            elif turn.outcome == TurnOutcome.DESK:
                assert talk.state == ConversationState.OPEN, "silence, and nobody is called"
            else:
                keyword = {"opt_out", "opt_in"} & turn.flags.keys()
                goodbye = talk.reason == Reason.WRONG_PERSON and talk.agent_id is None and turn.intent in waiting.CURT
                assert keyword or goodbye, "silence without a reason"
            for row in said:
                assert row.state in (OutboundState.SENT, OutboundState.DELIVERED), f"{row.key} is {row.state}"
                self._readable(row)
        await self._discreet(point)

    def _readable(self, row: Any) -> None:
        assert row.rendered, f"{row.key} was not made"
        for part in row.rendered:
            shown = [part["text"], *(choice["title"] for choice in part["choices"])]
            assert all(text.strip() for text in shown), f"{row.key} shows nothing"
            if row.key.startswith(("answer.", "agent.")):
                continue  # in somebody else's words
            for text in shown:
                assert not _PLACEHOLDER.search(text), f"{row.key} shows a placeholder: {text}"
                assert not self.material.keys & set(_KEY.findall(text)), f"{row.key} shows a key: {text}"

    async def _discreet(self, point: Any) -> None:
        verified = contact_of(point).verified(self.stage.clock.now())
        rows = [row for row in await self._outbound(point) if row.seq > self._heard]
        self._heard = max([self._heard, *(row.seq for row in rows)])
        for row in rows:
            text = "\n".join(part["text"] for part in row.rendered or ())
            whose = {self.owners[word].seed for word in words(text) if word in self.owners}
            assert whose <= {self.customer.seed}, f"{row.key} tells of somebody else: {text}"
            if not verified:
                assert not whose, f"{row.key} tells an invoice or a name: {text}"
                assert "€" not in text or row.key.startswith("answer."), f"{row.key} tells an amount: {text}"
                # The day on which somebody is there again may be anybody's due date.
                if not row.key.startswith(("answer.", "handoff.")):
                    assert not any(day in text for day in self.customer.days), f"{row.key} tells a day: {text}"

    # A way out

    async def _way_out(self, person: Person) -> None:
        if await self._talk(person) is None:
            return
        if (await self._talk(person)).state == ConversationState.OPEN:
            return
        if await self._form(person):
            await self._say(person, "stop")
            assert await self._form(person) is None, "stop does not lead out of the form"
        if (await self._talk(person)).state == ConversationState.OPEN:
            return
        await self._say(person, HUMAN[self.customer.language])
        talk = await self._talk(person)
        assert (talk.state, talk.form) == (ConversationState.OPEN, None), "who asks for a person stays with the bot"

    async def _agent(self, person: Person) -> None:
        """Somebody at the desk, sooner or later: the conversation goes back to the bot, or is over."""
        talk = await self._talk(person)
        if talk is None or talk.state != ConversationState.OPEN or self._chance.random() < 0.3:
            return
        effen = self.stage.effen
        desk = Desking(effen.db, effen.clock, effen.wake, effen.outbox)
        await desk.take(talk.id, self.agent)
        if self._chance.random() < 0.7:
            await desk.hand_back(talk.id, self.agent)
        else:
            await desk.resolve(talk.id, self.agent)
        self.told.append("  (an agent has seen to it)")
        await self._settled(await self._contact(person))

    async def _settled(self, point: Any) -> None:
        """Until everything is done that this one writes and hears."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            async with self.stage.effen.db.read() as tx:
                if not await tx.scalar(_WAITING, {"point": point.id}):
                    return
            assert asyncio.get_running_loop().time() < deadline, "no answer in time"
            await asyncio.sleep(0.03)  # ten of these run at a time

    async def _contact(self, person: Person) -> Any:
        rows = await self.stage.rows(
            contact_point, contact_point.c.channel == person.channel, contact_point.c.address == person.address
        )
        return rows[0] if rows else None

    async def _outbound(self, point: Any) -> Sequence[Any]:
        return await self.stage.rows(outbound, outbound.c.contact_point_id == point.id)

    async def _talk(self, person: Person) -> Any:
        point = await self._contact(person)
        return None if point is None else await self.stage.one(conversation, conversation.c.id == point.conversation_id)

    async def _form(self, person: Person) -> str | None:
        talk = await self._talk(person)
        return None if talk is None else talk.form
