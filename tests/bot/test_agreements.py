"""Paying later, paying in parts, and what paying late costs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.fees import Fees, Refusal
from billing.law import Kind, Letter, Period
from billing.plans import Instalment, spread
from bot.actions.standing import next_part
from core.hold import Reason
from core.ids import InvoiceId
from core.money import Money
from tests.bot.talk import Talk
from tests.bot.world import Agreed, World, creditor, invoice

TODAY = date(2026, 11, 23)  # a Monday
OTHERWISE = ["request_payment_plan", "human"]


@pytest.mark.parametrize(
    ("heard", "keys", "promised"),
    [
        pytest.param(
            [("ik betaal vrijdag", "pay_later"), ("ja", "affirm")],
            ["promise.confirm", "promise.made"],
            "2026-11-27",
            id="a day at once, and yes",
        ),
        pytest.param(
            [("kan ik later betalen?", "pay_later"), ("volgende week", "inform"), ("klopt", "affirm")],
            ["promise.ask_day", "promise.confirm", "promise.made"],
            "2026-12-04",
            id="asked for",
        ),
        pytest.param(
            [("ich zahle am 25.", "pay_later"), ("doch erst am Freitag", "pay_later"), ("ja", "affirm")],
            ["promise.confirm", "promise.confirm", "promise.made"],
            "2026-11-27",
            id="another day instead of a yes",
        ),
        pytest.param(
            [("le 27", "pay_later"), ("non", "deny"), ("le 30", "inform"), ("oui", "affirm")],
            ["promise.confirm", "promise.ask_day", "promise.confirm", "promise.made"],
            "2026-11-30",
            id="no, and another day",
        ),
        pytest.param(
            [("I’ll pay later", "pay_later"), ("soon", "inform"), ("tomorrow", "inform"), ("yes", "affirm")],
            ["promise.ask_day", "promise.ask_day_unclear", "promise.confirm", "promise.made"],
            "2026-11-24",
            id="unclear at first",
        ),
        pytest.param(
            [("ik betaal eind januari", "pay_later"), ("dan de 30e", "inform"), ("ja", "affirm")],
            ["promise.too_late", "promise.confirm", "promise.made"],
            "2026-11-30",
            id="too late",
        ),
        pytest.param(
            [("ik betaal eind januari", "pay_later"), ("ja dat is goed", "affirm"), ("ja", "affirm")],
            ["promise.too_late", "promise.confirm", "promise.made"],
            "2026-12-07",
            id="too late, and yes to the last day",
        ),
        pytest.param(
            [("ik betaal 01-11-2026", "pay_later"), ("laat maar", "cancel")],
            ["promise.past", "talk.cancelled"],
            None,
            id="in the past, and never mind",
        ),
        pytest.param(
            [("ik betaal later", "pay_later"), ("ja", "affirm"), ("nee", "deny")],
            ["promise.ask_day", "promise.ask_day_unclear", "talk.cancelled"],
            None,
            id="a yes without a day promises nothing",
        ),
        pytest.param(
            [("ik betaal vrijdag", "pay_later"), ("ben je een robot?", "bot_challenge"), ("ja", "affirm")],
            ["promise.confirm", "talk.bot_challenge", "promise.ask_day", "promise.ask_day_unclear"],
            None,
            id="a yes after something else promises nothing",
        ),
    ],
)
async def test_a_promise(
    talk: Talk, world: World, heard: Sequence[tuple[str, str]], keys: list[str], promised: str | None
) -> None:
    world.verified = True
    said = [await talk.hear(text, intent) for text, intent in heard]
    assert [key for each in said for key in each.keys] == keys
    assert list(world.promised.values()) == ([date.fromisoformat(promised)] if promised else [])
    if promised:
        assert said[-1].args == {"amount": {"money": [4995, "EUR"]}, "day": {"date": promised}}
        assert (said[-1].form, said[-1].options) == (None, ["pay"])
        assert list(world.promised) == [f"{said[-1].body['turn']}:promise"]


async def test_a_promise_by_buttons(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear("eind december", "pay_later")
    assert (said.keys, said.options) == (["promise.too_late"], ["pay_later:2026-12-07", *OTHERWISE])
    said = await talk.hear("maandag 7 december", "pay_later", tapped={"day": "2026-12-07"})
    assert (said.keys, said.options) == (["promise.confirm"], ["pay_later:2026-12-07", "deny"])
    assert not world.promised
    said = await talk.hear("Ja, akkoord", "pay_later", tapped={"promise": "2026-12-07"})
    assert (said.keys, said.form) == (["promise.made"], None)
    assert list(world.promised.values()) == [date(2026, 12, 7)]


async def test_an_old_button_promises_no_day_that_has_passed(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear("Ja, akkoord", "pay_later", tapped={"promise": "2026-11-20"})
    assert (said.keys, world.promised) == (["promise.past"], {})


async def test_a_promise_waits_for_verification(talk: Talk, world: World) -> None:
    heard = [
        ("ik wil later betalen", "pay_later"),
        ("2026-0042", "inform"),
        ("1234AB", "inform"),
        ("vrijdag", "inform"),
    ]
    keys = [key for text, intent in heard for key in (await talk.hear(text, intent)).keys]
    assert keys == ["verify.ask_reference", "verify.ask_postcode", "promise.ask_day", "promise.confirm"]


@pytest.mark.parametrize(("invoices", "key"), [([], "pay.none"), ([invoice("1", 1, disputed=True)], "pay.disputed")])
@pytest.mark.parametrize("intent", ["pay_later", "request_payment_plan"])
async def test_nothing_to_agree_on(talk: Talk, world: World, invoices: list[Any], key: str, intent: str) -> None:
    world.verified, world.invoices = True, invoices
    assert (await talk.hear("…", intent)).keys == [key]


@pytest.mark.parametrize("yes", ["tap", "word"])
async def test_a_plan_is_chosen_shown_and_agreed_on(talk: Talk, world: World, yes: str) -> None:
    world.verified, world.invoices = True, [invoice("2026-0042", 10000)]
    said = await talk.hear("kan het in delen?", "request_payment_plan")
    plans = [f"request_payment_plan:{months}" for months in (2, 3, 4)]
    assert (said.keys, said.options) == (["plan.offer"], plans)
    said = await talk.hear("3 x € 33,34", "request_payment_plan", tapped={"months": "3"})
    name = "3:2026-11-30:10000"
    assert (said.keys, said.options) == (["plan.confirm"], [f"request_payment_plan:{name}", "deny"])
    rows = [
        {"due": {"date": "2026-11-30"}, "amount": {"money": [3334, "EUR"]}},
        {"due": {"date": "2026-12-30"}, "amount": {"money": [3333, "EUR"]}},
        {"due": {"date": "2027-01-30"}, "amount": {"money": [3333, "EUR"]}},
    ]
    assert said.args["rows"] == {"rows": rows, "key": "plan.row"}
    assert world.plan is None
    if yes == "tap":
        said = await talk.hear("Ja, akkoord", "request_payment_plan", tapped={"plan": name})
    else:
        said = await talk.hear("ja graag", "affirm")
    assert said.keys == ["plan.agreed"]
    assert said.args["rows"] == {"rows": rows, "key": "plan.row"}
    assert world.plan == Agreed(spread(Money(10000), 3, TODAY), [each.id for each in world.invoices])
    assert (await talk.hear("kan het in delen?", "request_payment_plan")).keys == ["plan.current"]


@pytest.mark.parametrize(
    ("tapped", "key"),
    [
        pytest.param({"plan": "3:2026-11-30:9999"}, "plan.confirm", id="another amount"),
        pytest.param({"plan": "3:2026-11-29:10000"}, "plan.confirm", id="another day"),
        pytest.param({"plan": "12:2026-11-30:10000"}, "plan.not_possible", id="too many"),
        pytest.param({"months": "x"}, "plan.not_possible", id="nonsense"),
    ],
)
async def test_only_the_plan_that_was_shown_is_agreed_on(
    talk: Talk, world: World, tapped: dict[str, str], key: str
) -> None:
    world.verified, world.invoices = True, [invoice("2026-0042", 10000)]
    assert (await talk.hear("…", "request_payment_plan", tapped=tapped)).keys == [key]
    assert world.plan is None


@pytest.mark.parametrize(
    ("heard", "keys", "months"),
    [
        pytest.param([("in 3 keer", "inform")], ["plan.confirm"], 3, id="so many times"),
        pytest.param([("liever drie maanden", "request_payment_plan")], ["plan.confirm"], 3, id="months, in words"),
        pytest.param([("50 per maand", "request_payment_plan")], ["plan.confirm"], 2, id="so much a month"),
        pytest.param([("30 euro", "inform")], ["plan.confirm"], 4, id="an amount"),
        pytest.param([("quatre fois", "inform")], ["plan.confirm"], 4, id="in French"),
        pytest.param([("drei Raten", "inform")], ["plan.confirm"], 3, id="in German"),
        pytest.param([("3", "inform")], ["plan.confirm"], 3, id="a number alone"),
        pytest.param([("maak er maar 3 van", "pay_part")], ["plan.confirm"], 3, id="heard as a part"),
        pytest.param(
            [("3", "inform"), ("make it four", "deny")], ["plan.confirm", "plan.confirm"], 4, id="made another number"
        ),
        pytest.param([("in 12 keer", "inform"), ("in 4", "inform")], ["plan.not_possible", "plan.confirm"], 4, id="no"),
        pytest.param([("10 euro", "inform")], ["plan.not_possible"], None, id="too little a month"),
        pytest.param(
            [("in 3 keer", "inform"), ("doe toch maar 2 keer", "out_of_scope")],
            ["plan.confirm", "plan.confirm"],
            2,
            id="another number",
        ),
        pytest.param(
            [("in 3 keer", "inform"), ("nee", "deny")], ["plan.confirm", "plan.offer"], None, id="not this one"
        ),
        pytest.param([("nee", "deny")], ["talk.cancelled"], None, id="none of them"),
        pytest.param(
            [("tja", "out_of_scope")] * 3,
            ["plan.offer_unclear", "plan.offer_unclear", "request.payment_plan", "handoff.when_open"],
            None,
            id="three times no answer",
        ),
    ],
)
async def test_a_plan_is_chosen_in_words(
    talk: Talk, world: World, heard: list[tuple[str, str]], keys: list[str], months: int | None
) -> None:
    world.verified, world.invoices = True, [invoice("2026-0042", 10000)]
    assert (await talk.hear("kan het in delen?", "request_payment_plan")).keys == ["plan.offer"]
    said = [await talk.hear(text, intent) for text, intent in heard]
    assert [key for each in said for key in each.keys] == keys
    if months:
        assert len(said[-1].args["rows"]["rows"]) == months
        assert (await talk.hear("ja", "affirm")).keys == ["plan.agreed"]
        assert world.plan is not None and len(world.plan.instalments) == months


async def test_a_plan_is_named_at_once(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, [invoice("2026-0042", 10000)]
    assert (await talk.hear("kan ik in 3 keer betalen?", "request_payment_plan")).keys == ["plan.confirm"]


async def test_above_the_policy_a_person_decides(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, [invoice("2026-0042", 50001)]
    said = await talk.hear("ik kan 100 euro per maand betalen", "request_payment_plan")
    assert said.keys == ["request.payment_plan", "handoff.when_open"]
    assert world.handoffs == [(Reason.REQUEST, {"wish": "request_payment_plan", "noted": ["100.00"]})]


LETTER = Letter(
    "l", Kind.FOURTEEN_DAYS, "email", datetime(2026, 11, 2, 9, tzinfo=UTC), date(2026, 11, 2), date(2026, 11, 3),
    Money(4000), "sha256:0",
)  # fmt: skip
GOOD = Fees(
    invoice("2026-0042", 10000), Money(10000), Money(4000),
    [Period(date(2026, 11, 2), TODAY, Decimal(4), Money(23))], LETTER, False, None, None,
)  # fmt: skip


def refused(number: str, refusal: Refusal | None, first_day: date | None = None) -> Fees:
    return Fees(invoice(number, 10000), Money(10000), Money(0), [], None, False, refusal, first_day)


async def test_fees_are_explained_line_by_line(talk: Talk, world: World) -> None:
    world.verified, world.fees = True, [GOOD]
    said = await talk.hear("waarom komen er kosten bij?", "ask_fees")
    assert (said.keys, said.options, world.handoffs) == (["fees.chargeable"], ["pay", "human"], [])
    assert said.args["total"] == {"money": [14023, "EUR"]}
    lines = [row["line"] for row in said.args["rows"]["rows"]]
    assert [line["key"] for line in lines] == [
        "fees.line.principal",
        "fees.line.interest",
        "fees.line.costs.NL",
        "fees.line.letter",
    ]
    assert lines[1]["args"] == {
        "amount": {"money": [23, "EUR"]},
        "rate": {"percent": "4"},
        "since": {"date": "2026-11-02"},
        "until": {"date": "2026-11-23"},
    }
    assert lines[3]["args"] == {"since": {"date": "2026-11-02"}, "day": {"date": "2026-11-03"}}


@pytest.mark.parametrize(("rate", "key"), [("4", "fees.line.interest_agreed"), ("5", "fees.line.interest")])
async def test_interest_that_the_terms_give_is_explained_as_that(talk: Talk, world: World, rate: str, key: str) -> None:
    """Where the law lets less be charged than the terms say, it is the law's."""
    world.verified, world.fees, world.creditor = True, [GOOD], creditor(fees={"interest_rate": rate})
    said = await talk.hear("waarom komen er kosten bij?", "ask_fees")
    assert said.args["rows"]["rows"][1]["line"]["key"] == key


