"""What is measured: each scenario is some conversations of ten turns, by one sender or by several at once."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import aiohttp

from bench import ours, words
from bench.people import Messages, Person, answered, buttons, offers, tells
from bench.served import Served
from bench.timing import Round

# A conversation's length: what a person writes before it is somebody else's turn.
LENGTH = 10
_BALANCE, _PAY, _ALL = 0, 1, 0  # the places of these buttons
# Which of a customer's two invoices are to be paid, in words that are read by the form.
_BOTH = "allebei"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` one conversation, untimed; then `go` through LENGTH turns of it."""

    name: str
    prepare: Callable[[], Awaitable["Talk"]]
    go: Callable[["Talk", Round], Awaitable[None]]


@dataclass(slots=True)
class Talk:
    person: Person
    shown: Messages = ()


async def run(scenario: Scenario, senders: int, turns: int, processes: Sequence[Served] = ()) -> Round:
    """One round, and what `processes` spent on it.

    Conversations are prepared first; then each sender goes through its own, one after the other.
    """
    each = max(1, turns // LENGTH // senders)
    talks = [[await scenario.prepare() for _ in range(each)] for _ in range(senders)]
    result = Round()

    async def sender(own: list[Talk]) -> None:
        for talk in own:
            await scenario.go(talk, result)

    spent, began = sum(one.cpu() for one in processes), perf_counter()
    await asyncio.gather(*(sender(own) for own in talks))
    result.wall = perf_counter() - began
    result.cpu = sum(one.cpu() for one in processes) - spent
    return result


def of_stock(http: aiohttp.ClientSession, url: str) -> Scenario:
    async def prepare() -> Talk:
        return Talk(Person(http, url))

    async def go(talk: Talk, into: Round) -> None:
        for _ in range(LENGTH):
            await talk.person.say(into, "hello", answered)

    return Scenario("greeting, typed: “hello”", prepare, go)


def of_ours(http: aiohttp.ClientSession, url: str, customers: int) -> list[Scenario]:
    numbers = itertools.cycle(range(customers))
    greetings, questions, wishes = words.greetings(), words.balance_questions(), words.payment_wishes()

    async def stranger() -> Talk:
        return Talk(Person(http, url))

    async def verified() -> Talk:
        """Somebody who is logged in at the shop, and has been greeted."""
        person = Person(http, url, ours.token(ours.customer(next(numbers))))
        return Talk(person, await person.quietly("hallo"))

    async def asked() -> Talk:
        talk = await verified()
        talk.shown = await talk.person.quietly(buttons(talk.shown)[_BALANCE])
        return talk

    async def hello(talk: Talk, into: Round) -> None:
        for _ in range(LENGTH):
            await talk.person.say(into, "hello", offers(3))

    async def balance_by_button(talk: Talk, into: Round) -> None:
        for _ in range(LENGTH):
            await talk.person.say(into, buttons(talk.shown)[_BALANCE], tells("31"))

    async def pay_by_words(talk: Talk, into: Round) -> None:
        for _ in range(LENGTH // 2):
            await talk.person.say(into, next(wishes), offers(3))
            await talk.person.say(into, _BOTH, tells("/p/"))

    async def pay_by_button(talk: Talk, into: Round) -> None:
        for _ in range(LENGTH // 2):
            choice = await talk.person.say(into, buttons(talk.shown)[_PAY], offers(3))
            await talk.person.say(into, (buttons(choice) or [_BOTH])[_ALL], tells("/p/"))

    return [
        Scenario("greeting, typed: “hello”", stranger, hello),
        Scenario("greeting, typed, each in other words", stranger, _typed(greetings, offers(3))),
        Scenario("balance, typed, each in other words", verified, _typed(questions, tells("31"))),
        Scenario("balance, by button", verified, balance_by_button),
        Scenario("payment (which one, link), typed", verified, pay_by_words),
        Scenario("payment (which one, link), by button", verified, pay_by_button),
    ]


def _typed(texts: Iterator[str], expected: Callable[[Messages], bool]) -> Callable[[Talk, Round], Awaitable[None]]:
    async def go(talk: Talk, into: Round) -> None:
        for _ in range(LENGTH):
            await talk.person.say(into, next(texts), expected)

    return go
