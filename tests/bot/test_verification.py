"""Who is there: the form, its questions, and the wish that waits for it."""

import pytest

from core.hold import Reason
from tests.bot.talk import Talk
from tests.bot.world import World


async def test_a_wish_waits_for_the_form_and_is_carried_out(talk: Talk, world: World) -> None:
    asked = await talk.hear("wat staat er nog open?", "ask_balance")
    assert (asked.keys, asked.form) == (["verify.ask_reference"], "verify_form")
    asked = await talk.hear("2026-0042", "inform")
    assert (asked.keys, asked.form) == (["verify.ask_postcode"], "verify_form")
    said = await talk.hear("1234 ab", "inform")
    assert (said.keys, said.form) == (["balance.open"], None)
    assert said.options == ["pay"]
    assert world.verified


@pytest.mark.parametrize(
    "text",
    ["factuur 2026-0042, 1234 AB", "2026-0042 1234ab", "1234 AB en 2026-0042", "2026-0042\n1234ab"],
)
async def test_both_values_in_one_message(talk: Talk, text: str) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    said = await talk.hear(text, "inform")
    assert (said.keys, said.form) == (["balance.open"], None)


async def test_all_values_in_the_first_message(talk: Talk) -> None:
    said = await talk.hear("wat is er open op factuur 2026-0042, 1234 AB", "ask_balance")
    assert (said.keys, said.form) == (["balance.open"], None)
    said = await talk.hear("hallo", "greet")
    assert said.keys == ["talk.greet"]


async def test_who_is_known_is_not_asked(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear("wat staat er nog open?", "ask_balance", slots={"verified": True})
    assert (said.keys, said.form) == (["balance.open"], None)


@pytest.mark.parametrize(
    ("needs", "texts", "keys"),
    [
        pytest.param(
            ["postcode", "house_number"],
            ["2026-0042", "1234AB", "12"],
            ["verify.ask_postcode", "verify.ask_house_number", "balance.open"],
            id="Belgium asks the house number too",
        ),
        pytest.param(
            ["date_of_birth"],
            ["2026-0042", "31-12-1980"],
            ["verify.ask_date_of_birth", "balance.open"],
            id="a date of birth",
        ),
        pytest.param(["postcode"], ["2026 0042", "1234 ab."], ["verify.ask_postcode", "balance.open"], id="spaces"),
        pytest.param(
            ["postcode"], ["f2026-0042", "9000"], ["verify.ask_postcode", "balance.open"], id="lower case, Belgian"
        ),
    ],
)
async def test_answers_one_by_one(
    talk: Talk, world: World, needs: list[str], texts: list[str], keys: list[str]
) -> None:
    world.needs = needs
    person = {"postcode": "9000" if "9000" in texts else "1234AB", "house_number": "12", "date_of_birth": "1980-12-31"}
    world.people = {"2026-0042": person, "F2026-0042": person}
    await talk.hear("wat staat er nog open?", "ask_balance")
    assert [key for text in texts for key in (await talk.hear(text, "inform")).keys] == keys


async def test_three_wrong_answers_and_a_person_helps(talk: Talk, world: World) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    for left in (2, 1):
        said = await talk.hear("2026-9999 1234 AB", "inform")
        assert (said.keys, said.args, said.form) == (["verify.wrong"], {"n": left}, "verify_form")
    said = await talk.hear("2026-9999 1234 AB", "inform")
    assert (said.keys, said.form) == (["verify.locked", "handoff.when_open"], None)
    assert world.handoffs == [(Reason.VERIFICATION, {"wish": "ask_balance"})]


async def test_after_a_wrong_pair_both_are_asked_again(talk: Talk, world: World) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    await talk.hear("2026-0042", "inform")
    said = await talk.hear("9999 ZZ", "inform")
    assert said.keys == ["verify.wrong"]
    assert (await talk.hear("1234 AB", "inform")).keys == ["verify.ask_reference"]
    assert (await talk.hear("2026-0042", "inform")).keys == ["balance.open"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [("geen idee", "out_of_scope"), ("ja", "affirm"), ("van Anna", "inform"), ("12", "inform")],
)
async def test_what_is_no_number_is_explained_with_an_example(talk: Talk, text: str, intent: str) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    said = await talk.hear(text, intent)
    assert (said.keys, said.form) == (["verify.unclear_reference"], "verify_form")


@pytest.mark.parametrize(
    ("text", "intent", "key"),
    [
        ("ben je een robot?", "bot_challenge", "talk.bot_challenge"),
        ("is dit wel echt?", "verify_legitimacy", "legitimacy.answer"),
        ("is factuur 2026-0042 wel echt van jullie?", "verify_legitimacy", "legitimacy.answer"),
        ("wat kan ik hier doen", "help", "talk.help"),
        ("wat zijn jullie openingstijden", "ask_contact_info", "contact.here"),
        ("hoeveel water heeft een monstera nodig", "ask_product", "answer.none"),
        ("hoe kan ik betalen", "ask_payment_methods", "payment_methods.list"),
        ("dank je", "thank", "talk.thank"),
    ],
)
async def test_a_question_is_answered_and_the_form_goes_on(talk: Talk, text: str, intent: str, key: str) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    said = await talk.hear(text, intent)
    assert said.keys[0] == key
    assert said.keys[-1] in ("verify.ask_reference", "verify.ask_postcode")
    assert said.form == "verify_form"


async def test_another_wish_takes_the_place_of_the_first(talk: Talk, world: World) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    said = await talk.hear("laat maar, ik wil gewoon betalen", "pay")
    assert (said.keys, said.form) == (["verify.ask_reference"], "verify_form")
    said = await talk.hear("2026-0042 1234AB", "inform")
    assert (said.keys, said.form) == (["payment_link.issued"], None)


@pytest.mark.parametrize("intent", ["cancel", "deny"])
async def test_leaving_the_form(talk: Talk, world: World, intent: str) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    await talk.hear("2026-0042", "inform")
    said = await talk.hear("laat maar", intent)
    assert (said.keys, said.form) == (["talk.cancelled"], None)
    assert said.body["slots"] == {}
    assert (await talk.hear("1234 AB", "inform")).keys == ["talk.inform"]
    assert (await talk.hear("toch mijn saldo", "ask_balance")).keys == ["verify.ask_reference"]


@pytest.mark.parametrize(
    ("intent", "keys"),
    [
        ("goodbye", ["talk.goodbye"]),
        ("wrong_person", ["wrong_person.sorry"]),
        ("opt_out", ["opt_out.done"]),
        ("human", ["handoff.human", "handoff.when_open"]),
        ("dispute/amount", ["dispute.amount", "handoff.when_open", "dispute.ask"]),
        ("self_harm", ["care.self_harm", "care.self_harm_open"]),
    ],
)
async def test_what_leaves_nothing_to_ask_ends_the_form(talk: Talk, intent: str, keys: list[str]) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    said = await talk.hear("…", intent)
    assert (said.keys, said.form) == (keys, None)


async def test_verified_meanwhile(talk: Talk, world: World) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    world.verified = True
    said = await talk.hear("ben je een robot?", "bot_challenge")
    assert (said.keys, said.form) == (["talk.bot_challenge", "balance.open"], None)


async def test_care_ends_the_form(talk: Talk, world: World) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    said = await talk.hear("ik ben mijn baan kwijt", "hardship", interrupt=True)
    assert said.keys == ["care.hardship", "handoff.when_open"]
    assert said.form is None
    assert world.handoffs == [(Reason.HARDSHIP, {})]
