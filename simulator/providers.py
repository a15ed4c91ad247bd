"""The way from us to a phone: routes shaped as Twilio's Messages and Content resources, and Telegram's Bot API."""

import hmac
import json
import re
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

import aiohttp
from aiohttp import web

from channels.twilio import WHATSAPP
from core.pictures import media_type
from simulator.carrier import Carrier, Secrets, chat_id, here, media_sid
from simulator.network import PREFIX, Bubble, Line, Network, new_sid, now


class Providers:
    def __init__(self, network: Network, carrier: Carrier, secrets: Secrets) -> None:
        self._network = network
        self._carrier = carrier
        self._secrets = secrets

    def routes(self) -> list[web.RouteDef]:
        messages = f"{PREFIX}/twilio/2010-04-01/Accounts/{{sid}}/Messages"
        return [
            web.post(f"{messages}.json", self._send),
            web.get(f"{messages}.json", self._list),
            web.get(f"{messages}/{{picture}}/Media/{{media}}", self._media),
            web.post(f"{PREFIX}/twilio/v1/Content", self._content),
            web.post(f"{PREFIX}/telegram/bot{{token}}/{{method}}", self._telegram),
            web.get(f"{PREFIX}/telegram/file/bot{{token}}/photos/{{picture}}", self._download),
            web.get(f"{PREFIX}/pictures/{{picture}}", self._picture),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorised(request):
            return refusal
        fields = {name: str(value) for name, value in (await request.post()).items()}
        line = _line(fields.get("To", ""), fields.get("From", ""))
        if line in self._network.closed:
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        bubble = Bubble(
            new_sid("SM"),
            False,
            fields.get("Body", ""),
            now(),
            image=fields.get("MediaUrl", ""),
            status="queued",
            callback=fields.get("StatusCallback", ""),
        )
        content = fields.get("ContentSid")
        if content:
            self._fill(bubble, content, json.loads(fields.get("ContentVariables") or "{}"))
        own_template = content is not None and content not in self._network.contents
        if line.channel == "whatsapp" and not own_template and not self._network.open(line):
            # Taken, and refused later: https://www.twilio.com/docs/api/errors/63016
            self._carrier.report(here(request), line, bubble, "failed", "63016")
        else:
            self._network.add(line, bubble)
            self._carrier.report(here(request), line, bubble, "delivered")
        return web.json_response(self._as_twilio(line, bubble), status=201)

    def _fill(self, bubble: Bubble, content: str, variables: Mapping[str, str]) -> None:
        types = self._network.contents.get(content)
        if types is None:  # made and approved in Twilio's console: its text is not known here
            bubble.text = "\n".join([f"[{content}]", *variables.values()])
            return

        def filled(text: str) -> str:
            return re.sub(r"{{(\w+)}}", lambda match: variables.get(match[1], ""), text)

        ((kind, shape),) = types.items()
        bubble.listed = kind == "twilio/list-picker"
        bubble.text = filled(shape["body"])
        bubble.choices = [
            {"id": filled(each["id"]), "title": filled(each.get("title") or each.get("item", "")), "url": None}
            for each in shape.get("actions") or shape.get("items") or ()
        ]

    async def _list(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorised(request):
            return refusal
        line = _line(request.query.get("To", ""), request.query.get("From", ""))
        sent = [bubble for bubble in reversed(self._network.lines.get(line, [])) if not bubble.mine]
        messages = [self._as_twilio(line, bubble) for bubble in sent]
        page = {"page": 0, "page_size": 50, "next_page_uri": None, "previous_page_uri": None}
        return web.json_response(page | {"messages": messages[:50]})

    async def _media(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorised(request):
            return refusal
        picture = request.match_info["picture"]
        if picture not in self._network.pictures or request.match_info["media"] != media_sid(picture):
            return _error(404, 20404, "The requested resource was not found")
        # Twilio's API has no pictures itself: it leads to where they are kept.
        raise web.HTTPTemporaryRedirect(f"{PREFIX}/pictures/{picture}")

    async def _content(self, request: web.Request) -> web.Response:
        if refusal := self._unauthorised(request):
            return refusal
        content = await request.json()
        sid = new_sid("HX")
        self._network.contents[sid] = content["types"]
        return web.json_response(content | {"sid": sid, "account_sid": self._secrets.twilio_sid}, status=201)

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        expected = aiohttp.encode_basic_auth(self._secrets.twilio_sid, self._secrets.twilio_token)
        given = request.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), expected.encode()):
            return None
        return _error(401, 20003, "Authenticate")

    def _as_twilio(self, line: Line, bubble: Bubble) -> dict[str, Any]:
        prefix = WHATSAPP if line.channel == "whatsapp" else ""
        date = format_datetime(bubble.at)
        return {
            "account_sid": self._secrets.twilio_sid,
            "api_version": "2010-04-01",
            "body": bubble.text,
            "date_created": date,
            "date_sent": date,
            "date_updated": date,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": prefix + line.ours,
            "num_media": "1" if bubble.image else "0",
            "num_segments": "1",
            "sid": bubble.id,
            "status": bubble.status,
            "to": prefix + line.phone,
        }

    async def _telegram(self, request: web.Request) -> web.Response:
        account = self._bot(request)
        if account is None:
            return _problem(401, "Unauthorized")
        method = request.match_info["method"]
        if method not in ("sendMessage", "sendPhoto", "getFile"):
            return web.json_response({"ok": True, "result": True})
        posted = await request.post()
        fields = {name: str(value) for name, value in posted.items() if not isinstance(value, web.FileField)}
        if method == "getFile":
            return self._file(fields.get("file_id", ""))
        line = Line("telegram", account, f"+{fields['chat_id']}")
        if line in self._network.closed:
            return _problem(403, "Forbidden: bot was blocked by the user")
        if line not in self._network.lines:
            return _problem(400, "Bad Request: chat not found")  # a bot cannot write first
        bubble = Bubble(new_sid("TG"), False, fields.get("text") or fields.get("caption") or "", now())
        markup = json.loads(fields.get("reply_markup") or "{}")
        bubble.choices = [
            {"id": button.get("callback_data", ""), "title": button["text"], "url": button.get("url")}
            for row in markup.get("inline_keyboard", ())
            for button in row
        ]
        photo = next((value for value in posted.values() if isinstance(value, web.FileField)), None)
        if photo:
            self._network.keep(bubble, photo.file.read())
        self._network.add(line, bubble)
        chat = {"id": chat_id(line.phone), "type": "private", "first_name": "-"}
        number = len(self._network.lines[line])
        result = {"message_id": number, "date": int(bubble.at.timestamp()), "chat": chat, "text": bubble.text}
        return web.json_response({"ok": True, "result": result})

    def _file(self, name: str) -> web.Response:
        picture = self._network.pictures.get(name)
        if picture is None:
            return _problem(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        file = {"file_id": name, "file_unique_id": name, "file_size": len(picture), "file_path": f"photos/{name}"}
        return web.json_response({"ok": True, "result": file})

    async def _download(self, request: web.Request) -> web.Response:
        return _problem(401, "Unauthorized") if self._bot(request) is None else await self._picture(request)

    def _bot(self, request: web.Request) -> str | None:
        """The account whose bot has the request's token."""
        given = request.match_info["token"]
        return next((name for name, (token, _) in self._secrets.bots.items() if token == given), None)

    async def _picture(self, request: web.Request) -> web.Response:
        picture = self._network.pictures.get(request.match_info["picture"])
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type=media_type(picture) or "application/octet-stream")

    def read(self, request: web.Request, line: Line) -> None:
        """The person looks at the phone: WhatsApp tells us so."""
        if line.channel != "whatsapp":
            return
        for bubble in self._network.lines.get(line, ()):
            if not bubble.mine and bubble.status == "delivered":
                self._carrier.report(here(request), line, bubble, "read")


def _line(theirs: str, ours: str) -> Line:
    channel = "whatsapp" if theirs.startswith(WHATSAPP) else "sms"
    return Line(channel, ours.removeprefix(WHATSAPP), theirs.removeprefix(WHATSAPP))


def _error(status: int, code: int, message: str) -> web.Response:
    info = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response({"code": code, "message": message, "more_info": info, "status": status}, status=status)


def _problem(code: int, description: str) -> web.Response:
    return web.json_response({"ok": False, "error_code": code, "description": description}, status=code)