@pytest.mark.parametrize(
    ("fees", "keys", "country"),
    [
        pytest.param([replace(GOOD, charged=True)], ["fees.charged"], "NL", id="booked"),
        pytest.param([refused("1", "no_letter")], ["fees.none.no_letter.NL"], "NL", id="no letter in the Netherlands"),
        pytest.param([refused("1", "no_letter")], ["fees.none.no_letter.BE"], "BE", id="no letter in Belgium"),
        pytest.param([refused("1", "held"), refused("2", "held")], ["fees.none.held"], "NL", id="the same for both"),
        pytest.param(
            [GOOD, refused("2", "disputed")], ["fees.chargeable", "fees.none.disputed"], "NL", id="each its own"
        ),
        pytest.param([refused("1", "too_early", TODAY)], ["fees.none.too_early"], "NL", id="not yet"),
        pytest.param([refused("1", "wrong_amount")], ["fees.none.wrong_amount"], "NL", id="a wrong letter"),
        pytest.param([refused("1", "not_received")], ["fees.none.not_received"], "NL", id="receipt unknown"),
        pytest.param([refused("1", "agreed")], ["fees.none.agreed"], "NL", id="an agreement runs"),
        pytest.param([refused("1", "not_due")], ["fees.none.not_due"], "NL", id="in time"),
        pytest.param([refused("1", "no_clause")], ["fees.none.no_clause"], "BE", id="no clause"),
        pytest.param([refused("1", None)], ["fees.none.nothing"], "NL", id="charged and paid"),
    ],
)
async def test_why_fees_or_why_none(talk: Talk, world: World, fees: list[Fees], keys: list[str], country: str) -> None:
    world.verified, world.fees, world.creditor = True, fees, creditor(country=country)
    said = await talk.hear("waarom kosten?", "ask_fees")
    assert (said.keys, said.options) == (keys, ["pay", "human"])


