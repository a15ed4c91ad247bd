"""The engine's only way in: `POST /webhooks/effen/turns` with a bearer token, one turn, one answer.

    {"turn": "…", "dialogue": "…", "text": "…", "parse": {…}, "slots": {…}, "interrupt": false, "said": null | {…}}
    → {"turn": "…", "says": […], "form": null | "verify_form", "events": 23, "slots": {…}}

401 for a wrong token, 400 for a malformed request, 502 where an action or the store failed: then nothing of the turn is
saved, and it may be tried again. The same turn twice is one turn: its answer is read from the dialogue's own events.
"""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any

import structlog
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.constants import ACTION_LISTEN_NAME, DEFAULT_INTENTS, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import InvalidConfigException
from sanic import Blueprint, Request, Sanic
from sanic.response import HTTPResponse, json
from sqlalchemy import func

from bot.engine.dialogues import Dialogues
from bot.engine.patches import TurnFailed

log = structlog.get_logger(__name__)

# What understanding says when it does not know; a name that the domain lacks counts as that.
_NOT_UNDERSTOOD = "out_of_scope"
# Few enough for one statement's parameters; the rest goes the next day.
_ERASED_AT_ONCE = 500


class Malformed(Exception):
    """The request lacks something, or names a slot that the domain does not have."""


@dataclass(frozen=True)
class Turn:
    id: str
    dialogue: str
    text: str
    parse: Mapping[str, Any] | None  # None: the pipeline understands it
    slots: Mapping[str, Any]
    interrupt: bool
    said: Mapping[str, Any] | None  # in the session before this one, last: a yes may be meant for it

    @classmethod
    def read(cls, body: Any, domain: Domain) -> Turn:
        """Raises Malformed."""
        if not isinstance(body, dict):
            raise Malformed("not an object")
        shapes: dict[str, Any] = {
            "turn": str,
            "dialogue": str,
            "text": str,
            "slots": dict,
            "interrupt": bool,
            "said": (dict, NoneType),
        }
        given = {"slots": {}, "interrupt": False, "said": None, **body}
        wrong = [name for name, shape in shapes.items() if not isinstance(given.get(name), shape)]
        if wrong or not body["turn"] or not body["dialogue"]:
            raise Malformed(", ".join(wrong) or "turn, dialogue")
        if unknown := set(given["slots"]) - {slot.name for slot in domain.slots}:
            raise Malformed(f"slots: {', '.join(sorted(unknown))}")
        return cls(
            given["turn"],
            given["dialogue"],
            given["text"],
            _parse(given.get("parse"), given["text"], domain),
            given["slots"],
            given["interrupt"],
            given["said"],
        )


def _parse(given: Any, text: str, domain: Domain) -> dict[str, Any] | None:
    if given is None:
        return None
    try:
        intent = dict(given["intent"])
        entities = [dict(entity) for entity in given.get("entities", [])]
        name, _, reason = str(intent["name"]).partition("/")
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise Malformed("parse") from error
    if reason:
        entities.append({"entity": f"{name}_reason", "value": reason})
    if name not in domain.intents or name in DEFAULT_INTENTS:
        name = _NOT_UNDERSTOOD
    return {**given, "text": text, "intent": {**intent, "name": name}, "entities": entities}


