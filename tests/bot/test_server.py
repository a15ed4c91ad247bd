"""The actions' listener."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from rasa_sdk import Action

from bot.actions.server import executor, routes


class Fails(Action):
    def name(self) -> str:
        return "action_fails"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        raise RuntimeError("Anna woont in de Kerkstraat")


class Says(Action):
    def name(self) -> str:
        return "action_says"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        dispatcher.utter_message(json_message={"key": "talk.greet"})
        return []


def call(name: str) -> dict[str, Any]:
    return {"next_action": name, "sender_id": "a", "tracker": {"sender_id": "a", "slots": {}, "events": []}}


@pytest.mark.parametrize(
    ("token", "authorization", "body", "status"),
    [
        pytest.param("secret", "Bearer secret", call("action_says"), 200, id="an action"),
        pytest.param("secret", "Bearer secret", call("action_fails"), 500, id="an action that fails"),
        pytest.param("secret", "Bearer secret", call("action_unheard_of"), 404, id="an unknown action"),
        pytest.param("secret", "Bearer secret", {}, 422, id="no action"),
        pytest.param("secret", "Bearer secret", [], 422, id="no object"),
        pytest.param("secret", "Bearer wrong", call("action_says"), 401, id="a wrong token"),
        pytest.param("secret", "", call("action_says"), 401, id="no token"),
        pytest.param("", "Bearer ", call("action_says"), 401, id="no token set"),
    ],
)
async def test_answers(
    token: str, authorization: str, body: Any, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    app = web.Application()
    app.add_routes(routes(executor([Says(), Fails()]), token))
    async with TestClient(TestServer(app)) as client:
        response = await client.post("/webhook", json=body, headers={"Authorization": authorization})
        assert response.status == status
        text = await response.text()
    if status == 200:
        assert "talk.greet" in text
    assert "Anna" not in text + capsys.readouterr().out
