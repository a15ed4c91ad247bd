"""The widget's files, and what it has to know of a creditor."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from core.creditor import Creditor
from core.errors import NotFound
from core.message import Locale
from core.texts import Texts

# A creditor by its key. Raises NotFound.
Find = Callable[[str], Awaitable[Creditor]]

_HERE = Path(__file__).parent
CLIENT = "socket.io.esm.min.js"
LANGUAGES = {"nl": "Nederlands", "en": "English", "fr": "Français", "de": "Deutsch"}
# The keys `widget.…` that the script shows.
TEXTS = (
    "agent", "bot_mark", "close", "failed", "field", "foot", "language", "log", "new_tab", "offline", "open", "qr",
    "retry", "send", "sending", "slow", "title", "typing", "unavailable", "unread", "with", "you",
)  # fmt: skip
# The files are for every page that names the script; they say nothing about anybody.
_PUBLIC = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_SHORT = {"Cache-Control": "public, max-age=300"}
_LONG = {"Cache-Control": "public, max-age=86400"}


def routes(find: Find, texts: Texts) -> list[web.RouteDef]:
    """`/widget.js`, the socket.io client that it loads, and `/widget/{creditor}.json`."""
    return [
        web.get("/widget.js", _script(_HERE / "widget.js", _SHORT)),
        web.get(f"/widget/vendor/{CLIENT}", _script(_HERE / "vendor" / CLIENT, _LONG)),
        web.get("/widget/{creditor}.json", _Cards(find, texts).show),
    ]


def _script(path: Path, caching: dict[str, str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = path.read_bytes()

    async def show(request: web.Request) -> web.Response:
        response = web.Response(
            body=body, content_type="text/javascript", charset="utf-8", headers={**_PUBLIC, **caching}
        )
        response.enable_compression()
        return response

    return show


class _Cards:
    def __init__(self, find: Find, texts: Texts) -> None:
        self._find = find
        self._texts = texts

    async def show(self, request: web.Request) -> web.Response:
        try:
            creditor = await self._find(request.match_info["creditor"])
        except NotFound:
            raise web.HTTPNotFound(headers=_PUBLIC) from None
        card = self._card(creditor, request.query.get("lang", ""))
        return web.json_response(card, headers={**_PUBLIC, **_SHORT})

    def _card(self, creditor: Creditor, asked: str) -> dict[str, Any]:
        locale = Locale(next((own for own in creditor.languages if own == asked), creditor.languages[0]))
        return {
            "name": creditor.name,
            "color": creditor.brand.color,
            "ink": creditor.brand.ink,
            "locale": locale,
            "languages": {language: LANGUAGES[language] for language in creditor.languages},
            "texts": {name: self._texts.text(f"widget.{name}", locale, creditor=creditor.name) for name in TEXTS},
        }
