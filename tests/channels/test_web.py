"""What the web chat and REST say, in Rasa's shapes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.web import WEB, Web, answer, utterances
from core.errors import BadInput, BadSignature
from core.message import Address, Choice, Webhook
from tests.channels.desk import rendered

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PAY = Choice("b-1", "Betalen")
LINK = Choice("b-2", "Naar betaalpagina", "https://effen.example/p/abc")


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        pytest.param({}, [{"text"}], id="text"),
        pytest.param({"choices": [PAY]}, [{"text", "quick_replies"}], id="buttons"),
        pytest.param({"image": "https://effen.example/q.png"}, [{"text"}, {"attachment"}], id="picture"),
        pytest.param(
            {"choices": [PAY, LINK], "image": "https://effen.example/q.png"},
            [{"text", "quick_replies"}, {"attachment"}],
            id="buttons and picture",
        ),
    ],
)
def test_rasa_webchat_shows_only_these_keys(more: dict[str, Any], keys: list[set[str]]) -> None:
    assert [set(said) - {"metadata"} for said in utterances(rendered(**more))] == keys


def test_everything_of_ours_is_in_the_metadata() -> None:
    message = rendered(choices=[PAY, LINK], image="https://e.example/q.png", author="agent", name="Sanne", at=AT)
    said, picture = utterances(message)
    assert said["metadata"] == {
        "id": "m1",
        "author": "agent",
        "name": "Sanne",
        "at": "2026-11-24T09:00:00+00:00",
        "choices": [
            {"id": "b-1", "title": "Betalen", "url": None},
            {"id": "b-2", "title": "Naar betaalpagina", "url": "https://effen.example/p/abc"},
        ],
        "image": "https://e.example/q.png",
    }
    assert said["quick_replies"] == [
        {"content_type": "text", "title": "Betalen", "payload": "b-1"},
        {
            "content_type": "text",
            "title": "Naar betaalpagina",
            "payload": "b-2",
            "type": "web_url",
            "url": "https://effen.example/p/abc",
        },
    ]
    assert picture["attachment"] == {"type": "image", "payload": {"src": "https://e.example/q.png"}}
    assert picture["metadata"]["id"] == said["metadata"]["id"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, {"recipient_id": "me", "text": "Hallo"}, id="text"),
        pytest.param(
            {"choices": [PAY]},
            {"recipient_id": "me", "text": "Hallo", "buttons": [{"title": "Betalen", "payload": "b-1"}]},
            id="buttons",
        ),
        pytest.param(
            {"image": "https://e.example/q.png"},
            {"recipient_id": "me", "text": "Hallo", "image": "https://e.example/q.png"},
            id="picture",
        ),
    ],
)
def test_rest_answers_as_rasa_does(more: dict[str, Any], expected: dict[str, Any]) -> None:
    assert answer(rendered(**more), "me") == expected


async def test_send_emits_to_the_session_of_the_creditor() -> None:
    emitted: list[tuple[str, str, Mapping[str, Any]]] = []

    async def emit(account: str, address: Address, payload: Mapping[str, Any]) -> None:
        emitted.append((account, address, payload))

    assert await Web("web", WEB, emit).send(rendered()) == "m1"
    assert [(account, address, payload["text"]) for account, address, payload in emitted] == [("bloem", "s1", "Hallo")]


async def test_no_webhook_opens_the_web_chat() -> None:
    async def emit(account: str, address: Address, payload: Mapping[str, Any]) -> None:
        raise AssertionError

    channel = Web("web", WEB, emit)
    webhook = Webhook("POST", "https://effen.example/x", {}, b"")
    with pytest.raises(BadSignature):
        channel.verify(webhook)
    with pytest.raises(BadInput):
        channel.parse(webhook)
