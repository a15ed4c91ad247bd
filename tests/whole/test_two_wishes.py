"""Two wishes in one message: care comes first, and the second is noted, or offered next."""

import pytest

from store.tables.talk import conversation, inbound, outbound
from tests.whole.people import Phone, Visitor, colleague, logged_in
from tests.whole.stage import Stage

TWO = "hoeveel staat er nog open? en waar blijft mijn pakketje?"


async def test_the_second_is_offered_next(stage: Stage) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    assert (await person.say(TWO))[-2:] == ["balance.open", "talk.also"]
    assert (await stage.one(inbound)).parse["also"]["intent"] == "ask_order_status"
    assert (await person.tap("reading.ask_order_status"))[0].startswith("orders.")


@pytest.mark.parametrize(("answer", "key"), [("ja graag", "orders."), ("nee dank je", "talk.deny")])
async def test_a_word_will_do(stage: Stage, answer: str, key: str) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    await person.say(TWO)
    assert (await person.say(answer))[0].startswith(key)


async def test_it_waits_until_the_form_is_done(stage: Stage) -> None:
    person = Phone(stage, number="+31600000077")
    assert (await person.say(TWO))[-1] == "verify.ask_reference"
    assert (await person.say("2026-0042"))[-1].startswith("verify.ask_")
    said = await person.say("1234 AB")
    assert said[-2:] == ["balance.open", "talk.also"]
    assert (await person.say("ja"))[0].startswith("orders."), "and it is offered once"
    assert "talk.also" not in await stage.said(await stage.last() - 1)


async def test_care_comes_first_and_the_agent_knows_of_the_other(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    said = await person.say("ik ben mijn baan kwijt en kan echt niks betalen. tot hoe laat zijn jullie bereikbaar?")
    assert "care.hardship_unknown" in said and "talk.also" not in said
    talk = await stage.one(conversation, conversation.c.id == (await person.conversation()).id)
    assert (talk.reason, talk.summary["also"]) == ("hardship", "ask_contact_info")
    page = await (await colleague(stage)).page(f"/desk/c/{talk.id}")
    assert "Vroeg ook" in page


async def test_one_wish_is_one(stage: Stage) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    await person.say("hoeveel staat er nog open?")
    assert await stage.rows(outbound, outbound.c.key == "talk.also") == []