async def test_fees_are_told_to_the_verified_alone(talk: Talk, world: World) -> None:
    world.fees = [GOOD]
    assert (await talk.hear("waarom komen er kosten bij?", "ask_fees")).keys == ["verify.ask_reference"]


@pytest.mark.parametrize(
    ("heard", "keys", "cents"),
    [
        pytest.param(["ik wil 30 euro betalen"], ["payment_link.issued"], 3000, id="a part"),
        pytest.param(["ik wil 49,95 euro betalen"], ["payment_link.issued"], 4995, id="all of it"),
        pytest.param(
            ["ik wil 24,99 euro betalen", "30 euro dan"],
            ["part.too_little", "payment_link.issued"],
            3000,
            id="too little",
        ),
        pytest.param(["ik wil 50 euro betalen", "40"], ["part.too_much", "payment_link.issued"], 4000, id="too much"),
        pytest.param(["ik wil een deel betalen", "25"], ["part.ask", "payment_link.issued"], 2500, id="asked for"),
        pytest.param(
            ["30 euro nu en 19,95 euro later", "30 euro"], ["part.ask", "payment_link.issued"], 3000, id="two amounts"
        ),
    ],
)
async def test_a_part_is_paid_with_a_link(
    talk: Talk, world: World, heard: list[str], keys: list[str], cents: int
) -> None:
    world.verified = True
    said = [await talk.hear(text, "pay_part" if place == 0 else "inform") for place, text in enumerate(heard)]
    assert [key for each in said for key in each.keys] == keys
    assert (said[-1].args["amount"], said[-1].form, world.handoffs) == ({"money": [cents, "EUR"]}, None, [])


