"""Direct debits that failed and that nobody could be told of: somebody writes or calls, or knows at least."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from sqlalchemy import exists, func, literal, select

from billing.debits import Why, why
from billing.ledger import OWED
from core.agent import Agent, NotAllowed, Right
from core.clock import Clock
from core.ids import ConversationId
from core.lifecycle import OutboundState
from core.money import Money
from desk.entry import Page
from desk.guard import Guard
from desk.sessions import Session
from store.database import Database
from store.tables.money import direct_debit, invoice, posting
from store.tables.people import debtor
from store.tables.talk import conversation, outbound

LONGEST = 100
_SHOWN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Untold:
    id: str
    at: datetime
    name: str  # the debtor's
    number: str  # of the customer
    invoice: str
    amount: Money
    why: Why
    talk: ConversationId | None


class DebitPages:
    def __init__(self, db: Database, clock: Clock, guard: Guard, page: Page) -> None:
        self._db = db
        self._clock = clock
        self._guard = guard
        self._page = page

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/desk/debits", self._guard.private(self._list))]

    async def _list(self, request: web.Request, session: Session) -> web.Response:
        debits = await self.untold(session.agent)
        return await self._page(request, session, "debits.html", debits=debits, longest=LONGEST)

    async def untold(self, agent: Agent) -> list[Untold]:
        """Of the last days, while their invoice is open, the newest first. Raises NotAllowed."""
        if not agent.may(Right.BOOK):
            raise NotAllowed("book")
        told = exists().where(
            outbound.c.cause == literal("debit:").concat(direct_debit.c.id),
            outbound.c.state.not_in([OutboundState.FAILED, OutboundState.WITHHELD]),
        )
        owed = (
            select(func.coalesce(func.sum(posting.c.minor), 0))
            .where(posting.c.invoice_id == direct_debit.c.invoice_id, posting.c.account.in_(OWED))
            .scalar_subquery()
        )
        query = (
            select(
                direct_debit, debtor.c.name, debtor.c.customer_number, invoice.c.number, conversation.c.id.label("talk")
            )
            .join(debtor, debtor.c.id == direct_debit.c.debtor_id)
            .join(invoice, invoice.c.id == direct_debit.c.invoice_id)
            .outerjoin(conversation, conversation.c.debtor_id == direct_debit.c.debtor_id)
            .where(
                direct_debit.c.creditor_id == agent.creditor,
                direct_debit.c.at > self._clock.now() - _SHOWN,
                ~told,
                owed > 0,
            )
            .order_by(direct_debit.c.at.desc(), direct_debit.c.id)
            .limit(LONGEST)
        )
        async with self._db.read() as tx:
            rows = (await tx.execute(query)).all()
        return [
            Untold(
                id=row.id,
                at=row.at,
                name=row.name,
                number=row.customer_number,
                invoice=row.number,
                amount=Money(row.amount, row.currency),
                why=why(row.reason),
                talk=row.talk,
            )
            for row in rows
        ]
