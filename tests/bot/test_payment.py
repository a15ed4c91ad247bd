"""Paying: which invoice is meant, and the link for it."""

from dataclasses import replace
from datetime import date

import pytest

from bot.actions.invoices import ALL, choose
from core.money import Money
from tests.bot.talk import Talk
from tests.bot.world import World, invoice
from understanding.entities import find

INVOICES = [invoice("2026-0042", 4995), invoice("2026-0043", 1250), invoice("F2026-0100", 99900)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-0042", "id-2026-0042"),
        ("die van 2026 0043 graag", "id-2026-0043"),
        ("f2026-0100", "id-F2026-0100"),
        ("0043", "id-2026-0043"),
        ("de eerste", "id-2026-0042"),
        ("the second one", "id-2026-0043"),
        ("la troisième", "id-F2026-0100"),
        ("die letzte", "id-F2026-0100"),
        ("2", "id-2026-0043"),
        ("die van € 12,50", "id-2026-0043"),
        ("2026-0042 en -0043", "id-2026-0042,id-2026-0043"),
        ("factuur 0042, niet die van 100 euro", "id-2026-0042"),
        ("alles", ALL),
        ("allebei maar", ALL),
        ("tout", ALL),
        ("4", None),
        ("geen idee", None),
        ("2027-0042", None),
        ("2026", None),
        ("", None),
    ],
)
def test_which_invoice_is_meant(text: str, meant: str | None) -> None:
    message = {"text": text, "entities": [entity.as_json() for entity in find(text)]}
    assert choose(message, INVOICES) == meant


