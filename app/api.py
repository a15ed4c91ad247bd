"""The REST API: what a creditor's own systems tell us, each with the creditor's key (docs/operations.md, "The API")."""

import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import letters
from app.accounts import Accounts
from billing.debits import Debits
from billing.law import Kind
from billing.risk import Risks
from billing.shop.notices import ShopNotices
from conversations.creditors import Creditors
from core.clock import Clock
from core.errors import BadInput
from core.ids import CreditorKey
from core.money import Money
from store.database import Database

Handler = Callable[[web.Request, CreditorKey], Awaitable[web.Response]]

_KEY = re.compile(r"[\x21-\x7e]{1,100}")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class FailedDebit(_Body):
    """A direct debit that failed, or that the payer or a bank took back."""

    invoice_number: str = Field(min_length=1, max_length=64)
    amount: str = Field(max_length=20)  # 49.90
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    reason: str = Field(pattern=r"^[A-Z0-9]{4}$")  # ISO 20022
    iban_end: str | None = Field(default=None, pattern=r"^[A-Z0-9]{4}$")


class SentLetter(_Body):
    """As a row of the file `letters`."""

    invoice_number: str = Field(min_length=1, max_length=64)
    kind: Kind
    sent_at: str = Field(max_length=40)
    channel: Literal["email", "post"]
    received_on: str | None = Field(default=None, max_length=10)
    costs: str | None = Field(default=None, max_length=20)
    content_hash: str = Field(max_length=80)


class ToldRisk(_Body):
    """A risk class that somebody else knows of, such as a credit-information bureau."""

    name: Literal["low", "medium", "high"] = Field(alias="class")
    source: str = Field(min_length=1, max_length=80)  # as the person is told it
    at: date = Field(alias="date")
    expires: date


class Api:
    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        clock: Clock,
        creditors: Creditors,
        debits: Debits,
        risks: Risks,
        shop: ShopNotices,
    ) -> None:
        self._db = db
        self._shop = shop
        self._accounts = accounts
        self._clock = clock
        self._creditors = creditors
        self._debits = debits
        self._risks = risks

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/v1/direct-debits", self._known(self._direct_debit)),
            web.post("/api/v1/letters", self._known(self._letter)),
            web.put("/api/v1/debtors/{number}/block", self._known(self._block)),
            web.delete("/api/v1/debtors/{number}/block", self._known(self._block)),
            web.put("/api/v1/debtors/{number}/risk", self._known(self._risk)),
            web.delete("/api/v1/debtors/{number}/risk", self._known(self._no_risk)),
        ]

    def _known(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            creditor = self._creditor(request.headers.get("Authorization", ""))
            if creditor is None:
                return _refused(401, "send the creditor's api_key as Authorization: Bearer …")
            return await handler(request, creditor)

        return guarded

    def _creditor(self, header: str) -> CreditorKey | None:
        """Whose key this is; all are compared, so that the time tells nothing. A key that two share is nobody's."""
        scheme, _, given = header.partition(" ")
        owners = [
            creditor
            for creditor, key in self._accounts.api.items()
            if hmac.compare_digest(given.strip().encode(), key.encode())
        ]
        return CreditorKey(owners[0]) if scheme.lower() == "bearer" and len(owners) == 1 else None

    async def _direct_debit(self, request: web.Request, creditor: CreditorKey) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            raise BadInput("send an Idempotency-Key of up to 100 characters: the same debit keeps the same key")
        told = await _body(request, FailedDebit)
        amount = Money.parse(told.amount, told.currency)
        identifier = await self._debits.report(
            creditor, told.invoice_number, amount, told.reason, told.iban_end, key=key, now=self._clock.now()
        )
        return web.json_response({"id": identifier}, status=202)

    async def _letter(self, request: web.Request, creditor: CreditorKey) -> web.Response:
        told = await _body(request, SentLetter)
        given = told.model_dump()
        content, digest = None, given.pop("content_hash")
        fresh = await letters.record(self._db, self._clock, creditor, given, content=content, digest=digest)
        return web.Response(status=201 if fresh else 204)

    async def _block(self, request: web.Request, creditor: CreditorKey) -> web.Response:
        await self._shop.block(creditor, request.match_info["number"], blocked=request.method == "PUT")
        return web.Response(status=204)

    async def _risk(self, request: web.Request, creditor: CreditorKey) -> web.Response:
        told = await _body(request, ToldRisk)
        zone = (await self._creditors.get(creditor)).zone
        at, until = (datetime.combine(day, time(), zone) for day in (told.at, told.expires))
        await self._risks.told(creditor, request.match_info["number"], told.name, told.source, at, until)
        return web.Response(status=204)

    async def _no_risk(self, request: web.Request, creditor: CreditorKey) -> web.Response:
        await self._risks.untold(creditor, request.match_info["number"])
        return web.Response(status=204)


async def _body[B: BaseModel](request: web.Request, shape: type[B]) -> B:
    """Raises BadInput, which names each field that is wrong, and never what stood in it."""
    try:
        given: Any = await request.json()
    except ValueError:
        raise BadInput("the body is not JSON") from None
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors()]
        raise BadInput("; ".join(wrong)) from None


def _refused(status: int, detail: str) -> web.Response:
    problem = {"type": "about:blank", "status": status, "detail": detail}
    return web.json_response(
        problem, status=status, content_type="application/problem+json", headers={"WWW-Authenticate": "Bearer"}
    )
