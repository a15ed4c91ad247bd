"""The training inbox: opt-in, masked, judged by a lead, exported for an engineer."""

from typing import Any

import pytest
import yaml

from conversations import training
from conversations.retention import DEFAULTS, Retention
from conversations.training import INTENTS, Training, accepted, as_yaml, learn
from core.agent import Agent, NotAllowed, Role
from core.errors import BadInput, NotFound
from core.ids import AgentId, CreditorKey
from core.message import Option, Say
from store.database import Database
from store.tables.staff import audit
from store.tables.talk import inbound, sentence
from tests.clock import FakeClock
from tests.conversations.house import CREDITOR, House, Wire
from tests.conversations.test_retention import Engine


def agent(role: Role = Role.SUPERVISOR, creditor: CreditorKey = CREDITOR) -> Agent:
    return Agent(AgentId("roos"), creditor, "roos@bloem.example", "Roos Wilg", role)


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    return await House(database, clock, Wire()).furnish()


async def chose(house: House, text: str, chosen: str, key: str = "talk.unsure", **heard: Any) -> None:
    """`text` was not certain; a button of the question was tapped."""
    turn = await house.hears(text)
    parse = {"language": "nl", "readings": ["pay", "ask_fees"]}
    async with house.db.begin() as tx:
        await tx.execute(inbound.update().where(inbound.c.id == turn).values(parse=parse, **heard))
    asked = await house.put(turn, Say(key, options=[Option("reading.pay", "pay")]), f"turn:{turn}", turn=turn)
    for _ in range(2):
        async with house.db.begin() as tx:
            await learn(tx, asked, chosen, house.clock.now())


async def test_what_was_chosen_is_kept_once_and_masked(house: House) -> None:
    await chose(house, "iets met 2026-0042, groetjes Anna", "ask_fees")
    (row,) = await house.rows(sentence)
    assert (row.text, row.language, row.readings) == ("iets met 0000-0000, groetjes …", "nl", ["pay", "ask_fees"])
    assert (row.chosen, row.intent) == ("ask_fees", None)


@pytest.mark.parametrize(
    ("text", "key", "heard"),
    [
        pytest.param("geld", "talk.not_understood", {}, id="a button of another message"),
        pytest.param("geld", "talk.unsure", {"care": "hardship"}, id="care"),
        pytest.param("geld " * 101, "talk.unsure", {}, id="a story"),
    ],
)
async def test_what_is_not_kept(house: House, text: str, key: str, heard: dict[str, Any]) -> None:
    await chose(house, text, "pay", key, **heard)
    assert await house.rows(sentence) == []


async def test_a_lead_judges(house: House) -> None:
    await chose(house, "eerste", "pay")
    house.clock.advance(minutes=1)
    await chose(house, "tweede", "out_of_scope")
    desk = Training(house.db, house.clock)
    first, second = await desk.waiting(agent())
    assert (first.text, second.chosen) == ("eerste", "out_of_scope")
    await desk.accept(agent(), first.id, "pay_part")
    await desk.discard(agent(), second.id)
    await desk.discard(agent(), second.id)
    assert await desk.waiting(agent()) == []
    assert [row.action for row in await house.rows(audit)] == ["accept_sentence", "discard_sentence"]
    kept = await accepted(house.db, "nl")
    assert [(each.text, each.intent) for each in kept] == [("eerste", "pay_part")]
    assert await accepted(house.db, "de") == []
    assert await accepted(house.db, "nl", CreditorKey("tulp")) == []


async def test_who_and_what_is_refused(house: House) -> None:
    await chose(house, "geld", "pay")
    desk = Training(house.db, house.clock)
    (waiting,) = await desk.waiting(agent())
    for role in (Role.AGENT, Role.MARKETER, Role.CARE):
        with pytest.raises(NotAllowed):
            await desk.accept(agent(role), waiting.id, "pay")
    with pytest.raises(BadInput):
        await desk.accept(agent(), waiting.id, "no_such_intent")
    with pytest.raises(NotFound):
        await desk.accept(agent(creditor=CreditorKey("tulp")), waiting.id, "pay")
    await desk.discard(agent(creditor=CreditorKey("tulp")), waiting.id)
    assert len(await house.rows(sentence)) == 1


async def test_sentences_do_not_stay_for_ever(house: House) -> None:
    await chose(house, "geld", "pay")
    house.clock.advance(days=DEFAULTS["training"] + 1)
    await Retention(house.db, house.clock, Engine()).run()  # type: ignore[arg-type]
    assert await house.rows(sentence) == []


def test_the_file_is_training_data() -> None:
    def one(text: str, intent: str) -> training.Sentence:
        return training.Sentence("id", text, "nl", (), intent, intent, FakeClock().now())

    text = as_yaml(
        [one("geld: [nu](x)", "pay"), one("geld", "pay"), one("geld", "pay"), one("# wat", "dispute/amount")]
    )
    assert yaml.safe_load(text) == {
        "version": "3.1",
        "nlu": [
            {"intent": "pay", "examples": "- geld: (nu)(x)\n- geld\n"},
            {"intent": "dispute/amount", "examples": "- # wat\n"},
        ],
    }
    assert as_yaml([]) == ""


def test_intents_are_those_of_the_training_data() -> None:
    from app.repository import SENTENCES

    trained = {
        str(entry["intent"])
        for file in (SENTENCES / "nl").glob("*.yml")
        for entry in yaml.safe_load(file.read_text("utf-8"))["nlu"]
    }
    assert set(INTENTS) == trained
