"""Questions about products, terms and orders: from what the shop has published, or an honest "I don't know"."""

import pytest

from store.tables.talk import outbound
from tests.whole.people import Phone, Visitor, logged_in
from tests.whole.stage import Stage


@pytest.mark.parametrize(
    ("locale", "question", "told"),
    [
        ("nl", "hoe groot wordt de monstera?", "2 meter"),
        ("nl", "wat kost de verzending?", "5,95"),
        ("nl", "kan ik achteraf betalen?", "14 dagen"),
        ("en", "can I send something back?", "30 days"),
    ],
)
async def test_answers_from_what_is_published(stage: Stage, locale: str, question: str, told: str) -> None:
    visitor = await Visitor(stage, locale=locale).arrive()
    said = await visitor.say(question)
    assert len(said) == 1 and said[0].startswith("answer.found")
    assert told in (await visitor.texts())[-1]


@pytest.mark.parametrize(
    ("locale", "question"),
    [
        ("nl", "verkopen jullie ook elektrische fietsen?"),
        ("en", "do you sell garden gnomes?"),
        ("en", "how big does the stegosaurus get?"),
    ],
)
async def test_what_nobody_has_published_is_not_made_up(stage: Stage, locale: str, question: str) -> None:
    visitor = await Visitor(stage, locale=locale).arrive()
    (said,) = await visitor.say(question)
    assert said in ("answer.none", "answer.suggestions", "talk.not_understood")
    last = (await stage.rows(outbound))[-1]

    async def heard() -> bool:
        return bool(visitor.heard[-1]["metadata"]["id"] == last.id)

    await stage.until(heard, "the answer")
    assert visitor.heard[-1]["quick_replies"], "something to go on with"


@pytest.mark.parametrize(("locale", "question"), [("nl", "waar is mijn bestelling?"), ("en", "where is my order?")])
async def test_order_facts_are_for_verified_people(stage: Stage, locale: str, question: str) -> None:
    stranger = await Visitor(stage, locale=locale).arrive()
    assert await stranger.say(question) == ["verify.ask_reference"]
    assert await stranger.say("2026-0042") == ["verify.ask_postcode"]
    assert not any("B-5001" in text for text in await stranger.texts())
    said = await stranger.say("1234 AB")
    assert said[0] == "orders.list"
    assert any("B-5001" in text for text in await stranger.texts())


async def test_a_customer_of_the_shop_sees_only_her_own_orders(stage: Stage) -> None:
    customer = await Visitor(stage, token=logged_in(stage, "K-1003"), locale="en").arrive()
    await customer.say("where is my order?")
    texts = " ".join(await customer.texts())
    assert "B-5003" in texts and "B-5001" not in texts


async def test_a_number_on_file_is_no_proof(stage: Stage) -> None:
    phone = Phone(stage, channel="whatsapp", number="+31600000001")
    assert (await phone.say("waar blijft mijn pakket?"))[-1] == "verify.ask_reference"
