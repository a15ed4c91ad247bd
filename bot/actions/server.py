"""The actions' own listener: `POST /webhook`, for the engine alone."""

import hmac
from collections.abc import Iterable

import structlog
from aiohttp import web
from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionNotFoundException

from bot.actions import waiting

log = structlog.get_logger(__name__)


def executor(actions: Iterable[Action]) -> ActionExecutor:
    registered = ActionExecutor()
    for action in actions:
        registered.register_action(action)
    return registered


def routes(executor: ActionExecutor, token: str) -> list[web.RouteDef]:
    """401 for a wrong token, 404 for an unknown action, 500 where an action fails: the engine then fails the turn."""
    expected = f"Bearer {token}".encode()

    async def webhook(request: web.Request) -> web.Response:
        if not token or not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            return web.json_response({"error": "unauthorised"}, status=401)
        try:
            call = await request.json()
            name = str(call["next_action"])
            # The SDK insists on a domain; our actions do not read it, so the engine does not send it (endpoints.yml).
            call.setdefault("domain", {})
            call["tracker"] = waiting.heard(call.get("tracker") or {})
        except (ValueError, TypeError, KeyError):
            # Never 400: Rasa takes that for an action that lets others speak.
            return web.json_response({"error": "malformed"}, status=422)
        try:
            result = await executor.run(call)
        except ActionNotFoundException:
            log.error("action.unknown", action=name)
            return web.json_response({"error": "unknown action", "action_name": name}, status=404)
        except Exception as error:
            # Its name and place; its text may carry what a person wrote.
            log.error("action.failed", action=name, error=type(error).__name__, where=_where(error))
            return web.json_response({"error": type(error).__name__, "action_name": name}, status=500)
        return web.json_response(result.model_dump() if result else {"events": [], "responses": []})

    return [web.post("/webhook", webhook)]


def _where(error: BaseException) -> str:
    """File and line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