async def test_three_amounts_that_are_none_and_a_person_helps(talk: Talk, world: World) -> None:
    world.verified = True
    said = [await talk.hear("een deel", "pay_part")]
    said += [await talk.hear(text, "inform") for text in ("een beetje", "iets", "500 euro")]
    assert [key for each in said for key in each.keys] == [
        "part.ask",
        "part.ask_unclear",
        "part.ask_unclear",
        "request.pay_part",
        "handoff.when_open",
    ]
    assert world.handoffs == [(Reason.REQUEST, {"wish": "pay_part", "noted": ["500.00"]})]


@pytest.mark.parametrize(("stops", "key"), [(True, "plan.agreed_web"), (False, "plan.agreed_costs_web")])
async def test_no_link_is_promised_to_who_cannot_be_sent_one(talk: Talk, world: World, stops: bool, key: str) -> None:
    world.creditor = creditor(plans={"stops_costs": stops})
    world.verified, world.out_of_reach, world.invoices = True, True, [invoice("2026-0042", 10000)]
    await talk.hear("kan het in delen?", "request_payment_plan")
    await talk.hear("in 3 keer", "inform")
    assert (await talk.hear("ja", "affirm")).keys == [key]


async def test_where_costs_go_on_it_is_said(talk: Talk, world: World) -> None:
    world.creditor = creditor(plans={"stops_costs": False}, promises={"stops_costs": False})
    world.verified, world.invoices = True, [invoice("2026-0042", 10000)]
    said = [await talk.hear("ik betaal vrijdag", "pay_later"), await talk.hear("ja", "affirm")]
    assert [key for each in said for key in each.keys] == ["promise.confirm", "promise.made_costs"]
    for text, intent, key in (
        ("kan het in delen?", "request_payment_plan", "plan.offer_costs"),
        ("in 3 keer", "inform", "plan.confirm"),
        ("ja", "affirm", "plan.agreed_costs"),
    ):
        assert (await talk.hear(text, intent)).keys == [key]


