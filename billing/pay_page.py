"""The pay page: creditor, amount, reference and methods, and nothing else. Works without JavaScript."""

import secrets
from typing import Any, NamedTuple

from aiohttp import web

from billing.creditors import creditor_of
from billing.links import Link, Links, NotPayable, Standing
from billing.methods import TRANSFER
from billing.page import HEADERS, LANGUAGES, TEMPLATES, choose
from billing.payments import Outlook, Payments
from billing.previews import is_view
from core.creditor import Creditor
from core.errors import BadInput, PaymentFailed
from core.lifecycle import LinkState, PaymentStatus
from core.message import Locale
from core.texts import Texts
from payments import qr
from payments.references import grouped
from store.database import Database

_NOT_FOUND_LANGUAGE = ["nl"]  # where no creditor says which
_STATUS = {Standing.EXPIRED: 410, Standing.REVOKED: 410}


def routes(
    database: Database, links: Links, payments: Payments, texts: Texts, *, public_url: str
) -> list[web.RouteDef]:
    page = PayPage(database, links, payments, texts, public_url)
    return [
        web.get("/p/{token}", page.show),
        web.post("/p/{token}", page.pay),
        web.get("/p/{token}/return", page.back),
        web.post("/p/{token}/return", page.back),  # Buckaroo sends payers back with a form
        web.get("/p/{token}/transfer", page.transfer),
        web.get("/p/{token}/qr.png", page.qr_png),
        web.get("/p/{token}/qr.svg", page.qr_svg),
        web.get("/p/{token}/epc.png", page.epc_png),
        web.get("/p/{token}/epc.svg", page.epc_svg),
    ]


class _Visit(NamedTuple):
    """A request for a link's page, and in which language it is answered."""

    link: Link
    creditor: Creditor
    locale: Locale


