"""A direct debit that failed: its reason, a link, and another account, read back by its end."""

from collections.abc import Sequence

import pytest

from billing.debits import OTHER_ACCOUNT, Why
from core.hold import Reason
from core.ids import InvoiceId
from core.money import Money
from tests.bot.talk import Talk
from tests.bot.world import Failed, World

IBAN, OTHER = "NL91 ABNA 0417 1643 00", "BE68539007547034"
ANOTHER = {"debit": "iban"}


@pytest.mark.parametrize("why", list(Why))
async def test_the_latest_is_told_with_its_reason(talk: Talk, world: World, why: Why) -> None:
    world.verified, world.debit = True, Failed(InvoiceId("id-2026-0042"), "2026-0042", Money(4995), why)
    said = await talk.hear("de incasso is mislukt", "direct_debit_problem")
    assert said.keys == ["debit.latest"]
    assert said.options == (["direct_debit_problem:iban", "human"] if why in OTHER_ACCOUNT else ["human"])
    assert said.args["why"] == {"key": f"debit.why.{why}"}
    assert (said.args["amount"], said.args["link"]) == ({"money": [4995, "EUR"]}, {"link": "link"})
    assert list(world.links.values()) == [("id-2026-0042",)]
    assert world.handoffs == []


async def test_without_one_a_person_looks(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear("trek mijn machtiging in", "direct_debit_problem")
    assert said.keys == ["request.direct_debit", "handoff.when_open"]
    assert world.handoffs == [(Reason.REQUEST, {"wish": "direct_debit_problem"})]


@pytest.mark.parametrize(
    ("heard", "keys", "kept"),
    [
        pytest.param(
            [(IBAN, "inform"), ("ja", "affirm")],
            ["debit.ask_iban", "debit.confirm_iban", "debit.iban_noted", "handoff.when_open"],
            ["NL91ABNA0417164300"],
            id="told and confirmed",
        ),
        pytest.param(
            [("NL91 ABNA 0417 1643 01", "inform"), (IBAN, "inform"), ("klopt", "affirm")],
            ["debit.ask_iban", "debit.wrong_iban", "debit.confirm_iban", "debit.iban_noted", "handoff.when_open"],
            ["NL91ABNA0417164300"],
            id="a typing error",
        ),
        pytest.param(
            [(OTHER, "inform"), ("nee", "deny"), (IBAN, "inform"), ("ja", "affirm")],
            ["debit.ask_iban", "debit.confirm_iban", "debit.ask_iban", "debit.confirm_iban", "debit.iban_noted",
             "handoff.when_open"],
            ["NL91ABNA0417164300"],
            id="no, another one",
        ),
        pytest.param(
            [(OTHER, "inform"), (IBAN, "inform"), ("ja", "affirm")],
            ["debit.ask_iban", "debit.confirm_iban", "debit.confirm_iban", "debit.iban_noted", "handoff.when_open"],
            ["NL91ABNA0417164300"],
            id="another one instead of a yes",
        ),
        pytest.param(
            [(IBAN, "inform"), ("wat staat er open?", "ask_balance"), ("laat maar", "cancel")],
            ["debit.ask_iban", "debit.confirm_iban", "balance.open", "debit.confirm_iban", "talk.cancelled"],
            [],
            id="a question in between, and never mind",
        ),
        pytest.param(
            [("ja", "affirm"), ("12345", "inform"), ("geen idee", "out_of_scope")],
            ["debit.ask_iban", "debit.ask_iban_unclear", "debit.wrong_iban", "debit.handed_over", "handoff.when_open"],
            [],
            id="three times none",
        ),
    ],
)  # fmt: skip
async def test_another_account(
    talk: Talk, world: World, heard: Sequence[tuple[str, str]], keys: list[str], kept: list[str]
) -> None:
    world.verified = True
    said = [await talk.hear("Andere rekening", "direct_debit_problem", tapped=ANOTHER)]
    said += [await talk.hear(text, intent) for text, intent in heard]
    assert [key for each in said for key in each.keys] == keys
    assert [change.iban for change in world.ibans if change.requested_at] == kept
    # Only its end is shown, and only its id is remembered.
    assert "NL91" not in str([each.body for each in said])
    if kept:
        assert said[-1].args == {"end": "4300"}
        assert world.handoffs == [(Reason.REQUEST, {"wish": "direct_debit_problem", "noted": ["…4300"]})]
        assert said[-1].form is None


@pytest.mark.parametrize(
    "text",
    [
        "ik heb een andere bankrekening",
        "my bank account has changed",
        "j’ai changé de compte",
        "ich habe ein neues Konto",
    ],
)
async def test_a_new_account_is_asked_for_where_it_is_checked(talk: Talk, world: World, text: str) -> None:
    world.verified = True
    assert (await talk.hear(text, "update_contact")).keys == ["debit.ask_iban"]


async def test_a_tap_confirms_exactly_what_was_read_back(talk: Talk, world: World) -> None:
    world.verified = True
    await talk.hear("Andere rekening", "direct_debit_problem", tapped=ANOTHER)
    await talk.hear(OTHER, "inform")
    first = world.ibans[0].id
    await talk.hear(IBAN, "inform")
    said = await talk.hear("Ja, akkoord", "direct_debit_problem", tapped={"iban_change": first})
    assert (said.keys, [c.requested_at for c in world.ibans]) == (["debit.confirm_iban"], [None, None])
    said = await talk.hear("Ja, akkoord", "direct_debit_problem", tapped={"iban_change": world.ibans[1].id})
    assert said.keys[0] == "debit.iban_noted"


@pytest.mark.parametrize(
    ("heard", "keys", "kept"),
    [
        pytest.param(
            [("418200", "inform")], ["debit.iban_noted", "handoff.when_open"], ["NL91ABNA0417164300"], id="right"
        ),
        pytest.param([("418201", "inform")], ["code.wrong"], [], id="wrong"),
        pytest.param([("laat maar", "cancel")], ["talk.cancelled"], [], id="never mind"),
    ],
)
async def test_another_account_wants_a_code(
    talk: Talk, world: World, heard: Sequence[tuple[str, str]], keys: list[str], kept: list[str]
) -> None:
    world.verified, world.confirmed = True, False
    await talk.hear("Andere rekening", "direct_debit_problem", tapped=ANOTHER)
    await talk.hear(IBAN, "inform")
    assert (await talk.hear("ja", "affirm")).keys == ["code.sent"]
    said = [await talk.hear(text, intent) for text, intent in heard]
    assert [key for each in said for key in each.keys] == keys
    assert [change.iban for change in world.ibans if change.requested_at] == kept


async def test_without_a_telephone_on_file_a_person_asks_first(talk: Talk, world: World) -> None:
    world.verified, world.confirmed, world.telephone = True, False, False
    await talk.hear("Andere rekening", "direct_debit_problem", tapped=ANOTHER)
    await talk.hear(IBAN, "inform")
    said = await talk.hear("ja", "affirm")
    assert (said.keys, said.form) == (["debit.iban_unsure", "handoff.when_open"], None)
    assert [change.requested_at for change in world.ibans] == [None]
    assert world.handoffs == [(Reason.REQUEST, {"wish": "direct_debit_problem", "noted": ["…4300"]})]


@pytest.mark.parametrize(("intent", "key"), [("hardship", "care.hardship"), ("human", "handoff.human")])
async def test_care_and_a_person_break_it(talk: Talk, world: World, intent: str, key: str) -> None:
    world.verified = True
    await talk.hear("Andere rekening", "direct_debit_problem", tapped=ANOTHER)
    said = await talk.hear("…", intent, interrupt=True)
    assert (said.keys[0], said.form, world.ibans) == (key, None, [])


@pytest.mark.parametrize("tapped", [{}, ANOTHER], ids=["asked", "by the button"])
async def test_only_the_verified(talk: Talk, world: World, tapped: dict[str, str]) -> None:
    world.debit = Failed(InvoiceId("id-2026-0042"), "2026-0042", Money(4995), Why.CLOSED)
    said = await talk.hear("…", "direct_debit_problem", tapped=tapped)
    assert said.keys == ["verify.ask_reference"]
