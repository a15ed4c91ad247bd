"""A plan is agreed on when a code from the telephone on file has come."""

from collections.abc import Sequence

import pytest

from core.hold import Reason
from tests.bot.talk import Said, Talk
from tests.bot.world import World, invoice

PLAN = "3:2026-11-30:10000"


async def asked(talk: Talk, world: World) -> Said:
    """The plan is chosen, by somebody who has not shown to have the telephone."""
    world.verified, world.confirmed, world.invoices = True, False, [invoice("1", 10000)]
    return await talk.hear("Ja", "request_payment_plan", tapped={"plan": PLAN})


async def test_the_right_code(talk: Talk, world: World) -> None:
    said = await asked(talk, world)
    assert (said.keys, said.form, world.plan) == (["code.sent"], "request_payment_plan_form", None)
    said = await talk.hear("418 200", "inform")
    assert (said.keys, said.form) == (["plan.agreed"], None)
    assert world.plan is not None and len(world.plan.instalments) == 3
    assert "418200" not in str(said.body.get("slots"))


@pytest.mark.parametrize(
    ("heard", "keys"),
    [
        pytest.param(
            [("418201", "inform"), ("418200", "inform")], [["code.wrong"], ["plan.agreed"]], id="wrong, then right"
        ),
        pytest.param(
            [("welke code?", "out_of_scope"), ("418200", "inform")], [["code.unclear"], ["plan.agreed"]], id="no code"
        ),
        pytest.param(
            [("hoeveel was het ook weer?", "ask_balance"), ("418200", "inform")],
            [["balance.open", "code.sent"], ["plan.agreed"]],
            id="something else first",
        ),
        pytest.param([("laat maar", "cancel")], [["talk.cancelled"]], id="never mind"),
        pytest.param(
            [("1", "inform"), ("2", "inform"), ("3", "inform")],
            [["code.unclear"], ["code.unclear"], ["code.given_up", "handoff.when_open"]],
            id="three times none",
        ),
    ],
)
async def test_what_is_said_instead(
    talk: Talk, world: World, heard: Sequence[tuple[str, str]], keys: Sequence[Sequence[str]]
) -> None:
    await asked(talk, world)
    said = [(await talk.hear(text, intent)).keys for text, intent in heard]
    assert said == list(keys)
    assert (world.plan is not None) is (keys[-1] == ["plan.agreed"])
    assert [reason for reason, _ in world.handoffs] == ([Reason.REQUEST] if "code.given_up" in keys[-1] else [])


async def test_a_new_code(talk: Talk, world: World) -> None:
    said = await asked(talk, world)
    assert said.options == ["request_payment_plan:again", "request_payment_plan:none"]
    assert (await talk.hear("Nieuwe code", "request_payment_plan", tapped={"code": "again"})).keys == ["code.sent"]
    assert (await talk.hear("418200", "inform")).keys == ["code.wrong"]
    assert (await talk.hear("418201", "inform")).keys == ["plan.agreed"]


async def test_no_telephone_on_file_is_a_persons(talk: Talk, world: World) -> None:
    world.telephone = False
    said = await asked(talk, world)
    assert (said.keys, said.form, world.plan) == (["code.nowhere", "handoff.when_open"], None, None)
    assert world.handoffs == [(Reason.REQUEST, {"wish": "request_payment_plan"})]


async def test_a_telephone_that_is_out_of_reach_is_a_persons(talk: Talk, world: World) -> None:
    await asked(talk, world)
    said = await talk.hear("Nummer is veranderd", "request_payment_plan", tapped={"code": "none"})
    assert (said.keys, said.form, world.plan) == (["code.nowhere", "handoff.when_open"], None, None)


@pytest.mark.parametrize(
    ("telephone", "heard", "keys", "sure"),
    [
        pytest.param(True, ["418200"], ["code.sent", "request.update_contact"], "yes", id="the right code"),
        pytest.param(
            True,
            ["418201", "418200"],
            ["code.sent", "code.wrong", "request.update_contact"],
            "yes",
            id="wrong, then right",
        ),
        pytest.param(False, [], ["request.update_contact_unsure"], "no", id="no telephone on file"),
        pytest.param(
            True,
            ["1", "2", "3"],
            ["code.sent", "code.unclear", "code.unclear", "request.update_contact_unsure"],
            "no",
            id="three times none",
        ),
    ],
)
async def test_a_change_of_contact_wants_a_code(
    talk: Talk, world: World, telephone: bool, heard: Sequence[str], keys: Sequence[str], sure: str
) -> None:
    world.verified, world.confirmed, world.telephone = True, False, telephone
    assert (await talk.hear("mijn nummer is nu 06 12345678", "update_contact")).keys == ["request.contact_confirm"]
    said = [*(await talk.hear("ja", "affirm")).keys]
    for text in heard:
        said += (await talk.hear(text, "inform")).keys
    assert said == [*keys, "handoff.when_open"]
    facts = {"wish": "update_contact", "noted": ["phone", "+31612345678"], "confirmed": f"desk.confirmed.{sure}"}
    assert world.handoffs == [(Reason.REQUEST, facts | {"confirmed": {"key": facts["confirmed"]}})]


async def test_no_code_where_the_telephone_itself_writes(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, [invoice("1", 10000)]
    said = await talk.hear("Ja", "request_payment_plan", tapped={"plan": PLAN})
    assert (said.keys, world.codes) == (["plan.agreed"], [])


async def test_a_plan_that_waited_in_vain_is_not_agreed_on_later(talk: Talk, world: World) -> None:
    await asked(talk, world)
    await talk.hear("laat maar", "cancel")
    world.confirmed = True
    assert (await talk.hear("kan ik in delen betalen?", "request_payment_plan")).keys == ["plan.offer"]
    assert world.plan is None


@pytest.mark.parametrize(
    ("text", "intent", "key"),
    [
        ("stop", "opt_out", "opt_out.done"),
        ("laat maar", "cancel", "talk.cancelled"),
        ("wat moet ik betalen", "ask_balance", "balance.open"),
    ],
)
async def test_what_is_no_new_address_is_heard_as_what_it_is(
    talk: Talk, world: World, text: str, intent: str, key: str
) -> None:
    world.verified = True
    assert (await talk.hear("ik ben verhuisd", "update_contact")).keys == ["request.contact_address"]
    assert (await talk.hear(text, intent)).keys[0] == key