class Turns(InputChannel):
    """`carried`: the slots that the app passes on to the dialogue's next session."""

    def __init__(self, token: str, carried: list[str]) -> None:
        self._token = token.encode()
        self._carried = carried

    @classmethod
    def name(cls) -> str:
        return "effen"

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> Turns:
        """Raises InvalidConfigException without a token: an engine that anyone can talk to does not start."""
        token = str((credentials or {}).get("token") or "").strip()
        if not token:
            raise InvalidConfigException("The engine needs EFFEN_ENGINE_TOKEN, the app's own secret for it.")
        return cls(token, list((credentials or {}).get("carried", [])))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("effen_turns")

        @routes.get("/")
        async def health(request: Request) -> HTTPResponse:
            ready = _agent(request.app) is not None
            return json({"status": "ok" if ready else "no model"}, status=200 if ready else 503)

        @routes.post("/turns")
        async def turns(request: Request) -> HTTPResponse:
            if not self._allowed(request):
                return json({"error": "unauthorised"}, status=401)
            agent = _agent(request.app)
            if agent is None:
                return json({"error": "no model"}, status=503)
            try:
                turn = Turn.read(request.json, agent.domain)
            except Malformed as error:
                return json({"error": f"malformed: {error}"}, status=400)
            try:
                return json(await self.answer(agent, turn))
            except Exception as error:
                # Names only: an exception's text may carry what a person wrote.
                names = [type(error).__name__, *([str(error)] if isinstance(error, TurnFailed) else [])]
                log.error("turn.failed", turn=turn.id, error=": ".join(names))
                return json({"error": ": ".join(names)}, status=502)

        @routes.post("/forget")
        async def forget(request: Request) -> HTTPResponse:
            if not self._allowed(request):
                return json({"error": "unauthorised"}, status=401)
            before = (request.json or {}).get("before") if isinstance(request.json, dict) else None
            agent = _agent(request.app)
            if agent is None or not isinstance(before, (int, float)):
                return json({"error": "malformed: before"}, status=400)
            return json({"dialogues": erase(agent.tracker_store, float(before))})

        return routes

    def _allowed(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self._token)

    async def answer(self, agent: Agent, turn: Turn) -> dict[str, Any]:
        """Take the turn, or find the answer that it has. Raises TurnFailed, and whatever the store raises."""
        processor = agent.processor
        sink = CollectingOutputChannel()
        async with agent.lock_store.lock(turn.dialogue):
            tracker = await processor.fetch_tracker_and_update_session(turn.dialogue, sink)
            answer = self._recorded(tracker, turn.id, processor.domain)
            if answer is not None:
                return answer
            tracker.update_with_events(_before(tracker, turn), processor.domain)
            message = UserMessage(
                turn.text,
                sink,
                turn.dialogue,
                parse_data=turn.parse,
                input_channel=self.name(),
                message_id=turn.id,
                metadata={"turn": turn.id},
            )
            # MessageProcessor.handle_message, without the look-ups that it repeats.
            await processor._handle_message_with_tracker(message, tracker)
            tracker = await processor.run_action_extract_slots(sink, tracker)
            await processor._run_prediction_loop(sink, tracker)
            if tracker.latest_action_name != ACTION_LISTEN_NAME:
                raise TurnFailed("the dialogue found no end")
            await processor.save_tracker(tracker)
            answer = self._recorded(tracker, turn.id, processor.domain)
            assert answer is not None
            return answer

    def _recorded(self, tracker: DialogueStateTracker, turn: str, domain: Domain) -> dict[str, Any] | None:
        """The answer as the dialogue's events tell it, up to where the bot listened again; None for a new turn."""
        events: list[Event] = list(tracker.events)
        start = next((i for i, e in enumerate(events) if isinstance(e, UserUttered) and e.message_id == turn), None)
        if start is None:
            return None
        listened = (
            i + 1
            for i, event in enumerate(itertools.islice(events, start, None), start)
            if isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
        )
        end = next(listened, len(events))
        # A reload leaves out what came before the session's start.
        session = max((i for i, event in enumerate(events) if isinstance(event, SessionStarted)), default=0)
        then = tracker if end == len(events) else DialogueStateTracker.from_events(turn, events[:end], domain.slots)
        return {
            "turn": turn,
            "says": [event.data["custom"] for event in events[start:end] if isinstance(event, BotUttered)],
            "form": then.active_loop_name,
            "events": end - session,
            "slots": {name: then.get_slot(name) for name in self._carried if then.get_slot(name) is not None},
        }


def erase(store: Dialogues, before: float) -> int:
    """Delete the dialogues whose last event is older than `before` (seconds since 1970); how many."""
    event = store.SQLEvent
    with store.session_scope() as session:
        over = [
            name
            for (name,) in session.query(event.sender_id)
            .group_by(event.sender_id)
            .having(func.max(event.timestamp) < before)
            .limit(_ERASED_AT_ONCE)
        ]
        session.query(event).filter(event.sender_id.in_(over)).delete(synchronize_session=False)
        session.commit()
    return len(over)


def _before(tracker: DialogueStateTracker, turn: Turn) -> list[Event]:
    """What is known before the message is heard: what was said last, that a form ends, and facts that differ."""
    events: list[Event] = [BotUttered(data={"custom": dict(turn.said)})] if turn.said else []
    if turn.interrupt and tracker.active_loop_name:
        events += [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)]
    return events + [SlotSet(name, value) for name, value in turn.slots.items() if tracker.get_slot(name) != value]


def _agent(app: Sanic[Any, Any]) -> Agent | None:
    agent = getattr(app.ctx, "agent", None)
    if agent is None or not agent.is_ready():
        return None
    # Rasa goes on in memory where it cannot load a store: then there is no engine.
    return agent if isinstance(agent.tracker_store, Dialogues) else None
