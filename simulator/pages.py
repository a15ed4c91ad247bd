"""`/simulator`: a person's phones side by side."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from jinja2 import Environment, PackageLoader

from channels.webhooks import body_of
from core.errors import BadInput, NotFound
from core.pictures import MOST, media_type
from simulator.carrier import Carrier, Secrets, here
from simulator.network import PREFIX, Line, Network, Person
from simulator.providers import Providers

_STATIC = Path(__file__).parent / "static"
_FILES = frozenset({"simulator.css", "simulator.js", "simulator.svg"})
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_TEMPLATES = Environment(loader=PackageLoader("simulator"), autoescape=True)
_CHANNELS = ("whatsapp", "sms", "telegram")
_PICTURES = frozenset({"image/jpeg", "image/png"})
_NO_PICTURE = "A picture is a JPEG or PNG of at most 5 MB: choose another one."
_MOST_BODY = MOST // 3 * 4 + 64 * 1024  # bytes: a picture in base64, and what is said with it


def routes(
    people: Sequence[Person],
    *,
    whatsapp: Mapping[str, str],
    sms: Mapping[str, str],
    telegram: Mapping[str, tuple[str, str]],
    twilio: tuple[str, str],
    public_url: str,
    session: aiohttp.ClientSession,
) -> list[web.RouteDef]:
    """The page, its calls, and the providers' APIs below `/simulator/twilio` and `/simulator/telegram`.

    `whatsapp` and `sms` are our numbers by creditor, `telegram` our bots' tokens and secrets, `twilio` the account's
    SID and token: the same mappings that the channels hold. Never in production: whoever sees the page is anybody.
    """
    network = Network()
    secrets = Secrets(*twilio, telegram)
    carrier = Carrier(network, secrets, public_url, session)
    providers = Providers(network, carrier, secrets)
    ours = {"whatsapp": whatsapp, "sms": sms, "telegram": telegram}
    pages = _Pages(people, ours, network, carrier, providers, public_url)
    return [
        web.get(PREFIX, pages.show),
        web.get(f"{PREFIX}/phones", pages.phones),
        web.post(f"{PREFIX}/say", pages.say),
        web.get(f"{PREFIX}/static/{{name}}", pages.static),
        *providers.routes(),
    ]


class _Pages:
    def __init__(
        self,
        people: Sequence[Person],
        ours: Mapping[str, Mapping[str, Any]],
        network: Network,
        carrier: Carrier,
        providers: Providers,
        public_url: str,
    ) -> None:
        self._people = people
        self._ours = ours
        self._network = network
        self._carrier = carrier
        self._providers = providers
        parts = urlsplit(public_url)
        self._headers = {
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"img-src 'self' {parts.scheme}://{parts.netloc}; base-uri 'none'; frame-ancestors 'none'",
            "X-Robots-Tag": "noindex, nofollow",
            "Cache-Control": "no-store",
        }

    async def show(self, request: web.Request) -> web.Response:
        creditors = sorted({creditor for numbers in self._ours.values() for creditor in numbers})
        page = _TEMPLATES.get_template("simulator.html").render(people=self._people, creditors=creditors, prefix=PREFIX)
        return web.Response(text=page, content_type="text/html", headers=self._headers)

    async def static(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] not in _FILES:
            raise web.HTTPNotFound
        return web.FileResponse(_STATIC / request.match_info["name"], headers={"Cache-Control": "no-cache"})

    async def phones(self, request: web.Request) -> web.Response:
        """What the phones of `?phone=` show of `?creditor=`; a channel that the creditor lacks is left out."""
        try:
            person = self._person(request.query.get("phone"))
        except BadInput as error:
            return web.json_response({"detail": str(error)}, status=400)
        shown = {}
        for channel in _CHANNELS:
            line = self._line(channel, request.query.get("creditor"), person)
            if line is None:
                continue
            self._providers.read(request, line)
            shown[channel] = {
                "ours": line.ours,
                "blocked": line in self._network.closed,
                "bubbles": [bubble.as_json() for bubble in self._network.lines.get(line, ())],
            }
        return web.json_response(shown)

    async def say(self, request: web.Request) -> web.Response:
        """`{"channel", "creditor", "phone"}` with `"text"`, or `"bubble"` and `"choice"`, or `"blocked"`.

        With or without a text `"picture"`: JPEG or PNG in base64.
        """
        if request.content_type != "application/json":  # which no foreign page can send without asking
            return web.json_response({"detail": "Send JSON."}, status=415)
        try:
            await self._say(here(request), json.loads(await body_of(request, _MOST_BODY)))
        except web.HTTPRequestEntityTooLarge:
            return web.json_response({"detail": _NO_PICTURE}, status=413)
        except (BadInput, ValueError, TypeError, AttributeError) as error:
            return web.json_response({"detail": str(error)}, status=400)
        except NotFound as error:
            return web.json_response({"detail": str(error)}, status=404)
        return web.json_response({})

    async def _say(self, at: str, asked: Mapping[str, Any]) -> None:
        person = self._person(asked.get("phone"))
        line = self._line(str(asked.get("channel")), asked.get("creditor"), person)
        if line is None:
            raise NotFound("The creditor has no such channel.")
        if "blocked" in asked:
            if line.channel != "telegram":
                raise BadInput("Only Telegram's bots can be blocked here.")
            await self._carrier.block(at, person, line, bool(asked["blocked"]))
        elif "choice" in asked:
            await self._carrier.tap(at, person, line, str(asked.get("bubble")), str(asked["choice"]))
        elif "picture" in asked:
            if line.channel == "sms":
                raise BadInput(
                    "An SMS cannot carry a picture in the Netherlands and Belgium: use WhatsApp or Telegram."
                )
            await self._carrier.say(at, person, line, str(asked.get("text") or ""), _picture(asked["picture"]))
        elif str(asked.get("text") or "").strip():
            await self._carrier.say(at, person, line, str(asked["text"]))
        else:
            raise BadInput("There is nothing to say.")

    def _person(self, phone: object) -> Person:
        """Somebody of the list, or a stranger."""
        for person in self._people:
            if person.phone == phone:
                return person
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            raise BadInput("A phone's number looks like +31600000001.")
        return Person(phone, phone)

    def _line(self, channel: str, creditor: object, person: Person) -> Line | None:
        ours = self._ours.get(channel, {}).get(str(creditor))
        if ours is None:
            return None
        return Line(channel, str(creditor) if channel == "telegram" else ours, person.phone)


def _picture(given: object) -> bytes:
    """Its bytes. Raises BadInput."""
    try:
        picture = base64.b64decode(str(given), validate=True)
    except ValueError:
        raise BadInput("A picture comes in base64.") from None
    if media_type(picture) not in _PICTURES:
        raise BadInput(_NO_PICTURE)
    return picture
