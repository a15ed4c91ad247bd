"""Twilio's Messages (2010-04-01) and Content (v1) resources, shaped after its OpenAPI files."""

import json
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from tests.fakes.server import Call, FakeServer

SID = "AC" + "a" * 32
TOKEN = "a-token-of-tests"


class FakeTwilio(FakeServer):
    """`messages` and `contents` are what it has taken, `media` what people have sent to us.

    `opted_out`: numbers that it does not write to any more.
    """

    def __init__(self, now: datetime | None = None) -> None:
        super().__init__()
        self.now = now or datetime.now(UTC)
        self.messages: list[dict[str, Any]] = []
        self.contents: dict[str, dict[str, Any]] = {}
        self.opted_out: set[str] = set()
        self.media: dict[str, bytes] = {}  # what people have sent

    async def answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth(SID, TOKEN):
            return error(401, 20003, "Authenticate")
        if call.path == f"/2010-04-01/Accounts/{SID}/Messages.json":
            return self._send(call) if call.method == "POST" else self._list(call)
        if call.path == "/v1/Content" and call.method == "POST":
            return self._content(call)
        if call.path.rpartition("/")[2] in self.media and "/Media/" in call.path:
            return web.Response(body=self.media[call.path.rpartition("/")[2]], content_type="image/jpeg")
        return error(404, 20404, "The requested resource was not found")

    def _send(self, call: Call) -> web.Response:
        fields = dict(call.fields)
        if fields["To"] in self.opted_out:
            return error(400, 21610, "Attempt to send to unsubscribed recipient")
        if "ContentSid" in fields and fields["ContentSid"] not in self.contents:
            return error(400, 21655, "The ContentSid is Invalid")
        sid = f"SM{len(self.messages):032x}"
        date = format_datetime(self.now)
        message: dict[str, Any] = {
            "account_sid": SID,
            "api_version": "2010-04-01",
            "body": self._body(fields),
            "date_created": date,
            "date_sent": None,
            "date_updated": date,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": fields["From"],
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "messaging_service_sid": None,
            "sid": sid,
            "status": "queued",
            "subresource_uris": {},
            "to": fields["To"],
            "uri": f"/2010-04-01/Accounts/{SID}/Messages/{sid}.json",
        }
        self.messages.insert(0, message)
        return web.json_response(message, status=201)

    def _body(self, fields: dict[str, str]) -> str:
        if "ContentSid" not in fields:
            return fields.get("Body", "")
        (shape,) = self.contents[fields["ContentSid"]]["types"].values()
        values = json.loads(fields.get("ContentVariables", "{}"))
        return re.sub(r"{{(\w+)}}", lambda match: values[match[1]], shape["body"])

    def _list(self, call: Call) -> web.Response:
        fields = dict(call.fields)
        found = [m for m in self.messages if m["to"] == fields.get("To") and m["from"] == fields.get("From")]
        page = {"page": 0, "page_size": 50, "next_page_uri": None, "previous_page_uri": None, "first_page_uri": ""}
        return web.json_response(page | {"messages": found[: int(fields.get("PageSize", 50))]})

    def _content(self, call: Call) -> web.Response:
        assert isinstance(call.json, dict)
        if not call.json.get("language") or not call.json.get("types"):
            return error(400, 20001, "language and types are required")
        sid = f"HX{len(self.contents):032x}"
        self.contents[sid] = call.json
        return web.json_response(call.json | {"sid": sid, "account_sid": SID, "links": {}}, status=201)


def media_url(name: str) -> str:
    """As Twilio gives it with a message: at its own host, whoever stands in for it."""
    return f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM{0:032x}/Media/{name}"


def error(status: int, code: int, message: str) -> web.Response:
    return web.json_response(problem(status, code, message), status=status)


def problem(status: int, code: int, message: str = "refused") -> dict[str, Any]:
    info = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": info, "status": status}


def signed(url: str, fields: dict[str, str], token: str = TOKEN) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a webhook, as Twilio posts it to `url`."""
    signature = RequestValidator(token).compute_signature(url, fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return urlencode(fields).encode(), headers
