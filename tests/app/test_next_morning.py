"""What waits for the morning, or was tried for hours, is said only while it is still so."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.told import Told
from billing.claims import Claims
from billing.fees import FeeBook
from billing.links import Links
from billing.methods import TRANSFER
from billing.plans import Plans, offers
from billing.promises import Promises
from conversations.creditors import Creditors
from conversations.delivery import Delivery
from conversations.holds import holding
from conversations.making import Making
from conversations.outbox import Outbox
from core.creditor import Reminder
from core.errors import SendFailed
from core.ids import ConversationId, DebtorId, InvoiceId, LinkId
from core.lifecycle import LinkState
from core.money import Money
from locales import Renderer
from outreach.agreements import Agreements
from outreach.current import still_true
from outreach.debits import DebitNews
from outreach.quiet import may_approach
from outreach.reminders import Reminders
from store.database import Database
from store.tables.money import payment, payment_link, plan, promise
from store.tables.people import contact_point
from store.tables.talk import conversation, outbound
from store.wake import LocalWake
from tests.billing.house import BLOEM, House
from tests.clock import FakeClock
from tests.conversations.house import Wire

EVENING = datetime(2026, 11, 24, 18, 59, tzinfo=UTC)  # 19:59 in Amsterdam
TALK = ConversationId("t1")
SHOP = BLOEM.model_copy(update={"reminders": [Reminder(name="early", days=-3, channels=["sms"])]})


class Evening:
    """A debtor with an invoice of 50 euros, and what there is to say about it."""

    def __init__(self, house: House, wire: Wire) -> None:
        self.house, self.wire, self.wake = house, wire, LocalWake()
        db, clock = house.database, house.clock
        self.creditors, self.outbox, self.links = Creditors(db), Outbox(db, clock, self.wake), Links(db, clock)
        self.promises, self.plans = Promises(db, clock, holding), Plans(db, clock, holding)
        self.claims = Claims(db, clock)
        fees = FeeBook(db, clock, house.invoices, holding)
        self.agreements = Agreements(
            db, clock, self.creditors, self.outbox, self.promises, self.plans, fees, self.links, self.claims
        )
        making = Making(self.creditors, Renderer(), {"sms": wire}, "https://x.test", may_approach, still_true)
        self.delivery = Delivery(db, clock, self.wake, making, {"sms": wire})
        self.who, self.key = DebtorId(""), InvoiceId("")

    async def furnish(self) -> None:
        now = self.house.clock.now()
        await self.house.creditor(SHOP)
        self.who = await self.house.debtor("K1")
        self.key = await self.house.invoice(self.who, "F1", 5000, due=date(2026, 11, 27))
        common = {"creditor_id": "bloem", "created_at": now, "debtor_id": self.who}
        async with self.house.database.begin() as tx:
            talk = {"id": TALK, "state": "pending", "dialogue": "d1", "contact_point_id": "c1", "updated_at": now}
            await tx.execute(insert(conversation).values(**talk, **common))
            point = {"id": "c1", "channel": "sms", "address": "+31600000001", "conversation_id": TALK}
            moments = {"last_inbound_at": now, "verified_until": now + timedelta(days=9)}
            await tx.execute(insert(contact_point).values(**point, **moments, **common))

    # What there is to say.

    async def reminder(self) -> None:
        await Reminders(self.house.database, self.house.clock, self.creditors, self.outbox).run()

    async def debit(self) -> None:
        news = DebitNews(self.house.database, self.house.clock, self.wake, self.creditors, self.outbox, self.links)
        told = {"invoice_id": self.key, "amount": 5000, "currency": "EUR", "reason": "AM04", "iban_end": None}
        await news.failed(told | {"creditor_id": "bloem", "debtor_id": self.who, "cause": "debit"})

    async def returned(self) -> None:
        paid = await self._payment(5000, "mollie")
        told = Told(self.house.database, self.house.clock, self.outbox, self.house.invoices)
        await told.returned({"payment_id": paid, "kind": "chargeback", "minor": 5000, "cause": "chargeback:1"})

    async def part_left(self) -> None:
        paid = await self._payment(1000, TRANSFER)
        await self.house.paid_elsewhere(self.key, 1000, "transfer")
        told = Told(self.house.database, self.house.clock, self.outbox, self.house.invoices)
        await told.booked({"payment_id": paid})

    async def instalment(self) -> None:
        table = offers(Money(5000), SHOP, date(2026, 11, 24))[0]
        made = await self.plans.agree(TALK, self.who, [self.key], table, key="plan", creditor=SHOP)
        await self.agreements.instalment_due({"plan_id": made.id, "number": 1})

    async def missed(self) -> None:
        made = await self.promises.make(TALK, self.who, [self.key], date(2026, 11, 25), key="promise", creditor=SHOP)
        async with self.house.database.begin() as tx:
            await tx.execute(update(promise).values(state="broken", ended_at=self.house.clock.now()))
        await self.agreements.promise_broken({"promise_id": made.id})

    # What may happen until the morning.

    async def nothing(self) -> None: ...

    async def pays(self) -> None:
        await self.house.paid_elsewhere(self.key, await self.house.open(self.key), "paid")

    async def pays_a_part(self) -> None:
        await self.house.paid_elsewhere(self.key, 100, "part")

    async def promises_it(self) -> None:
        day = date(2026, 11, 27)
        await self.promises.make(TALK, self.who, [self.key], day, key="promise-2", creditor=SHOP)

    async def says_it_is_paid(self) -> None:
        await self.claims.make(
            TALK, self.who, [self.key], paid_on=None, amount=None, account_end=None, key="claim", creditor=SHOP
        )

    async def link_is_revoked(self) -> None:
        async with self.house.database.begin() as tx:
            await tx.execute(update(payment_link).values(state=LinkState.REVOKED))

    async def plan_is_ended(self) -> None:
        async with self.house.database.begin() as tx:
            await tx.execute(update(plan).values(state="ended", ended_at=self.house.clock.now()))

    async def promise_was_kept(self) -> None:
        async with self.house.database.begin() as tx:
            await tx.execute(update(promise).values(state="kept"))

    async def deliver(self) -> None:
        while await self.delivery.run_one():
            pass

    async def said(self) -> Mapping[str, tuple[str, str | None]]:
        async with self.house.database.read() as tx:
            return {row.key: (row.state, row.error) for row in await tx.execute(select(outbound))}

    async def _payment(self, minor: int, provider: str) -> str:
        link: LinkId = (await self.house.link(self.who, [self.key])).id
        row = {"id": "p1", "link_id": link, "provider": provider, "cause": "x", "currency": "EUR", "amount": minor}
        async with self.house.database.begin() as tx:
            at = self.house.clock.now()
            # Left open, so that the link's own sum is not thought to have been collected.
            await tx.execute(insert(payment).values(**row, creditor_id="bloem", created_at=at, status="open"))
        return "p1"


NEWS = {
    "reminder.upcoming": Evening.reminder,
    "debit.failed": Evening.debit,
    "payment.returned": Evening.returned,
    "payment.part_left": Evening.part_left,
    "plan.instalment_due": Evening.instalment,
    "promise.missed": Evening.missed,
}
EVERY = frozenset(NEWS)
SUPERSEDES: list[Any] = [
    pytest.param(Evening.nothing, EVERY, frozenset(), id="nothing"),
    pytest.param(Evening.pays, EVERY, EVERY, id="it is paid"),
    pytest.param(Evening.pays_a_part, EVERY, EVERY - {"promise.missed"}, id="a part is paid: another sum is open"),
    pytest.param(
        Evening.promises_it,
        EVERY - {"plan.instalment_due"},
        {"reminder.upcoming", "debit.failed", "promise.missed"},
        id="it is promised",
    ),
    pytest.param(
        Evening.says_it_is_paid,
        EVERY,
        {"reminder.upcoming", "debit.failed", "promise.missed"},
        id="the person says that it is paid",
    ),
    pytest.param(Evening.link_is_revoked, {"debit.failed", "plan.instalment_due"}, EVERY, id="the link is revoked"),
    pytest.param(Evening.plan_is_ended, {"plan.instalment_due"}, EVERY, id="the plan is ended"),
    pytest.param(Evening.promise_was_kept, {"promise.missed"}, EVERY, id="the promise was kept after all"),
]


@pytest.mark.parametrize(
    ("meanwhile", "key", "superseded"),
    [
        pytest.param(case.values[0], key, key in case.values[2], id=f"{case.id}: {key}")
        for case in SUPERSEDES
        for key in sorted(case.values[1])
    ],
)
@pytest.mark.parametrize("why", ["quiet hours", "retries"])
async def test_what_is_said_first_is_said_while_it_is_so(
    database: Database, clock: FakeClock, meanwhile: Any, key: str, superseded: bool, why: str
) -> None:
    clock.set(EVENING if why == "quiet hours" else EVENING - timedelta(hours=6))
    evening = Evening(House.of(database, clock), Wire())
    await evening.furnish()
    await NEWS[key](evening)
    assert key in await evening.said()
    if why == "quiet hours":
        clock.advance(minutes=31)
    else:
        evening.wire.failures = [SendFailed("busy", retryable=True) for _ in range(9)]
    await evening.deliver()
    assert (await evening.said())[key][0] == "queued"
    evening.wire.failures.clear()
    await meanwhile(evening)
    clock.advance(hours=11 if why == "quiet hours" else 2)
    await evening.deliver()
    assert (await evening.said())[key] == (("withheld", "superseded") if superseded else ("sent", None))
