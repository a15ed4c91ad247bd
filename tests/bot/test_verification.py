"""Who is there: the form, its questions, and the wish that waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from core.hold import Reason
from tests.bot.talk import Talk
from tests.bot.world import World, invoice


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
        ("dispute/amount", ["dispute.unknown", "handoff.when_open", "dispute.ask"]),
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
    assert said.keys == ["care.hardship_unknown", "handoff.when_open"]
    assert said.form is None
    assert world.handoffs == [(Reason.HARDSHIP, {})]


async def test_who_was_unknown_in_trouble_and_says_who_they_are_hears_what_stops(talk: Talk, world: World) -> None:
    await talk.hear("wat staat er nog open?", "ask_balance")
    await talk.hear("ik ben mijn baan kwijt", "hardship", interrupt=True)
    said = await talk.hear("2026-0042", "inform")
    assert (said.keys, said.form) == (["verify.ask_postcode"], "verify_form")
    world.held = frozenset([Reason.HARDSHIP])
    said = await talk.hear("1234 AB", "inform")
    assert (said.keys, said.form) == (["care.held"], None), "and not what was asked for before"
    assert (await talk.hear("2026-0042", "inform")).keys == ["talk.inform"]


async def test_nothing_is_promised_where_the_hold_was_lifted_meanwhile(talk: Talk, world: World) -> None:
    await talk.hear("ik ben mijn baan kwijt", "hardship")
    await talk.hear("2026-0042", "inform")
    assert (await talk.hear("1234 AB", "inform")).keys == ["talk.inform"]


@dataclass(frozen=True)
class Waits:
    """What is wished, the answer that proves who it is, what is said then, and what has been done."""

    wish: str
    intent: str
    proof: str
    keys: Sequence[str]
    links: Sequence[Sequence[str]] = ()
    options: Sequence[str] | None = None


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Waits("ik wil betalen", "pay", "2", ["pay.choose"]), id="a house number is no invoice"),
        pytest.param(
            Waits("alles betalen", "pay", "2", ["payment_link.issued"], [["id-2026-0042", "id-2026-1234"]]), id="all"
        ),
        pytest.param(
            Waits("ik betaal 2026-1234", "pay", "2", ["payment_link.issued"], [["id-2026-1234"]]), id="the one named"
        ),
        pytest.param(Waits("waar is die rekening voor?", "ask_invoice", "2", ["invoice.which"]), id="which invoice"),
        pytest.param(Waits("stuur de factuur nog eens", "request_invoice_copy", "2", ["invoice.which"]), id="a copy"),
        pytest.param(Waits("ik betaal later", "pay_later", "2", ["promise.ask_day"]), id="a house number is no day"),
        pytest.param(
            Waits("ik betaal vrijdag", "pay_later", "2", ["promise.confirm"], options=["pay_later:2026-11-27", "deny"]),
            id="the day that was said",
        ),
        pytest.param(Waits("ik heb al betaald", "already_paid", "2", ["claim.ask_day"]), id="no day of payment"),
        pytest.param(
            Waits("ik heb gisteren betaald", "already_paid", "2", ["claim.ask_amount"]), id="the day that it was paid"
        ),
        pytest.param(
            Waits(
                "ik wil 30 euro betalen", "pay_part", "2", ["payment_link.issued"], [["id-2026-0042", "id-2026-1234"]]
            ),
            id="the amount",
        ),
        pytest.param(Waits("ik wil een deel betalen", "pay_part", "2", ["part.ask"]), id="a house number is no amount"),
        pytest.param(
            Waits("mijn nummer is nu +31612345678", "update_contact", "2", ["request.contact_confirm"]), id="a number"
        ),
    ],
)
async def test_a_wish_is_heard_again_after_the_proof(talk: Talk, world: World, case: Waits) -> None:
    world.needs = ("postcode", "house_number")
    world.people = {"2026-0042": {"postcode": "1234AB", "house_number": "2"}}
    world.invoices = [invoice("2026-0042", 4995), invoice("2026-1234", 1250)]
    await talk.hear(case.wish, case.intent)
    await talk.hear("2026-0042, 1234 AB", "inform")
    said = await talk.hear(case.proof, "inform")
    assert said.keys == case.keys
    assert [list(link) for link in world.links.values()] == list(case.links)
    if case.options is not None:
        assert said.options == case.options
    if said.form:  # the next message is heard by itself
        assert (await talk.hear("ben je een robot?", "bot_challenge")).keys[0] == "talk.bot_challenge"


@pytest.mark.parametrize("words", ["geen idee", "weet ik niet", "no idea", "keine Ahnung"])
async def test_who_does_not_know_the_number_is_helped(talk: Talk, words: str) -> None:
    await talk.hear("wat staat er open?", "ask_balance")
    assert (await talk.hear(words, "deny")).keys == ["verify.unclear_reference"]


async def test_a_birth_date_is_no_day_of_payment(talk: Talk, world: World) -> None:
    world.needs = ("postcode", "date_of_birth")
    world.people = {"2026-0042": {"postcode": "1234AB", "date_of_birth": "1980-12-31"}}
    await talk.hear("ik heb al betaald", "already_paid")
    await talk.hear("2026-0042, 1234 AB", "inform")
    assert (await talk.hear("31-12-1980", "inform")).keys == ["claim.ask_day"]
    assert (await talk.hear("gisteren", "inform")).keys == ["claim.ask_amount"]