async def test_several_invoices_are_chosen_from(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, INVOICES
    said = await talk.hear("ik wil betalen", "pay")
    assert (said.keys, said.form) == (["pay.choose"], "invoice_form")
    assert said.options == ["pay:all", "pay:id-2026-0042", "pay:id-2026-0043", "pay:id-F2026-0100"]
    said = await talk.hear("de tweede", "inform")
    assert (said.keys, said.form) == (["payment_link.issued"], None)
    assert said.args["amount"] == {"money": [1250, "EUR"]}
    assert said.args["link"] == {"link": "link"}
    assert said.args["until"] == {"date": "2026-12-07"}
    assert list(world.links.values()) == [("id-2026-0043",)]
    assert list(world.links) == [f"{said.body['turn']}:link"]


async def test_everything_at_once(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, INVOICES
    await talk.hear("ik wil betalen", "pay")
    said = await talk.hear("alles", "inform")
    assert said.args["amount"] == {"money": [4995 + 1250 + 99900, "EUR"]}


@pytest.mark.parametrize("interrupt", [False, True])
async def test_a_tap_chooses(talk: Talk, world: World, interrupt: bool) -> None:
    world.verified, world.invoices = True, INVOICES
    await talk.hear("ik wil betalen", "pay")
    said = await talk.hear("2026-0043 € 12,50", "pay", tapped={"invoice": "id-2026-0043"}, interrupt=interrupt)
    assert (said.keys, said.form) == (["payment_link.issued"], None)
    assert list(world.links.values()) == [("id-2026-0043",)]


async def test_an_invoice_named_at_once(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, INVOICES
    assert (await talk.hear("ik wil 2026-0043 betalen", "pay")).keys == ["payment_link.issued"]
    assert list(world.links.values()) == [("id-2026-0043",)]


async def test_several_invoices_named_at_once(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, INVOICES
    assert (await talk.hear("ik wil 2026-0042 en -0043 betalen", "pay")).args["amount"] == {"money": [6245, "EUR"]}
    assert list(world.links.values()) == [("id-2026-0042", "id-2026-0043")]


PAID = replace(invoice("2026-0041", 3000), open=Money(0))
DISPUTED = invoice("2026-0040", 3000, disputed=True)


@pytest.mark.parametrize(
    ("text", "tapped", "keys"),
    [
        pytest.param("Betalen", {"invoice": PAID.id}, ["pay.one_settled", "pay.another"], id="paid, by its button"),
        pytest.param("ik betaal 2026-0041", None, ["pay.one_settled", "pay.another"], id="paid, by its number"),
        pytest.param("ik betaal 2026-0040", None, ["pay.one_disputed", "pay.another"], id="disputed"),
        pytest.param("ik betaal 2026-0099", None, ["invoice.unknown", "pay.another"], id="nobody's"),
        pytest.param("ik betaal 2026-0041 en -0042", None, ["payment_link.issued"], id="one of them open"),
    ],
)
async def test_no_other_invoice_is_paid_than_the_one_meant(
    talk: Talk, world: World, text: str, tapped: dict[str, str] | None, keys: list[str]
) -> None:
    world.verified, world.settled = True, [PAID]
    world.invoices = [invoice("2026-0042", 4995), DISPUTED]
    said = await talk.hear(text, "pay", tapped=tapped)
    assert said.keys == keys
    if "pay.another" in keys:
        assert (said.options, world.links) == (["pay:id-2026-0042"], {})
        assert (await talk.hear("ja", "affirm")).keys == ["payment_link.issued"]
    assert list(world.links.values()) == [("id-2026-0042",)]


@pytest.mark.parametrize(
    ("text", "key", "number"),
    [
        ("waar is 2026-0041 voor?", "invoice.detail_paid", "2026-0041"),
        ("waar is 2026-0040 voor?", "invoice.detail_disputed", "2026-0040"),
        ("waar is 2026-0099 voor?", "invoice.unknown", "2026-0099"),
        ("waar is deze voor?", "invoice.detail", "2026-0042"),
    ],
)
async def test_no_other_invoice_is_explained(talk: Talk, world: World, text: str, key: str, number: str) -> None:
    world.verified, world.settled = True, [PAID]
    world.invoices = [invoice("2026-0042", 4995), DISPUTED] if "deze" not in text else [invoice("2026-0042", 4995)]
    said = await talk.hear(text, "ask_invoice")
    assert (said.keys, said.args["number"]) == ([key], number)


@pytest.mark.parametrize(
    ("due", "disputed", "description", "key"),
    [
        (date(2026, 11, 23), False, "Kamerplanten", "invoice.detail"),
        (date(2026, 11, 22), False, "Kamerplanten", "invoice.detail_overdue"),
        (date(2026, 11, 22), True, "Kamerplanten", "invoice.detail_disputed"),
        (date(2026, 11, 23), False, "", "invoice.detail_plain"),
        (date(2026, 11, 22), False, "", "invoice.detail_overdue_plain"),
        (date(2026, 11, 22), True, "", "invoice.detail_disputed_plain"),
    ],
)
async def test_an_invoice_is_told_as_it_stands_today(
    talk: Talk, world: World, due: date, disputed: bool, description: str, key: str
) -> None:
    told = replace(invoice("2026-0042", 4995, due=due, disputed=disputed), description=description)
    world.verified, world.invoices = True, [told]
    said = await talk.hear("waar is deze voor?", "ask_invoice")
    assert (said.keys, said.options) == ([key], ["human"] if disputed else ["pay:id-2026-0042"])


@pytest.mark.parametrize("numbers", [["2026-0042"], ["2026-0042", "2026-0043"]])
async def test_which_invoices_are_held_is_counted(talk: Talk, world: World, numbers: list[str]) -> None:
    world.verified = True
    world.invoices = [*(invoice(number, 100, disputed=True) for number in numbers), invoice("2026-0044", 100)]
    said = await talk.hear("dat klopt niet", "dispute/amount")
    (held,) = (say["args"] for say in said.body["says"] if say["key"] == "invoice.held")
    assert held == {"n": len(numbers), "invoices": numbers}


async def test_a_disputed_invoice_is_not_offered(talk: Talk, world: World) -> None:
    world.verified = True
    world.invoices = [invoice("2026-0042", 4995), invoice("2026-0043", 1250, disputed=True)]
    await talk.hear("ik wil betalen", "pay")
    assert list(world.links.values()) == [("id-2026-0042",)]


async def test_an_unclear_choice_is_asked_again(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, INVOICES
    await talk.hear("ik wil betalen", "pay")
    said = await talk.hear("die ene", "inform")
    assert (said.keys, said.form) == (["pay.choose_unclear"], "invoice_form")
    said = await talk.hear("ben je een robot?", "bot_challenge")
    assert (said.keys, said.form) == (["talk.bot_challenge", "pay.choose"], "invoice_form")
    said = await talk.hear("laat maar", "cancel")
    assert (said.keys, said.form) == (["talk.cancelled"], None)
    assert not world.links


async def test_paying_from_the_first_word_to_the_link(talk: Talk, world: World) -> None:
    world.invoices = INVOICES
    heard = [
        ("ik wil betalen", "pay"),
        ("2026-0042", "inform"),
        ("1234AB", "inform"),
        ("de laatste", "inform"),
    ]
    keys = [key for text, intent in heard for key in (await talk.hear(text, intent)).keys]
    assert keys == ["verify.ask_reference", "verify.ask_postcode", "pay.choose", "payment_link.issued"]
    assert list(world.links.values()) == [("id-F2026-0100",)]


async def test_which_invoice_is_asked_about(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, INVOICES
    said = await talk.hear("waar is deze rekening voor?", "ask_invoice")
    assert (said.keys, said.form) == (["invoice.which"], "invoice_form")
    assert said.options == ["ask_invoice:id-2026-0042", "ask_invoice:id-2026-0043", "ask_invoice:id-F2026-0100"]
    assert (await talk.hear("alles", "inform")).keys == ["invoice.which_unclear"]
    said = await talk.hear("de eerste", "inform")
    assert (said.keys, said.form) == (["invoice.detail"], None)
    assert said.args["number"] == "2026-0042"


async def test_no_more_invoices_than_a_list_shows(talk: Talk, world: World) -> None:
    world.verified = True
    world.invoices = [invoice(f"2026-{n:04}", 100) for n in range(1, 15)]
    assert len((await talk.hear("betalen", "pay")).options) == 10
    assert (await talk.hear("2026-0014", "inform")).keys == ["payment_link.issued"]
