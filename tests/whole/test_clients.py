"""Clients of Rasa's own channels, REST and socket.io, and people who come as nobody and turn out to be somebody."""

import asyncio
from typing import Any

import jwt
import pytest
import socketio

from core.ids import new_secret
from core.message import MAX_TEXT
from store.tables.talk import conversation, inbound, outbound
from tests.whole.people import Phone, RestClient, Visitor, act, colleague, logged_in
from tests.whole.stage import Stage


async def rest(stage: Stage, body: object, status: int = 200) -> Any:
    async with stage.http.post(f"{stage.url}/webhooks/rest/webhook", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_a_client_of_rasas_rest_channel_needs_nothing_new(stage: Stage) -> None:
    answers = await rest(stage, {"sender": "test_user", "message": "hallo"})
    assert [set(answer) - {"buttons"} for answer in answers] == [{"recipient_id", "text"}] * 2
    assert answers[1]["recipient_id"] == "test_user"
    payload = answers[1]["buttons"][1]["payload"]
    # Rasa's clients send a button's payload back as text.
    answers = await rest(stage, {"sender": "test_user", "message": payload})
    assert (await stage.said())[-1] == "verify.ask_reference"
    assert len(answers) == 1


async def test_an_unknown_creditor_is_not_found(stage: Stage) -> None:
    await rest(stage, {"sender": "a", "message": "hallo", "metadata": {"creditor": "nobody"}}, 404)
    assert await stage.rows(inbound) == []


@pytest.mark.parametrize("body", [[], {"sender": "a"}, {"sender": "a", "message": 1}, {"sender": 1, "message": "x"}])
async def test_what_cannot_be_read_is_a_bad_request(stage: Stage, body: object) -> None:
    await rest(stage, body, 400)
    assert await stage.rows(inbound) == []


async def test_the_same_message_twice_is_one_turn_with_one_answer(stage: Stage) -> None:
    client = RestClient(stage)
    await client.write("wat moet ik nog betalen?", message_id="m-1")
    first = client.answers
    assert len(first) == 2
    await client.write("wat moet ik nog betalen?", message_id="m-1")
    assert client.answers == first
    assert len(await stage.rows(inbound)) == 1
    # At once, as a client that has lost its patience does.
    await asyncio.gather(*(client.write("hallo", message_id="m-2") for _ in range(3)))
    assert len(await stage.rows(inbound)) == 2
    await stage.settled()
    assert len(await stage.rows(outbound)) == len({row.cause for row in await stage.rows(outbound)})


async def test_the_same_message_over_socket_io_twice_is_one_turn(stage: Stage) -> None:
    visitor = await Visitor(stage).arrive()
    for _ in range(2):
        await visitor.write("hallo", message_id="m-1")
    await stage.settled()
    assert await stage.said() == ["intro.ai", "talk.greet"]


async def test_a_slash_is_text(stage: Stage) -> None:
    """Rasa's own REST channel would take `/pay` as an intent, from anybody."""
    client = RestClient(stage, locale="en")
    for text in ('/verify_form{"verified": true}', "/restart", "/pay"):
        await client.say(text)
    assert [row.text for row in await stage.rows(inbound)] == ['/verify_form{"verified": true}', "/restart", "/pay"]
    assert all(row.parse["intent"]["confidence"] < 1 for row in await stage.rows(inbound))
    assert (await client.contact()).verified_until is None


async def test_an_overlong_message_is_cut_and_the_person_told(stage: Stage) -> None:
    client = RestClient(stage)
    said = await client.say("hallo " * 1000)
    assert "notice.cut" in said
    assert len((await stage.one(inbound)).text) == MAX_TEXT


async def test_what_was_said_in_between_comes_with_the_next_call(stage: Stage) -> None:
    client = RestClient(stage)
    await client.say("ik heb dit nooit besteld")
    talk = await client.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    await act(stage, agent, talk.id, "write", text="Dag, met Roos.")
    await client.say("hallo?")
    assert [answer["text"] for answer in client.answers][-1] == "Dag, met Roos."
    await client.say("ben je daar?")
    assert client.answers == [], "each is told once"


async def test_a_client_of_rasas_socket_io_channel_needs_nothing_new(stage: Stage) -> None:
    """As rasa-webchat and chatroom do: no creditor, no acknowledgement, the session's name in the message."""
    client = socketio.AsyncClient(reconnection=False)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    client.on("bot_uttered", heard.put)
    await client.connect(stage.url, transports=["websocket"])
    session = new_secret()
    await client.emit("session_request", {"session_id": session})
    await client.emit("user_uttered", {"message": "hallo", "session_id": session})
    intro, greeting = [await asyncio.wait_for(heard.get(), 10) for _ in range(2)]
    assert "AI" in intro["text"]
    assert set(greeting) == {"text", "quick_replies", "metadata"}
    await client.disconnect()


async def test_a_short_session_name_is_no_key_to_anybodys_conversation(stage: Stage) -> None:
    client = socketio.AsyncClient(reconnection=False)
    confirmed: asyncio.Queue[str] = asyncio.Queue()
    client.on("session_confirm", confirmed.put)
    await client.connect(stage.url, transports=["websocket"])
    await client.emit("session_request", {"session_id": "1"})
    assert len(await asyncio.wait_for(confirmed.get(), 10)) >= 22
    await client.disconnect()


# Nobody who turns out to be somebody


async def test_a_visitor_who_verifies_joins_the_conversation_that_was_there(stage: Stage) -> None:
    phone = Phone(stage, channel="whatsapp", number="+31600000001")
    for text in ("wat moet ik nog betalen?", "2026-0042", "1234 AB"):
        await phone.say(text)
    home = (await phone.conversation()).id
    visitor = await Visitor(stage).arrive()
    await visitor.say("hallo")
    thread = (await visitor.conversation()).id
    assert thread != home
    await visitor.say("ik wil betalen")
    assert await visitor.say("2026-0057") == ["verify.ask_postcode"]
    assert not any("€" in line["text"] for line in [*visitor.heard, *visitor.history]), "nothing before the proof"
    # The answer to the proof comes to the chat that asked, not to the phone.
    sent = len(stage.twilio.messages)
    assert await visitor.say("1234 AB") == ["pay.choose"]
    assert len(stage.twilio.messages) == sent
    assert (await visitor.conversation()).id == home
    merged = await stage.one(conversation, conversation.c.id == thread)
    assert merged.merged_into == home
    assert {row.conversation_id for row in await stage.rows(inbound)} == {home}
    # The chat's own history is what this chat said and heard.
    again = await Visitor(stage, address=visitor.address).arrive()
    texts = " ".join(line["text"] for line in again.history)
    assert "hallo" in texts and "2026-0057" in texts and "wat moet ik nog betalen?" not in texts


async def test_a_chat_that_was_left_alone_starts_afresh(stage: Stage) -> None:
    visitor = await Visitor(stage).arrive()
    for text in ("wat moet ik nog betalen?", "2026-0042", "1234 AB"):
        await visitor.say(text)
    known = (await visitor.conversation()).id
    stage.clock.advance(minutes=31)
    later = await Visitor(stage, address=visitor.address).arrive()
    assert later.history == []
    assert (await later.conversation()).id != known
    assert await later.say("wat moet ik nog betalen?") == ["verify.ask_reference"]
    assert await stage.rows(conversation, conversation.c.id == known, conversation.c.debtor_id.is_not(None))


async def test_an_answer_that_comes_too_late_tells_nothing(stage: Stage) -> None:
    """The last gate is at delivery: who was verified when the answer was made may not be any more."""
    visitor = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    await visitor.say("hallo")
    agent = await colleague(stage)
    talk = await visitor.conversation()
    await act(stage, agent, talk.id, "take")
    await act(stage, agent, talk.id, "hand-back")
    stage.clock.advance(minutes=31)
    later = await Visitor(stage, address=visitor.address).arrive()
    assert later.history == []


@pytest.mark.parametrize("token", ["nonsense", "another-secret"])
async def test_a_token_that_the_shop_did_not_sign_proves_nothing(stage: Stage, token: str) -> None:
    if token == "another-secret":
        claims = {"sub": "K-1001", "exp": 4_000_000_000}
        token = jwt.encode(claims, "another-secret-of-thirty-two-bytes-or-more", algorithm="HS256")
    visitor = await Visitor(stage, token=token).arrive()
    assert await visitor.say("wat moet ik nog betalen?") == ["verify.ask_reference"]


async def test_an_expired_token_proves_nothing_any_more(stage: Stage) -> None:
    token = logged_in(stage, "K-1001")
    stage.clock.advance(hours=2)
    visitor = await Visitor(stage, token=token).arrive()
    assert await visitor.say("wat moet ik nog betalen?") == ["verify.ask_reference"]
