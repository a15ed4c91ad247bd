"""A fictional plant shop with the widget on it: development only."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, PackageLoader

from core.ids import CreditorKey
from core.message import Locale
from core.money import Money
from core.texts import Texts

_HERE = Path(__file__).parent / "shop"
_FILES = {"shop.css": "text/css", "shop.js": "text/javascript", "plants.svg": "image/svg+xml"}
_PLANTS = ("monstera", "cactus", "fern", "lily", "olive", "pot")  # the drawings in plants.svg
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A product of the feed, as the shop shows it."""

    title: str
    description: str
    price: Money | None


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody to log in as."""

    number: str
    name: str


def shop_routes(
    creditor: CreditorKey,
    texts: Texts,
    offers: Callable[[], Awaitable[Sequence[Offer]]],
    customers: Callable[[], Awaitable[Sequence[Customer]]],
    sign: Callable[[str], str],
) -> list[web.RouteDef]:
    """`/demo/shop`: the first products of the feed, and a switch to be a logged-in customer.

    `sign` makes the token that the shop's own server would make for a customer number.
    """
    shop = _Shop(creditor, texts, offers, customers, sign)
    return [
        web.get("/demo/shop", shop.show),
        web.get("/demo/shop/token", shop.token),
        *(web.get(f"/demo/shop/{name}", _file(_HERE / name, kind)) for name, kind in _FILES.items()),
    ]


def _file(path: Path, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = path.read_bytes()

    async def show(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})

    return show


class _Shop:
    def __init__(
        self,
        creditor: CreditorKey,
        texts: Texts,
        offers: Callable[[], Awaitable[Sequence[Offer]]],
        customers: Callable[[], Awaitable[Sequence[Customer]]],
        sign: Callable[[str], str],
    ) -> None:
        self._creditor = creditor
        self._texts = texts
        self._offers = offers
        self._customers = customers
        self._sign = sign
        self._page = Environment(loader=PackageLoader("widget", "shop"), autoescape=True).get_template("shop.html")

    async def show(self, request: web.Request) -> web.Response:
        locale = Locale("nl")

        def text(key: str, **args: object) -> str:
            return self._texts.text(key, locale, **args)

        page = self._page.render(
            t=text,
            locale=locale,
            creditor=self._creditor,
            offers=[(offer, _drawing(offer, at)) for at, offer in enumerate((await self._offers())[:8])],
            customers=await self._customers(),
        )
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)

    async def token(self, request: web.Request) -> web.Response:
        number = request.query.get("customer", "")
        if number not in {customer.number for customer in await self._customers()}:
            raise web.HTTPNotFound
        return web.json_response({"token": self._sign(number)}, headers={"Cache-Control": "no-store"})


def _drawing(offer: Offer, at: int) -> str:
    """The drawing that the title names, else the next one in turn."""
    title = offer.title.lower()
    return next((plant for plant, words in _WORDS.items() if any(word in title for word in words)), _PLANTS[at % 6])


_WORDS = {
    "monstera": ("monstera", "gatenplant", "philodendron"),
    "cactus": ("cactus", "vetplant", "aloe", "succulent", "sansevieria"),
    "fern": ("varen", "palm", "fern", "calathea"),
    "lily": ("lelie", "orchidee", "bloem", "roos", "lily"),
    "olive": ("olijf", "boom", "ficus", "olive", "citroen"),
    "pot": ("pot", "gieter", "aarde", "voeding", "schaar"),
}
