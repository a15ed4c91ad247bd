"""A receipt on request: for a verified person, of a payment that has arrived."""

from datetime import UTC, datetime

import pytest

from billing.receipts import Receipt
from bot.actions.receipts import ANY
from core.money import Money
from tests.bot.talk import Talk
from tests.bot.world import Paid, World


def receipt(key: str, cents: int, method: str | None = "ideal") -> Receipt:
    paid_at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # the 21st in Amsterdam
    reference = "RF18 5390 0754 7034"
    return Receipt(key, Money(cents), Money(0), paid_at, method, reference, [("2026-0042", Money(cents))], Money(0))


@pytest.mark.parametrize(
    "text",
    [
        "kan ik een bewijs krijgen dat mijn betaling binnen is",
        "mag ik een ontvangstbewijs",
        "can I get a receipt?",
        "je voudrais un reçu",
        "ich brauche eine Quittung",
    ],
)
async def test_asked_for_in_words(talk: Talk, world: World, text: str) -> None:
    world.verified, world.receipts = True, [receipt("p1", 4995)]
    said = await talk.hear(text, "ask_payment_status")
    assert said.keys == ["receipt.text"]
    lines = [row["line"] for row in said.args["rows"]["rows"]]
    assert [line["key"].rpartition(".")[2] for line in lines] == ["amount", "paid_at", "method", "reference", "invoice"]
    assert lines[1]["args"] == {"day": {"date": "2026-11-21"}}
    assert said.args["registration"] == "KvK 12345678"


@pytest.mark.parametrize("text", ["is mijn betaling binnen?", "ik heb het betaalbewijs hier, is het geld binnen?"])
async def test_a_question_is_answered_and_a_receipt_offered(talk: Talk, world: World, text: str) -> None:
    world.verified, world.receipts = True, [receipt("p1", 4995)]
    world.paid = [Paid(Money(4995), datetime(2026, 11, 20, tzinfo=UTC), ["2026-0042"])]
    said = await talk.hear(text, "ask_payment_status")
    assert (said.keys, said.options) == (["payments.received"], [f"ask_payment_status:{ANY}"])
    said = await talk.hear("Ontvangstbewijs", "ask_payment_status", tapped={"receipt": ANY})
    assert said.keys == ["receipt.text"]


async def test_of_several_the_one_that_is_meant(talk: Talk, world: World) -> None:
    world.verified, world.receipts = True, [receipt("p2", 100), receipt("p1", 4995, "acme_pay")]
    said = await talk.hear("een kwitantie graag", "ask_payment_status")
    assert (said.keys, said.options) == (["receipt.which"], ["ask_payment_status:p2", "ask_payment_status:p1"])
    said = await talk.hear("2: € 49,95", "ask_payment_status", tapped={"receipt": "p1"})
    lines = [row["line"]["key"] for row in said.args["rows"]["rows"]]
    assert said.keys == ["receipt.text"] and "receipt.line.method" not in lines  # a method without a name


@pytest.mark.parametrize("tapped", [None, {"receipt": "somebody-elses"}])
async def test_nothing_has_arrived(talk: Talk, world: World, tapped: dict[str, str] | None) -> None:
    world.verified = True
    said = await talk.hear("een ontvangstbewijs", "ask_payment_status", tapped=tapped)
    assert said.keys == ["payments.not_found"]


async def test_nobody_gets_one_before_being_verified(talk: Talk, world: World) -> None:
    world.receipts = [receipt("p1", 4995)]
    assert (await talk.hear("een kwitantie graag", "ask_payment_status")).keys == ["verify.ask_reference"]
