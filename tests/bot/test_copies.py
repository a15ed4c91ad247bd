"""A copy of an invoice: which one is meant, and what comes of it."""

import pytest

from core.hold import Reason
from tests.bot.talk import Talk
from tests.bot.world import World, invoice

OPEN = [invoice("2026-0042", 4995), invoice("2026-0043", 1250)]
SETTLED = [invoice("2025-0900", 0)]
ASKED = "stuur me de factuur nog eens"


async def test_nobody_gets_one_unverified(talk: Talk, world: World) -> None:
    said = await talk.hear(ASKED, "request_invoice_copy")
    assert (said.keys, said.form) == (["verify.ask_reference"], "verify_form")
    assert world.copies == {}
    said = await talk.hear("2026-0042, 1234 AB", "inform")
    assert said.keys == ["invoice_copy.ready"]
    assert list(world.copies.values()) == ["id-2026-0042"]


async def test_the_number_is_remembered_while_verifying(talk: Talk, world: World) -> None:
    world.invoices, world.people = OPEN, {"K-1001": {"postcode": "1234AB"}}
    assert (await talk.hear("kopie van 2026-0043 graag", "request_invoice_copy")).form == "verify_form"
    await talk.hear("K-1001", "inform")
    assert (await talk.hear("1234 AB", "inform")).keys == ["invoice_copy.ready"]
    assert list(world.copies.values()) == ["id-2026-0043"]


async def test_the_only_one(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear(ASKED, "request_invoice_copy")
    assert (said.keys, said.form, world.handoffs) == (["invoice_copy.ready"], None, [])
    assert said.args == {"number": "2026-0042", "until": {"date": "2026-11-30"}, "page": {"page": "copy"}}
    assert world.copies == {f"{said.body['turn']}:copy": "id-2026-0042"}


@pytest.mark.parametrize(
    ("answer", "intent", "tapped", "expected"),
    [
        pytest.param("de tweede", "inform", None, "id-2026-0043", id="by its place"),
        pytest.param("2025-0900", "inform", None, "id-2025-0900", id="a paid one by its number"),
        pytest.param(
            "2026-0043", "request_invoice_copy", {"invoice": "id-2026-0043"}, "id-2026-0043", id="a tap"
        ),
    ],
)  # fmt: skip
async def test_several_are_chosen_from(
    talk: Talk, world: World, answer: str, intent: str, tapped: dict[str, str] | None, expected: str
) -> None:
    world.verified, world.invoices, world.settled = True, OPEN, SETTLED
    said = await talk.hear(ASKED, "request_invoice_copy")
    assert (said.keys, said.form) == (["invoice.which"], "invoice_form")
    assert said.options == [f"request_invoice_copy:id-{number}" for number in ("2026-0042", "2026-0043", "2025-0900")]
    said = await talk.hear(answer, intent, tapped=tapped)
    assert (said.keys, said.form) == (["invoice_copy.ready"], None)
    assert list(world.copies.values()) == [expected]
    assert (await talk.hear("2026-0042 nog eens", "request_invoice_copy")).keys == ["invoice_copy.ready"]
    assert list(world.copies.values()) == [expected, "id-2026-0042"]


async def test_a_paid_one_named_at_once(talk: Talk, world: World) -> None:
    world.verified, world.invoices, world.settled = True, OPEN, SETTLED
    assert (await talk.hear("kopie van 2025-0900 graag", "request_invoice_copy")).keys == ["invoice_copy.ready"]
    assert list(world.copies.values()) == ["id-2025-0900"]


@pytest.mark.parametrize(
    ("texts", "noted"),
    [
        pytest.param(["kopie van factuur 2024-7777"], ["2024-7777"], id="named at once"),
        pytest.param([ASKED, "2024-7777"], ["2024-7777"], id="named when asked"),
    ],
)
async def test_one_that_is_not_found_is_looked_for(
    talk: Talk, world: World, texts: list[str], noted: list[str]
) -> None:
    world.verified, world.invoices = True, OPEN
    for place, text in enumerate(texts):
        said = await talk.hear(text, "inform" if place else "request_invoice_copy")
    assert (said.keys, said.form) == (["invoice_copy.not_found", "handoff.when_open"], None)
    assert world.handoffs == [(Reason.REQUEST, {"wish": "request_invoice_copy", "noted": noted})]
    assert world.copies == {}


async def test_who_has_none_gets_a_person(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, []
    said = await talk.hear(ASKED, "request_invoice_copy")
    assert said.keys == ["invoice_copy.not_found", "handoff.when_open"]
    assert [reason for reason, _ in world.handoffs] == [Reason.REQUEST]
