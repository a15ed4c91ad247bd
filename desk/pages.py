"""The desk's pages: the queue, a conversation, and what an agent does there. They work without JavaScript."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from billing.claims import Claims
from billing.fees import FeeBook
from billing.ibans import IbanChanges
from billing.invoice_events import InvoiceEvents
from billing.invoices import Invoices
from billing.issued_links import IssuedLinks
from billing.links import Links
from billing.page import choose
from billing.plans import Plans
from billing.promises import Promises
from billing.refunds import Refunds
from billing.risk import LONGEST_NOTE, Risks
from billing.risk import Standing as RiskStanding
from billing.shop.unheard import Unheard
from billing.statements.deciding import Deciding
from billing.statements.statements import Statements
from conversations.creditors import Creditors
from conversations.desking import Desking, NotYours, SentBefore, Taken, Unreachable, WindowClosed
from conversations.training import Training
from core.agent import NotAllowed, Right
from core.clock import Clock
from core.errors import BadInput, Conflict, NotFound
from core.ids import AgentId, ConversationId, DebtorId, InvoiceId, LinkId, new_id
from core.message import MAX_TEXT, Locale
from core.texts import Texts
from desk.accounts import Accounts
from desk.agreements import AgreementPages
from desk.debits import DebitPages
from desk.entry import Entry
from desk.guard import LIVE, Guard
from desk.live import DeskNamespace
from desk.payments import PaymentPages
from desk.queue import LONGEST as LONGEST_QUEUE
from desk.queue import Queue, Tab
from desk.refunds import RefundPages
from desk.reports import ReportPages
from desk.sessions import Session, Sessions
from desk.training import TrainingPages
from desk.transcript import LONGEST as LONGEST_TALK
from desk.transcript import Transcripts
from desk.view import View
from store.database import Database

log = structlog.get_logger(__name__)

_STATIC = Path(__file__).parent / "static"
_STATIC_FILES = frozenset({"desk.css", "desk.js", "desk.svg"})
_NOTICES = frozenset({"logged_out", "resolved", "handed_back", "taken", "written", "lifted", "password", "risk"})
_NOTICES |= {"payment_booked", "payment_aside", "webhook_again", "link_revoked", "plan", "plan_ended"}
_NOTICES |= {"refund", "refund_refused"}


@dataclass(frozen=True, slots=True)
class Services:
    """What the desk works with; app makes it."""

    db: Database
    clock: Clock
    accounts: Accounts
    desking: Desking
    creditors: Creditors
    invoices: Invoices
    invoice_events: InvoiceEvents
    claims: Claims
    ibans: IbanChanges
    fees: FeeBook
    promises: Promises
    plans: Plans
    risks: Risks
    links: Links
    issued_links: IssuedLinks
    refunds: Refunds
    statements: Statements
    deciding: Deciding
    unheard: Unheard
    texts: Texts
    public_url: str


class Desk:
    """The desk's routes and its socket namespace, over the same guard."""

    def __init__(self, services: Services) -> None:
        self._s = services
        self._sessions = Sessions(services.db, services.clock)
        self._queue = Queue(services.db, services.clock)
        self._transcripts = Transcripts(services.db, services.clock)
        self._view = View(services.texts)
        self._guard = Guard(self._sessions, services.public_url, self._refuse, self._fault)
        self._entry = Entry(services.accounts, self._sessions, self._guard, self._page)
        self._training = TrainingPages(Training(services.db, services.clock), self._guard, self._page)
        self._reports = ReportPages(
            services.db, services.clock, services.creditors, services.unheard, self._guard, self._page
        )
        self._payments = PaymentPages(services.statements, services.deciding, self._guard, self._page)
        self._debits = DebitPages(services.db, services.clock, self._guard, self._page)
        self._agreements = AgreementPages(
            services.promises,
            services.plans,
            services.invoices,
            services.creditors,
            self._transcripts,
            self._guard,
            self._refuse,
            self._wrong,
            services.clock,
        )
        self._refunds = RefundPages(services.refunds, self._transcripts, self._guard, self._refuse, self._wrong)
        self.namespace = DeskNamespace(services.db, self._transcripts, self._guard)

    def routes(self) -> list[web.RouteDef]:
        private = self._guard.private
        return [
            *self._entry.routes(),
            *self._training.routes(),
            *self._payments.routes(),
            *self._debits.routes(),
            *self._agreements.routes(),
            *self._refunds.routes(),
            *self._reports.routes(),
            web.get("/desk/static/{name}", self._guard.public(self._static)),
            web.get("/desk", private(self._queue_page)),
            web.get("/desk/c/{id}", private(self._talk_page)),
            web.post("/desk/c/{id}/take", private(self._take)),
            web.post("/desk/c/{id}/write", private(self._write)),
            web.post("/desk/c/{id}/hand-back", private(self._hand_back)),
            web.post("/desk/c/{id}/resolve", private(self._resolve)),
            web.post("/desk/c/{id}/risk", private(self._risk)),
            web.post("/desk/c/{id}/links/{link}/revoke", private(self._revoke_link)),
            web.get("/desk/c/{id}/proofs/{proof}", private(self._proof)),
            web.get("/desk/c/{id}/pictures/{picture}", private(self._picture)),
            web.post("/desk/holds/{id}/lift", private(self._lift)),
        ]

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in _STATIC_FILES:
            raise web.HTTPNotFound
        return web.FileResponse(_STATIC / name, headers={"Cache-Control": "no-cache"})

    # The queue and a conversation

    async def _queue_page(self, request: web.Request, session: Session) -> web.Response:
        if not session.agent.may(Right.TALK):
            return await self._page(request, session, "nothing.html")
        asked = request.query.get("tab", "")
        tab = Tab(asked) if asked in {*Tab} else Tab.OPEN
        rows = await self._queue.rows(session.agent, tab)
        counts = await self._queue.counts(session.agent)
        return await self._page(
            request,
            session,
            "queue.html",
            tab=tab,
            tabs=list(Tab),
            rows=rows,
            counts=counts,
            full=len(rows) >= LONGEST_QUEUE,
            longest=LONGEST_QUEUE,
            done=request.query.get("c"),
        )

    async def _talk_page(self, request: web.Request, session: Session) -> web.Response:
        return await self._talk(request, session, _conversation(request))

    async def _talk(
        self,
        request: web.Request,
        session: Session,
        conversation_id: ConversationId,
        status: int = 200,
        error: str | None = None,
        draft: str = "",
    ) -> web.Response:
        talk = await self._transcripts.of(conversation_id, session.agent)
        if talk.merged_into is not None:
            raise web.HTTPSeeOther(f"/desk/c/{talk.merged_into}")
        if request.method == "GET" and not _live(request):
            await self._transcripts.opened(conversation_id, session.agent)
        open_invoices = await self._s.invoices.open_of(talk.customer.id) if talk.customer else []
        history = await self._s.invoice_events.of(talk.customer.id) if talk.customer else []
        claims = await self._s.claims.of(talk.customer.id) if talk.customer else []
        return await self._page(
            request,
            session,
            "talk.html",
            status,
            talk=talk,
            invoices=open_invoices,
            too_old=await self._too_old(talk.customer.id, session) if talk.customer else set(),
            credit=await self._s.invoices.credit_of(talk.customer.id) if talk.customer else None,
            history=history,
            claims=claims,
            links=await self._s.issued_links.of(talk.customer.id) if talk.customer else [],
            risk=await self._risk_of(talk.customer.id, session) if talk.customer else None,
            **await self._agreements.of(talk),
            ibans=await self._s.ibans.of(talk.customer.id) if talk.customer else [],
            mine=talk.state == "open" and talk.agent_id == session.agent.id,
            relieves=session.agent.may(Right.RELIEVE),
            refunds=session.agent.may(Right.REFUND),
            key=new_id(),
            draft=draft,
            error=error,
            longest=MAX_TEXT,
            longest_talk=LONGEST_TALK,
        )

    async def _wrong(
        self, request: web.Request, session: Session, conversation_id: ConversationId, key: str, **args: object
    ) -> web.Response:
        """The conversation, with what is wrong with a form."""
        error = self._view.speak(self._locale(request))(key, **args)
        return await self._talk(request, session, conversation_id, 400, error)

    async def _risk_of(self, debtor: DebtorId, session: Session) -> RiskStanding:
        return await self._s.risks.of(await self._s.creditors.get(session.agent.creditor), debtor)

    async def _too_old(self, debtor: DebtorId, session: Session) -> set[InvoiceId]:
        """The invoices on which no costs can be reckoned."""
        found = await self._s.fees.explain(debtor, await self._s.creditors.get(session.agent.creditor))
        return {each.invoice.id for each in found if each.refusal == "too_old"}

    async def _risk(self, request: web.Request, session: Session) -> web.Response:
        """Decide a class with a reason, or take a decision back."""
        form = await request.post()
        conversation_id, name = _conversation(request), str(form.get("class", ""))
        talk = await self._transcripts.of(conversation_id, session.agent)
        if talk.customer is None or name not in ("low", "medium", "high", "none", "rules"):
            return await self._refuse(request, session, 400, "desk.error.confirm")
        if name == "rules":
            await self._s.risks.withdraw(talk.customer.id, session.agent)
        else:
            note = str(form.get("note", ""))
            if not note.strip() or len(note) > LONGEST_NOTE:
                return await self._wrong(request, session, conversation_id, "desk.risk.reason_missing")
            await self._s.risks.override(talk.customer.id, session.agent, None if name == "none" else name, note)
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=risk")

    async def _revoke_link(self, request: web.Request, session: Session) -> web.Response:
        """Take back a payment link of this conversation's customer."""
        if (await request.post()).get("confirm") != "yes":
            return await self._refuse(request, session, 400, "desk.error.confirm")
        conversation_id = _conversation(request)
        talk = await self._transcripts.of(conversation_id, session.agent)
        if talk.customer is None:
            raise NotFound("nobody is known here")
        await self._s.links.revoke(LinkId(request.match_info["link"]), talk.customer.id, session.agent)
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=link_revoked")

    async def _proof(self, request: web.Request, session: Session) -> web.Response:
        """A picture that the customer of this conversation has sent; nothing in it runs, and nobody else's is shown."""
        conversation_id, key = _conversation(request), request.match_info["proof"]
        talk = await self._transcripts.of(conversation_id, session.agent)
        whose, media_type, content = await self._s.claims.picture(key)
        if talk.customer is None or talk.customer.id != whose:
            raise NotFound("there is no such picture")
        return await self._shown(key, session, media_type, content)

    async def _picture(self, request: web.Request, session: Session) -> web.Response:
        """A picture that came with a message of this conversation."""
        conversation_id, key = _conversation(request), request.match_info["picture"]
        media_type, content = await self._transcripts.picture(conversation_id, key, session.agent)
        return await self._shown(key, session, media_type, content)

    async def _shown(self, key: str, session: Session, media_type: str, content: bytes) -> web.Response:
        await self._transcripts.looked(key, session.agent)
        headers = {"Content-Disposition": "inline", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.Response(body=content, content_type=media_type, headers=headers)

    # What an agent does

    async def _take(self, request: web.Request, session: Session) -> web.Response:
        relieved = str((await request.post()).get("from", ""))
        conversation_id = _conversation(request)
        await self._s.desking.take(conversation_id, session.agent, AgentId(relieved) if relieved else None)
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=taken")

    async def _write(self, request: web.Request, session: Session) -> web.Response:
        form = await request.post()
        conversation_id, text, key = _conversation(request), str(form.get("text", "")), str(form.get("key", ""))
        t = self._view.speak(self._locale(request))
        try:
            if not re.fullmatch(r"[0-9a-f]{32}", key):
                raise BadInput("a message needs the key of its form")
            await self._s.desking.write(conversation_id, session.agent, text, key)
        except (BadInput, Conflict) as refusal:
            error = _why(refusal, t) if text.strip() else t("desk.error.empty")
            status = 409 if isinstance(refusal, Conflict) else 400
            if _wants_json(request):
                fresh = new_id() if isinstance(refusal, SentBefore) else key
                return web.json_response({"error": error, "key": fresh}, status=status)
            return await self._talk(request, session, conversation_id, status, error, text)
        if _wants_json(request):
            return web.json_response({"key": new_id(), "notice": t("desk.notice.written")})
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=written")

    async def _hand_back(self, request: web.Request, session: Session) -> web.Response:
        conversation_id = _conversation(request)
        await self._s.desking.hand_back(conversation_id, session.agent)
        raise web.HTTPSeeOther(f"/desk?notice=handed_back&c={conversation_id}")

    async def _resolve(self, request: web.Request, session: Session) -> web.Response:
        conversation_id = _conversation(request)
        await self._s.desking.resolve(conversation_id, session.agent)
        raise web.HTTPSeeOther(f"/desk?notice=resolved&c={conversation_id}")

    async def _lift(self, request: web.Request, session: Session) -> web.Response:
        if (await request.post()).get("confirm") != "yes":
            return await self._refuse(request, session, 400, "desk.error.confirm")
        conversation_id = await self._s.desking.lift_hold(request.match_info["id"], session.agent)
        raise web.HTTPSeeOther(f"/desk/c/{conversation_id}?notice=lifted")

    # Pages and faults

    async def _page(
        self, request: web.Request, session: Session | None, template: str, status: int = 200, **context: Any
    ) -> web.Response:
        creditor = await self._s.creditors.get(session.agent.creditor) if session else None
        text = self._view.page(
            template,
            self._locale(request),
            creditor.zone if creditor else ZoneInfo("Europe/Amsterdam"),
            self._s.clock.now(),
            **{"session": session, "creditor": creditor, "notice": _notice(request), "done": None, **context},
        )
        return web.Response(text=text, status=status, content_type="text/html")

    async def _refuse(self, request: web.Request, session: Session | None, status: int, key: str) -> web.Response:
        return await self._refusal(request, session, status, self._view.speak(self._locale(request))(key))

    async def _fault(self, request: web.Request, session: Session, error: Exception) -> web.Response:
        t = self._view.speak(self._locale(request))
        status = 404 if isinstance(error, NotFound) else 403 if isinstance(error, NotAllowed) else 409
        if not isinstance(error, (NotFound, NotAllowed, Conflict)):
            log.exception("desk.failed", error=type(error).__name__)
            status = 500
        return await self._refusal(request, session, status, _why(error, t))

    async def _refusal(self, request: web.Request, session: Session | None, status: int, text: str) -> web.Response:
        if _wants_json(request):
            return web.json_response({"error": text}, status=status)
        return await self._page(request, session, "error.html", status, message=text)

    def _locale(self, request: web.Request) -> Locale:
        return choose(None, request.headers.get("Accept-Language", ""), ["nl"])


def _why(error: Exception, t: Any) -> str:
    match error:
        case Taken():
            return str(t("desk.error.taken", name=error.name))
        case NotYours():
            return str(t("desk.error.not_yours"))
        case SentBefore():
            return str(t("desk.error.sent_before"))
        case Unreachable():
            return str(t("desk.error.unreachable"))
        case WindowClosed():
            return str(t("desk.error.window_closed"))
        case Conflict():
            return str(t("desk.error.changed"))
        case BadInput():
            return str(t("desk.error.too_long", count=MAX_TEXT))
        case NotFound():
            return str(t("desk.error.not_found"))
        case NotAllowed():
            return str(t("desk.error.care" if str(error) == "care" else "desk.error.not_allowed"))
    return str(t("desk.error.server"))


def _conversation(request: web.Request) -> ConversationId:
    return ConversationId(request.match_info["id"])


def _notice(request: web.Request) -> str | None:
    asked = request.query.get("notice")
    return asked if asked in _NOTICES else None


def _live(request: web.Request) -> bool:
    return LIVE in request.headers


def _wants_json(request: web.Request) -> bool:
    return request.headers.get("Accept", "") == "application/json"
