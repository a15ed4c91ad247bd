"""Rasa's REST channel: one message in, what is said to it out."""

from collections.abc import Callable

from aiohttp import web

from channels import client
from channels.origins import Origins
from channels.rate import Brake
from channels.web import Chat, answer
from channels.webhooks import body_of
from core.errors import BadInput, NotFound
from core.ids import new_secret

PATH = "/webhooks/rest/webhook"
SECONDS = 25.0  # how long a turn is waited for; what comes later is in the next answer
MAX_BODY = 64 * 1024
_LONGEST_SENDER = 128


def routes(chat: Chat, origins: Origins, brake: Brake, remote: Callable[[web.BaseRequest], str]) -> list[web.RouteDef]:
    """`POST /webhooks/rest/webhook`, and the question that a browser asks before it.

    400 unreadable, 403 a foreign origin, 404 an unknown creditor, 413 too large, 429 too fast; as problem details.
    """

    async def ask(request: web.Request) -> web.Response:
        origin = request.headers.get("Origin")
        if not origins.allow(origin):
            return _problem(403, "This origin is not on a creditor's list.")
        try:
            response = await _ask(request, origin)
        except BadInput as error:
            response = _problem(400, str(error))
        except NotFound:
            response = _problem(404, "There is no such creditor.")
        except web.HTTPRequestEntityTooLarge:
            response = _problem(413, f"The body is larger than {MAX_BODY} bytes.")
        return _shared(response, origin)

    async def _ask(request: web.Request, origin: str | None) -> web.Response:
        said = client.body(await body_of(request, MAX_BODY))
        sender = said.get("sender") or new_secret()
        if not isinstance(sender, str) or len(sender) > _LONGEST_SENDER:
            raise BadInput(f"“sender” is a string of at most {_LONGEST_SENDER} characters.")
        text = client.text(said.get("message"))
        asked = client.details(said.get("metadata"), said.get("customData"))
        if seconds := brake.wait(sender, remote(request)):
            response = _problem(429, "Too many messages.")
            response.headers["Retry-After"] = str(seconds)
            return response
        creditor = (await chat.creditor(asked.creditor)).key
        if not origins.allow(origin, creditor):
            raise NotFound("No such creditor for this origin.")
        messages = await chat.ask(
            creditor,
            sender,
            text,
            message_id=asked.message_id,
            locale=asked.locale,
            token=asked.token,
            remote=remote(request),
            seconds=SECONDS,
        )
        return web.json_response([answer(message, sender) for message in messages])

    async def before(request: web.Request) -> web.Response:
        origin = request.headers.get("Origin")
        if not origins.allow(origin):
            return _problem(403, "This origin is not on a creditor's list.")
        return _shared(web.Response(status=204), origin)

    return [web.post(PATH, ask), web.options(PATH, before)]


def _problem(status: int, detail: str) -> web.Response:
    """RFC 9457."""
    return web.json_response(
        {"type": "about:blank", "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
    )


def _shared(response: web.Response, origin: str | None) -> web.Response:
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Vary"] = "Origin"
    return response
