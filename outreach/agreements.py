"""What becomes of promises, plans and claims to have paid: looked at in daytime, told where they were made."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.charges import agreed_open
from billing.claims import Claims
from billing.fees import FeeBook
from billing.links import Links
from billing.plans import Plans
from billing.promises import Promises
from conversations import window
from conversations.contacts import ContactPoint, contact_of, keeps_reach
from conversations.creditors import Creditors
from conversations.handoff import wait_for_person
from conversations.outbox import Outbox
from core.clock import Clock
from core.errors import BadInput
from core.hold import Reason
from core.ids import ContactPointId, ConversationId, DebtorId, InvoiceId
from core.lifecycle import ClaimState, PlanState
from core.message import Option, Say
from core.money import Money
from core.pictures import PICTURE_CHANNELS
from outreach.quiet import may_approach
from store.database import Database
from store.tables.money import claim, instalment, plan, posting, promise
from store.tables.people import contact_point
from store.tables.talk import conversation

log = structlog.get_logger(__name__)

# What an agent sees to, by the first part of the message that could not go out.
_WISHES = {"promise": "pay_later", "plan": "request_payment_plan", "claim": "already_paid"}
_HUMAN = Option("option.human", "human")


class Agreements:
    """`run` is the scheduler's; the other methods are subscribers, and say a thing once, by its cause."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        creditors: Creditors,
        outbox: Outbox,
        promises: Promises,
        plans: Plans,
        fees: FeeBook,
        links: Links,
        claims: Claims,
    ) -> None:
        self._db = db
        self._clock = clock
        self._creditors = creditors
        self._outbox = outbox
        self._promises = promises
        self._plans = plans
        self._fees = fees
        self._links = links
        self._claims = claims

    async def run(self) -> None:
        """See what was kept and what was broken, and charge what letters allow; never in quiet hours.

        Whatever one creditor's books bring up, the others are looked at.
        """
        for creditor in await self._creditors.all():
            if may_approach(creditor, self._clock.now()):
                for look in (self._promises.run_due, self._plans.run_due, self._claims.run_due, self._fees.run):
                    try:
                        await look(creditor)
                    except Exception as error:
                        log.exception("agreements.not_looked_at", creditor=creditor.key, error=type(error).__name__)

    async def promise_broken(self, payload: Mapping[str, Any]) -> None:
        """The day has passed: ask what goes, without a reproach."""
        async with self._db.begin() as tx:
            row = (await tx.execute(select(promise).where(promise.c.id == payload["promise_id"]))).one()
            if await agreed_open(tx, [InvoiceId(key) for key in row.invoices], row.created_at) <= 0:  # paid meanwhile
                return
            say = Say(
                "promise.missed",
                {"day": {"date": row.until.isoformat()}},
                [Option("option.pay", "pay"), Option("option.request_payment_plan", "request_payment_plan"), _HUMAN],
            )
            await self._tell(tx, row, say, f"promise:{row.id}:missed")
        self._outbox.wake()

    async def instalment_due(self, payload: Mapping[str, Any]) -> None:
        """A link for the instalment, some days before it."""
        await self._instalment(payload, "plan.instalment_due")

    async def instalment_missed(self, payload: Mapping[str, Any]) -> None:
        """The same, some days after it."""
        await self._instalment(payload, "plan.instalment_missed")

    async def plan_arranged(self, payload: Mapping[str, Any]) -> None:
        """An agent has agreed on it: its table, as the bot says it."""
        async with self._db.begin() as tx:
            row = (await tx.execute(select(plan).where(plan.c.id == payload["plan_id"]))).one()
            parts = select(instalment).where(instalment.c.plan_id == row.id).order_by(instalment.c.number)
            rows = [
                {"due": {"date": part.due_on.isoformat()}, "amount": {"money": [part.amount, row.currency]}}
                for part in await tx.execute(parts)
            ]
            table = {"rows": rows, "key": "plan.row"}
            stops = (await self._creditors.get(row.creditor_id)).plans.stops_costs
            said = {"rows": table, "total": {"money": [row.total, row.currency]}}
            key = "plan.agreed" if stops else "plan.agreed_costs"
            if not await keeps_reach(tx, await _home(tx, row), self._clock.now()):
                key = f"{key}_web"
            say = Say(key, said)
            await self._tell(tx, row, say, f"plan:{row.id}:arranged")
        self._outbox.wake()

    async def plan_broken(self, payload: Mapping[str, Any]) -> None:
        """A person takes it over, and the debtor is told so."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            row = (await tx.execute(select(plan).where(plan.c.id == payload["plan_id"]))).one()
            home = await _home(tx, row)
            await wait_for_person(tx, home, Reason.REQUEST, now, {"wish": "request_payment_plan", "plan": "broken"})
            # It may have gone on in between.
            again = f":{row.resumed_at.isoformat()}" if row.resumed_at else ""
            await self._tell(tx, row, Say("plan.broken"), f"plan:{row.id}:broken{again}")
        self._outbox.wake()

    async def plan_resumed(self, payload: Mapping[str, Any]) -> None:
        """It was taken for broken, and had been paid in time: say that it goes on."""
        async with self._db.begin() as tx:
            row = (await tx.execute(select(plan).where(plan.c.id == payload["plan_id"]))).one()
            if row.state != PlanState.AGREED:  # ended meanwhile
                return
            await self._tell(tx, row, Say("plan.resumed"), f"plan:{row.id}:resumed:{row.resumed_at.isoformat()}")
        self._outbox.wake()

    async def claim_lapsed(self, payload: Mapping[str, Any]) -> None:
        """Its days are over and no money was found: ask for the proof, once, without a doubt in the person."""
        async with self._db.begin() as tx:
            row = (await tx.execute(select(claim).where(claim.c.id == payload["claim_id"]))).one()
            if row.state != ClaimState.LAPSED:  # found meanwhile
                return
            day = row.paid_on or row.created_at.date()
            say = Say("claim.lapsed", {"day": {"date": day.isoformat()}}, [_HUMAN])
            await self._tell(tx, row, say, f"claim:{row.id}:lapsed")
        self._outbox.wake()

    async def booked(self, payload: Mapping[str, Any]) -> None:
        """What somebody said to have paid, or had agreed to, may be this money; it is thanked for as ever."""
        query = select(posting.c.debtor_id).where(posting.c.booking_id == payload["booking_id"]).distinct()
        async with self._db.read() as tx:
            paid = list(await tx.scalars(query.where(posting.c.debtor_id.is_not(None))))
        for debtor in paid:
            await self._claims.settle(DebtorId(debtor))
            await self._promises.mend(DebtorId(debtor))
            await self._plans.mend(DebtorId(debtor))

    async def _instalment(self, payload: Mapping[str, Any], key: str) -> None:
        async with self._db.read() as tx:
            row = (await tx.execute(select(plan).where(plan.c.id == payload["plan_id"]))).one()
            parts = (await tx.execute(select(instalment).where(instalment.c.plan_id == row.id))).all()
            owed = await agreed_open(tx, [InvoiceId(each) for each in row.invoices], row.created_at)
            home = await _home(tx, row)
        reached = sum(part.amount for part in parts if part.number <= payload["number"])
        due: date = next(part.due_on for part in parts if part.number == payload["number"])
        missing = Money(reached - (row.total - owed), row.currency)
        if missing.minor <= 0:  # paid meanwhile
            return
        cause = f"{key}:{row.id}:{payload['number']}"
        try:
            link = await self._links.issue(
                home,
                DebtorId(row.debtor_id),
                [InvoiceId(each) for each in row.invoices],
                key=cause,
                creditor=await self._creditors.get(row.creditor_id),
                amount=missing,
            )
        except BadInput:  # settled at this very moment
            return
        args = {"amount": {"money": missing.as_json()}, "due": {"date": due.isoformat()}, "link": {"link": link.id}}
        async with self._db.begin() as tx:
            await self._tell(tx, row, Say(key, args), cause)
        self._outbox.wake()

    async def _tell(self, tx: AsyncConnection, row: Row[Any], say: Say, cause: str) -> None:
        """To where the person last wrote from, else to another address that is verified and takes it now.

        Where only WhatsApp's closed window is in the way, an agent sees to it. Delivery looks at holds and quiet hours.
        """
        now = self._clock.now()
        home = await _home(tx, row)
        points = await _reachable(tx, home, now)
        if not points:
            log.info("agreement.unreachable", conversation=home, key=say.key)
            return
        creditor = await self._creditors.get(row.creditor_id)
        open_now = [point for point in points if window.takes(say.key, point, creditor, now)]
        if not open_now:
            summary = {"wish": _WISHES[say.key.partition(".")[0]], "unreached": points[0].channel}
            await wait_for_person(tx, home, Reason.REQUEST, now, summary)
            return
        if say.key == "claim.lapsed" and open_now[0].channel not in PICTURE_CHANNELS:
            say = replace(say, key="claim.lapsed_no_picture")
        await self._outbox.put(tx, home, say, cause=cause, author="bot", proactive=True, contact=open_now[0].id)


async def _home(tx: AsyncConnection, row: Row[Any]) -> ConversationId:
    """The conversation of the agreement; where that was merged into another, the other."""
    home = ConversationId(row.conversation_id)
    while merged := await tx.scalar(select(conversation.c.merged_into).where(conversation.c.id == home)):
        home = ConversationId(merged)
    return home


async def _reachable(tx: AsyncConnection, home: ConversationId, now: datetime) -> list[ContactPoint]:
    """The conversation's addresses that are verified and have not opted out: the one last written from comes first."""
    last: ContactPointId | None = await tx.scalar(
        select(conversation.c.contact_point_id).where(conversation.c.id == home)
    )
    rows = await tx.execute(
        select(contact_point)
        .where(contact_point.c.conversation_id == home, contact_point.c.opted_out_at.is_(None))
        .order_by(contact_point.c.last_inbound_at.desc(), contact_point.c.id)
    )
    points = [point for point in map(contact_of, rows) if point.verified(now)]
    return sorted(points, key=lambda point: point.id != last)
