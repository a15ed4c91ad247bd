"""A person takes over in the desk, writes, and hands back; the other sees it in the same chat."""

import pytest

from core.message import Locale
from store.tables.talk import picture
from tests.billing.test_claims import JPEG
from tests.whole.people import Person, Phone, RestClient, Telegrammer, Visitor, act, colleague
from tests.whole.stage import Stage

WORDS = {
    "nl": ("ik heb dit nooit besteld", "Dag, ik zoek het uit. Heb je een momentje?", "dankjewel", "hallo"),
    "en": ("I never ordered this", "Hello, let me look that up for you.", "thank you", "hello"),
}


@pytest.mark.parametrize("locale", ["nl", "en"])
async def test_takes_over_writes_and_hands_back(stage: Stage, locale: str) -> None:
    trouble, answer, thanks, hello = WORDS[locale]
    person = await Visitor(stage, locale=locale).arrive()
    await person.say(trouble)
    talk = await person.conversation()
    agent = await colleague(stage)
    assert f'href="/desk/c/{talk.id}"' in await agent.page("/desk")
    assert trouble in await agent.page(f"/desk/c/{talk.id}")

    assert await act(stage, agent, talk.id, "take") == ["agent.joined"]
    assert await act(stage, agent, talk.id, "write", text=answer) == ["agent.text"]
    last = person.heard[-1]
    assert (last["text"], last["metadata"]["author"], last["metadata"]["name"]) == (answer, "agent", "Roos")

    # The bot is silent, and the engine is not called.
    events = (await person.conversation()).dialogue_events
    assert await person.say(thanks) == []
    assert (await person.conversation()).dialogue_events == events
    assert thanks in await agent.page(f"/desk/c/{talk.id}")

    assert await act(stage, agent, talk.id, "hand-back") == ["intro.ai_again"]
    assert person.heard[-1]["text"] == stage.effen.texts.text("intro.ai_again", Locale(locale), creditor="Bloem & Blad")
    talk = await person.conversation()
    assert (talk.state, talk.agent_id, talk.reason) == ("pending", None, None)
    assert await person.say(hello) == ["talk.greet"]


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "telegram", "rest"])
async def test_an_agents_words_reach_every_channel(stage: Stage, channel: str) -> None:
    people: dict[str, Person] = {
        "sms": Phone(stage),
        "whatsapp": Phone(stage, channel="whatsapp"),
        "telegram": Telegrammer(stage),
        "rest": RestClient(stage),
    }
    person = people[channel]
    await person.say("ik heb dit nooit besteld")
    talk = await person.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    await act(stage, agent, talk.id, "write", text="Dag, ik ben Roos.")
    assert "Dag, ik ben Roos." in (await person.texts())[-1]
    if channel in ("sms", "whatsapp"):
        assert "Dag, ik ben Roos." in stage.twilio.messages[0]["body"]
    if channel == "telegram":
        assert "Dag, ik ben Roos." in stage.telegram.messages[-1]["text"]
    if channel == "rest":
        # It comes with the next call; the bot says nothing of its own.
        await person.say("ben je er nog?")
        assert isinstance(person, RestClient)
        assert [answer["text"] for answer in person.answers][-1] == "Dag, ik ben Roos."


async def test_after_resolving_the_bot_answers_and_says_again_what_it_is(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    await person.say("ik wil een medewerker")
    talk = await person.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    await act(stage, agent, talk.id, "write", text="Opgelost!")
    assert await act(stage, agent, talk.id, "resolve") == []
    assert (await person.conversation()).state == "resolved"
    assert await person.say("hallo") == ["intro.ai", "talk.greet"]
    assert (await person.conversation()).state == "pending"


async def test_the_same_form_sent_twice_writes_once(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    await person.say("ik wil een medewerker")
    talk = await person.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    before = await stage.last()
    for _ in range(2):
        response = await agent.post(f"/desk/c/{talk.id}/write", text="Eén keer.", key="0" * 32)
        assert response.status == 303
    await stage.settled()
    assert await stage.said(before) == ["agent.text"]
    assert [line["text"] for line in person.heard].count("Eén keer.") == 1


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
async def test_a_picture_of_what_is_disputed_is_shown_to_an_agent(stage: Stage, channel: str) -> None:
    person: Person = Telegrammer(stage) if channel == "telegram" else Phone(stage, channel=channel)
    await person.say("hallo")
    stage.twilio.media["ME1"] = stage.telegram.files["ME1"] = JPEG
    await person.send("ME1")
    await stage.settled()
    assert await stage.rows(picture) == [], "nobody looks at it"
    await person.say("het is kapot aangekomen")
    assert await person.send("ME1", "zo zag de pot eruit") == ["dispute.noted"]
    kept = await stage.one(picture)
    assert (kept.media_type, kept.content) == ("image/jpeg", JPEG)
    browser = await colleague(stage)
    (talk,) = await stage.talks()
    page = await browser.page(f"/desk/c/{talk.id}")
    path = f"/desk/c/{talk.id}/pictures/{kept.id}"
    assert path in page and "ME1" not in page
    response = await browser.get(path)
    assert (response.content_type, await response.read()) == ("image/jpeg", JPEG)
    other = await Visitor(stage).arrive()
    await other.say("hallo")
    elsewhere = await browser.get(f"/desk/c/{(await other.conversation()).id}/pictures/{kept.id}")
    assert elsewhere.status == 404
