"""Telegram's Bot API, as far as a bot that answers needs it, shaped after its published methods and types."""

import json
import time
from typing import Any

from aiohttp import web

from tests.fakes.server import Call, FakeServer

TOKEN = "123456:a-token-of-tests"
SECRET = "a-secret-of-tests"


class FakeTelegram(FakeServer):
    """`blocked`: chats whose person has blocked the bot."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.blocked: set[str] = set()
        self.files: dict[str, bytes] = {}  # what people have sent to us, by its file_id

    async def answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        if call.path.startswith(f"/file/bot{TOKEN}/photos/"):
            return web.Response(body=self.files[call.path.rpartition("/")[2]])
        bot, _, method = call.path.removeprefix("/bot").partition("/")
        if bot != TOKEN:
            return web.json_response(problem(401, "Unauthorized"), status=401)
        if method == "getFile":
            name = dict(call.fields)["file_id"]
            if name not in self.files:
                return web.json_response(problem(400, "Bad Request: invalid file_id"), status=400)
            length = len(self.files[name])
            file = {"file_id": name, "file_unique_id": name, "file_size": length, "file_path": f"photos/{name}"}
            return web.json_response({"ok": True, "result": file})
        if method not in ("sendMessage", "sendPhoto"):
            return web.json_response(problem(404, "Not Found"), status=404)
        fields = dict(call.fields)
        chat = fields["chat_id"]
        if chat in self.blocked:
            return web.json_response(problem(403, "Forbidden: bot was blocked by the user"), status=403)
        message: dict[str, Any] = {
            "message_id": len(self.messages) + 1,
            "date": int(time.time()),
            "chat": {"id": int(chat), "type": "private", "first_name": "Jan"},
            "from": {"id": 1, "is_bot": True, "first_name": "Bloem"},
        }
        if "reply_markup" in fields:
            message["reply_markup"] = json.loads(fields["reply_markup"])
        if method == "sendPhoto":
            size = {"file_id": "p1", "file_unique_id": "p1", "width": 300, "height": 300}
            message |= {"caption": fields.get("caption", ""), "photo": [size]}
        else:
            message["text"] = fields["text"]
        self.messages.append(message)
        return web.json_response({"ok": True, "result": message})


def problem(code: int, description: str, **parameters: int) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": description} | (
        {"parameters": parameters} if parameters else {}
    )