@pytest.mark.parametrize("charged", [0, 4000])
@pytest.mark.parametrize(
    ("paid", "due", "cents"),
    [(0, TODAY + timedelta(days=7), 2498), (1000, TODAY + timedelta(days=7), 1498), (2498, date(2026, 12, 30), 2497)],
)
def test_the_next_part_of_a_plan(paid: int, due: date, cents: int, charged: int) -> None:
    plan = Agreed(spread(Money(4995), 2, TODAY), [InvoiceId("id-1")], Money(charged))
    others = [invoice("2", 7000), invoice("3", 100, disputed=True)]
    assert next_part(plan, [invoice("1", 4995 - paid + charged), *others]) == Instalment(due, Money(cents))


async def test_a_part_is_paid_on_the_invoices_of_the_plan(talk: Talk, world: World) -> None:
    """Another one has come since: of that nothing is a part, and nothing but it is left when the plan is paid."""
    world.verified, world.invoices = True, [invoice("2", 7000), invoice("1", 4995)]
    world.plan = Agreed(spread(Money(4995), 2, TODAY), [InvoiceId("id-1")])
    said = await talk.hear("betalen", "pay")
    assert (said.keys, said.args["amount"]) == (["pay.plan"], {"money": [2498, "EUR"]})
    assert (await talk.hear("deel", "pay", tapped={"part": "next"})).keys == ["payment_link.issued"]
    assert list(world.links.values()) == [(InvoiceId("id-1"),)]
    world.invoices = [invoice("2", 7000)]
    assert (await talk.hear("betalen", "pay")).keys == ["payment_link.issued"]


async def test_a_pay_day_is_asked_for(talk: Talk, world: World) -> None:
    world.verified = True
    assert (await talk.hear("als mijn loon binnen is", "pay_later")).keys == ["promise.ask_pay_day"]
    assert (await talk.hear("de 25e", "inform")).keys == ["promise.confirm"]