class PayPage:
    def __init__(self, database: Database, links: Links, payments: Payments, texts: Texts, public_url: str) -> None:
        self._database = database
        self._links = links
        self._payments = payments
        self._texts = texts
        self._public_url = public_url.rstrip("/")

    async def show(self, request: web.Request) -> web.Response:
        visit = await self._visit(request)
        if is_view(request):
            await self._links.mark(visit.link.id, LinkState.VIEWED)
        return self._response(visit, await self._payments.outlook(visit.link))

    async def pay(self, request: web.Request) -> web.Response:
        visit = await self._visit(request)
        link, _, locale = visit
        method = str((await request.post()).get("method", ""))
        if method == TRANSFER and method in (await self._payments.outlook(link)).methods:
            await self._links.mark(link.id, LinkState.STARTED)
            raise web.HTTPSeeOther(f"/p/{link.token}/transfer?lang={locale}")
        try:
            checkout = await self._payments.start(link, method, locale)
        except NotPayable:  # the page says why
            raise web.HTTPSeeOther(f"/p/{link.token}?lang={locale}") from None
        except BadInput:
            raise web.HTTPBadRequest from None
        except PaymentFailed:
            outlook = await self._payments.outlook(link)
            return self._response(visit, outlook, notice="pay.unavailable", status=503)
        raise web.HTTPSeeOther(checkout)

    async def back(self, request: web.Request) -> web.Response:
        """Where the provider sends the payer: what it says is fetched, never read from the address."""
        visit = await self._visit(request)
        link = visit.link
        await self._payments.refresh(link)
        fresh = await self._links.by_token(link.token)
        outlook = await self._payments.outlook(fresh or link)
        notice = (
            {
                PaymentStatus.FAILED: "pay.failed",
                PaymentStatus.CANCELLED: "pay.cancelled",
                PaymentStatus.OPEN: "pay.unsure",
            }.get(outlook.last)
            if outlook.last and outlook.standing is Standing.PAYABLE
            else None
        )
        return self._response(visit, outlook, notice=notice)

    async def transfer(self, request: web.Request) -> web.Response:
        """The creditor's account, the amount and the reference: the money is ours when the bank statement says so."""
        visit = await self._visit(request)
        outlook = await self._payments.outlook(visit.link)
        if TRANSFER not in _methods(visit.creditor, outlook):
            raise web.HTTPSeeOther(f"/p/{visit.link.token}?lang={visit.locale}")
        return self._response(visit, outlook, transfer=True)

    async def qr_png(self, request: web.Request) -> web.Response:
        link, *_ = await self._visit(request)
        return _picture(qr.png(self._address(link)), "image/png")

    async def qr_svg(self, request: web.Request) -> web.Response:
        link, *_ = await self._visit(request)
        return _picture(qr.svg(self._address(link)), "image/svg+xml")

    async def epc_png(self, request: web.Request) -> web.Response:
        return _picture(qr.png(await self._transfer_code(request)), "image/png")

    async def epc_svg(self, request: web.Request) -> web.Response:
        return _picture(qr.svg(await self._transfer_code(request)), "image/svg+xml")

    async def _transfer_code(self, request: web.Request) -> str:
        """A credit transfer of what is due now; none where nothing is to be paid."""
        link, creditor, _ = await self._visit(request)
        outlook = await self._payments.outlook(link)
        if not _by_bank_app(creditor, outlook):
            raise web.HTTPGone
        return qr.credit_transfer(creditor.name, creditor.iban, outlook.due, link.reference)

    async def _visit(self, request: web.Request) -> _Visit:
        link = await self._links.by_token(request.match_info["token"])
        asked, accepted = request.query.get("lang"), request.headers.get("Accept-Language", "")
        if link is None:
            locale = choose(asked, accepted, _NOT_FOUND_LANGUAGE)
            page = TEMPLATES.get_template("unknown.html").render(t=self._speaker(locale), locale=locale)
            raise web.HTTPNotFound(text=page, content_type="text/html", headers=HEADERS | _policy(""))
        async with self._database.read() as connection:
            creditor = await creditor_of(connection, link.creditor)
        spoken = await self._links.language(link)
        return _Visit(link, creditor, choose(asked, accepted, creditor.languages, spoken))

    def _response(
        self,
        visit: _Visit,
        outlook: Outlook,
        *,
        notice: str | None = None,
        status: int = 200,
        transfer: bool = False,
    ) -> web.Response:
        _, creditor, locale = visit
        nonce = secrets.token_urlsafe(16)
        page = TEMPLATES.get_template("pay.html").render(
            t=self._speaker(locale),
            locale=locale,
            languages=LANGUAGES,
            creditor=creditor,
            ink=creditor.brand.ink,
            link=outlook.link,
            due=outlook.due,
            reference=grouped(outlook.link.reference),
            standing=outlook.standing,
            methods={method: self._method(method, locale) for method in _methods(creditor, outlook)},
            transfer=transfer,
            iban=" ".join(creditor.iban[at : at + 4] for at in range(0, len(creditor.iban), 4)),
            by_bank_app=_by_bank_app(creditor, outlook),
            notice=notice,
            nonce=nonce,
        )
        headers = HEADERS | _policy(nonce)
        status = _STATUS.get(outlook.standing, status)
        return web.Response(text=page, status=status, content_type="text/html", headers=headers)

    def _speaker(self, locale: Locale) -> Any:
        def speak(key: str, **args: Any) -> str:
            return self._texts.text(key, locale, **args)

        return speak

    def _method(self, method: str, locale: Locale) -> str:
        """Its name; a method that the catalogues do not know yet still has its own."""
        try:
            return self._texts.text(f"pay.method.{method}", locale)
        except KeyError:
            return method.replace("_", " ").capitalize()

    def _address(self, link: Link) -> str:
        return f"{self._public_url}/p/{link.token}"


def _methods(creditor: Creditor, outlook: Outlook) -> list[str]:
    """What the page offers now; a transfer is in euros."""
    if outlook.standing is not Standing.PAYABLE:
        return []
    return [method for method in outlook.methods if method != TRANSFER or _by_bank_app(creditor, outlook)]


def _by_bank_app(creditor: Creditor, outlook: Outlook) -> bool:
    """Whether a bank app may make the transfer: in euros, and not where transfers are excluded for this debtor."""
    if TRANSFER in creditor.payments.methods and TRANSFER not in outlook.methods:
        return False
    return outlook.standing is Standing.PAYABLE and outlook.due.currency == "EUR"


def _policy(nonce: str) -> dict[str, str]:
    # The form's answer redirects to a provider, and from there to any bank: form-action cannot name them.
    style = f"'nonce-{nonce}'" if nonce else "'none'"
    policy = f"default-src 'none'; img-src 'self' https:; style-src {style}; base-uri 'none'; frame-ancestors 'none'"
    return {"Content-Security-Policy": policy}


def _picture(body: bytes, content_type: str) -> web.Response:
    return web.Response(body=body, content_type=content_type, headers=HEADERS)
