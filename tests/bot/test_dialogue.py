"""Every intent: what is said, and what is done in the world."""

import ast
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from billing.plans import spread
from core.hold import Reason, care_of
from core.money import Money
from tests.bot.process import ROOT
from tests.bot.talk import Talk
from tests.bot.world import NOW, Agreed, Known, Near, Paid, Parcel, World, creditor, invoice

WHEN = "handoff.when_open"


@dataclass(frozen=True)
class Case:
    intent: str
    keys: list[str]
    handoffs: list[tuple[Reason, dict[str, Any]]] = field(default_factory=list)
    options: list[str] | None = None
    text: str = "…"
    world: dict[str, Any] = field(default_factory=dict)
    form: str | None = None


def request(intent: str, key: str, **world: Any) -> Case:
    return Case(intent, [key, WHEN], [(Reason.REQUEST, {"wish": intent})], [], world={"verified": True, **world})


def dispute(reason: str, key: str, channel: str = "web") -> Case:
    return Case(
        f"dispute/{reason}",
        [f"dispute.{key}", WHEN, "dispute.ask"],
        [(Reason.DISPUTE, {"reason_detail": reason})],
        options=[],
        world={**KNOWN, "channel": channel},
    )


KNOWN: dict[str, Any] = {"verified": True}
PLAN = Agreed(spread(Money(4995), 2, NOW.date()))
HELP = ["ask_balance", "pay", "human"]
CASES = [
    Case("greet", ["talk.greet"], options=HELP),
    Case("goodbye", ["talk.goodbye"]),
    Case("thank", ["talk.thank"]),
    Case("affirm", ["talk.affirm"], options=HELP),
    Case("deny", ["talk.deny"]),
    Case("cancel", ["talk.cancelled"]),
    Case(
        "help",
        ["talk.help"],
        options=[
            "ask_balance",
            "pay",
            "ask_payment_status",
            "ask_order_status",
            "request_payment_plan",
            "ask_payment_methods",
            "ask_contact_info",
            "human",
        ],
    ),
    Case("bot_challenge", ["talk.bot_challenge"], options=["human"]),
    Case("switch_language", ["talk.language_switched"]),
    Case("inform", ["talk.inform"], options=HELP),
    Case("out_of_scope", ["talk.not_understood"], options=HELP),
    Case("a_name_that_nobody_knows", ["talk.not_understood"], options=HELP),
    Case("ask_balance", ["balance.open"], options=["pay"], world=KNOWN),
    Case("ask_balance", ["balance.none"], options=[], world={**KNOWN, "invoices": []}),
    Case(
        "ask_balance",
        ["balance.disputed"],
        options=["human"],
        world={**KNOWN, "invoices": [invoice("2026-1", 100, disputed=True)]},
    ),
    Case(
        "ask_balance",
        ["balance.open", "balance.held"],
        options=["human"],
        world={**KNOWN, "held": frozenset([Reason.HARDSHIP])},
    ),
    Case("ask_balance", ["balance.open", "balance.credit"], options=["pay"], world={**KNOWN, "credit": Money(250)}),
    Case(
        "ask_balance",
        ["balance.none", "balance.credit"],
        options=["human"],
        world={**KNOWN, "invoices": [], "credit": Money(250)},
    ),
    Case("ask_balance", ["balance.open", "balance.plan"], options=["pay"], world={**KNOWN, "plan": PLAN}),
    Case(
        "ask_balance",
        ["balance.open", "balance.promised"],
        options=["pay"],
        world={**KNOWN, "promised": {"a": NOW.date()}},
    ),
    Case(
        "ask_balance",
        ["balance.open_many"],
        options=["pay"],
        world={**KNOWN, "invoices": [invoice(f"2026-{n:04}", 100) for n in range(12)]},
    ),
    Case("ask_invoice", ["invoice.detail"], options=["pay:id-2026-0042"], world=KNOWN),
    Case(
        "ask_invoice", ["invoice.detail", "balance.plan"], options=["pay:id-2026-0042"], world={**KNOWN, "plan": PLAN}
    ),
    Case(
        "ask_invoice",
        ["invoice.detail", "balance.promised"],
        options=["pay:id-2026-0042"],
        world={**KNOWN, "promised": {"id-2026-0042": NOW.date()}},
    ),
    Case(
        "ask_invoice",
        ["invoice.detail", "balance.held"],
        options=["human"],
        world={**KNOWN, "held": frozenset([Reason.HARDSHIP])},
    ),
    Case("ask_invoice", ["invoice.none"], options=["human", "deny"], world={**KNOWN, "invoices": []}),
    Case("ask_fees", ["balance.none"], options=[], world=KNOWN),
    Case("ask_payment_status", ["payments.not_found"], options=["human", "deny"], world=KNOWN),
    Case("ask_payment_status", ["balance.none"], options=[], world={**KNOWN, "invoices": []}),
    Case(
        "ask_payment_status",
        ["payments.received"],
        options=["ask_payment_status:any"],  # a receipt
        world={**KNOWN, "paid": [Paid(Money(4995), NOW, ["2026-0042"])]},
    ),
    Case(
        "ask_payment_status", ["payments.pending"], options=[], world={**KNOWN, "pending": [Paid(Money(4995), NOW, [])]}
    ),
    Case("request_invoice_copy", ["verify.ask_reference"], form="verify_form"),  # the rest: test_copies
    Case("already_paid", ["already_paid.settled"], world={**KNOWN, "invoices": []}),
    Case(
        "already_paid",
        ["payments.received", "claim.another"],
        world={**KNOWN, "paid": [Paid(Money(4995), NOW, ["2026-0042"])]},
    ),
    Case("ask_payment_methods", ["payment_methods.list"], options=["pay"]),
    Case("pay", ["payment_link.issued"], options=[], world=KNOWN),
    Case("pay", ["pay.none"], options=[], world={**KNOWN, "invoices": []}),
    Case("pay", ["pay.disputed"], options=["human"], world={**KNOWN, "invoices": [invoice("1", 1, disputed=True)]}),
    Case("pay", ["pay.plan"], options=["pay:next", "pay:all"], world={**KNOWN, "plan": PLAN}),
    Case("pay", ["payment_link.issued_held"], options=[], world={**KNOWN, "held": frozenset([Reason.HARDSHIP])}),
    Case("pay_part", ["payment_link.issued"], options=[], world={**KNOWN, "plan": PLAN}),
    Case("pay_part", ["pay.none"], options=[], world={**KNOWN, "invoices": []}),
    Case(
        "pay_part",
        ["pay.disputed"],
        options=["human"],
        world={**KNOWN, "invoices": [invoice("1", 1, disputed=True)]},
    ),
    Case("pay_later", ["plan.current"], options=["human"], world={**KNOWN, "plan": PLAN}),
    Case("request_payment_plan", ["plan.too_small"], options=["pay", "pay_later", "human"], world=KNOWN),
    Case("pay_later", ["pay.none"], options=[], world={**KNOWN, "invoices": []}),
    request("request_payment_plan", "request.payment_plan", invoices=[invoice("2026-0042", 50001)]),
    request("direct_debit_problem", "request.direct_debit"),
    request("reactivate_account", "request.reactivate"),
    *(dispute(r, r) for r in ("not_received", "amount", "not_mine", "cancelled")),
    # A picture is asked for where one can be sent.
    *(dispute(r, r, channel) for r in ("returned", "defective") for channel in ("whatsapp", "telegram")),
    *(dispute(r, f"{r}_no_picture", channel) for r in ("returned", "defective") for channel in ("web", "sms")),
    Case("dispute", ["dispute.general", WHEN, "dispute.ask"], [(Reason.DISPUTE, {})], world=KNOWN),
    Case("dispute", ["dispute.unknown", WHEN, "dispute.ask"], [(Reason.DISPUTE, {})]),
    Case("dispute/amount", ["dispute.unknown", WHEN, "dispute.ask"], [(Reason.DISPUTE, {"reason_detail": "amount"})]),
    Case(
        "dispute/not_mine",
        ["dispute.not_mine_unknown", WHEN, "dispute.ask"],
        [(Reason.DISPUTE, {"reason_detail": "not_mine"})],
    ),
    Case("hardship", ["care.hardship", WHEN], [(Reason.HARDSHIP, {})], options=[], world=KNOWN),
    Case("hardship", ["care.hardship_unknown", WHEN], [(Reason.HARDSHIP, {})], options=[]),
    Case(
        "hardship",
        ["care.hardship", WHEN],
        [(Reason.HARDSHIP, {"proposal": "10.00"})],
        text="ben mijn baan kwijt, ik kan 10 euro betalen",
        world=KNOWN,
    ),
    Case(
        "under_administration",
        ["care.under_administration", WHEN],
        [(Reason.UNDER_ADMINISTRATION, {})],
        world=KNOWN,
    ),
    Case("under_administration", ["care.under_administration_unknown", WHEN], [(Reason.UNDER_ADMINISTRATION, {})]),
    Case("self_harm", ["care.self_harm", "care.self_harm_open"], [(Reason.SELF_HARM, {})], options=[]),
    Case(
        "self_harm",
        ["care.self_harm", "care.self_harm_closed"],
        [(Reason.SELF_HARM, {})],
        options=[],
        world={"agent_open": False},
    ),
    Case(
        "report_deceased",
        ["care.report_deceased", WHEN],
        [(Reason.REPORT_DECEASED, {})],
        options=[],
        world=KNOWN,
    ),
    Case("report_deceased", ["care.report_deceased_unknown", WHEN], [(Reason.REPORT_DECEASED, {})], options=[]),
    Case("complaint", ["care.complaint", WHEN], [(Reason.COMPLAINT, {})], options=[], world=KNOWN),
    Case("complaint", ["care.complaint_unknown", WHEN], [(Reason.COMPLAINT, {})], options=[]),
    Case("human", ["handoff.human", WHEN], [(Reason.HUMAN, {})]),
    Case("human", ["handoff.human", "handoff.when_closed"], [(Reason.HUMAN, {})], world={"agent_open": False}),
    Case(
        "human",
        ["handoff.human", "handoff.when_unknown"],
        [(Reason.HUMAN, {})],
        world={"agent_open": False, "creditor": creditor(hours={})},
    ),
    Case("request_callback", ["handoff.callback_phone"], form="request_callback_form"),
    Case(
        "request_callback",
        ["handoff.callback_noted"],
        [(Reason.CALLBACK, {"phone": "+31612345678", "when": "2026-11-24 morgenochtend"})],
        text="bel morgenochtend op +31612345678",
    ),
    Case("wrong_person", ["wrong_person.sorry"], [(Reason.WRONG_PERSON, {})]),
    Case("verify_legitimacy", ["legitimacy.answer"]),
    Case("opt_out", ["opt_out.done"]),
    Case("opt_in", ["opt_in.done"]),
    Case("opt_in", ["opt_in.done_offers"], world=KNOWN),
    Case("update_contact", ["request.contact_which"], form="update_contact_form", world=KNOWN),
    Case("ask_contact_info", ["contact.here", "contact.hours"], options=["human"]),
    Case("ask_contact_info", ["answer.found"], world={"answer": Known("In Gent.")}),
    Case(
        "ask_contact_info",
        ["contact.phone_email"],
        world={"creditor": creditor(phone="+31201234567", email="hallo@bloem.example", hours={})},
    ),
    Case(
        "privacy_request",
        ["request.privacy", WHEN, "privacy.risk_none"],
        [(Reason.REQUEST, {"wish": "privacy_request"})],
        world=KNOWN,
    ),
    *(
        Case(intent, ["answer.none"], options=["human", "deny"])
        for intent in ("ask_product", "ask_return", "ask_pay_later_terms", "ask_offers")
    ),
    Case("ask_product", ["answer.found_link"], options=[], world={"answer": Known("Ja.", "https://bloem.example/x")}),
    Case(
        "ask_product",
        ["answer.suggestions"],
        options=["ask_product:Een?", "ask_product:Twee?", "ask_product:Drie?", "human"],
        world={"answer": Near(["Een?", "Twee?", "Drie?", "Vier?"])},
    ),
    Case("ask_order_status", ["orders.none"], options=["human", "deny"], world=KNOWN),
    Case(
        "ask_order_status",
        ["orders.list", "orders.expected", "orders.tracking"],
        world={**KNOWN, "orders": [Parcel("B-1001")]},
    ),
    Case(
        "ask_order_status",
        ["orders.list", "orders.expected", "orders.tracking_plain"],
        world={**KNOWN, "orders": [Parcel("B-1001", carrier="")]},
    ),
    Case("ask_order_status", ["orders.list"], world={**KNOWN, "orders": [Parcel("B-1001"), Parcel("B-1002")]}),
]
# What a person gets only after verification; care is heard from anybody.
ANYBODY = frozenset({"opt_in"})
WISHES = sorted({case.intent for case in CASES if case.world.get("verified") and not care_of(case.intent)} - ANYBODY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.intent}-{case.keys[0]}-{sorted(case.world)}")
async def test_each_intent(talk: Talk, world: World, case: Case) -> None:
    for name, value in case.world.items():
        setattr(world, name, value)
    said = await talk.hear(case.text, case.intent)
    assert said.keys == case.keys
    assert world.handoffs == case.handoffs
    assert said.form == case.form
    if case.options is not None:
        assert said.options == case.options
    after = await talk.hear("hallo", "greet")
    assert after.keys == ["talk.greet", *(case.keys if case.form else [])]


@pytest.mark.parametrize("intent", WISHES)
async def test_nothing_of_a_debt_before_verification(talk: Talk, world: World, intent: str) -> None:
    said = await talk.hear("…", intent)
    assert (said.keys, said.form) == (["verify.ask_reference"], "verify_form")
    assert said.body["slots"] == {"wanted": intent}
    assert not world.handoffs
    assert not world.links


def intents() -> set[str]:
    return {
        intent
        for file in (ROOT / "bot/domain").glob("*.yml")
        for intent in yaml.safe_load(file.read_text()).get("intents", [])
    }


def test_every_intent_has_a_case_and_the_list_is_that_of_the_training_sentences() -> None:
    trained = {
        entry["intent"].partition("/")[0]
        for file in (ROOT / "bot/data/nlu/nl").glob("*.yml")
        for entry in yaml.safe_load(file.read_text())["nlu"]
    }
    assert intents() == trained
    assert intents() <= {case.intent.partition("/")[0] for case in CASES}


async def test_the_balance_is_told_in_typed_arguments(talk: Talk, world: World) -> None:
    world.verified = True
    world.invoices = [
        invoice("2026-0042", 4995, due=NOW.date()),
        invoice("2026-0041", 100),
        invoice("2026-0001", 250000, due=NOW.date().replace(day=1), disputed=True),
        invoice("2026-0002", 1, due=NOW.date().replace(day=1)),
    ]
    said = await talk.hear("wat staat er open", "ask_balance")
    assert said.keys == ["balance.open", "balance.disputed"]
    assert (said.args["total"], said.args["n"]) == ({"money": [5096, "EUR"]}, 3)
    rows = said.args["rows"]["rows"]
    assert [row["state"]["key"].rpartition(".")[2] for row in rows] == ["due", "due", "overdue"]
    assert rows[0]["due"] == {"date": "2026-11-23"}
    assert [row["number"] for row in said.body["says"][1]["args"]["rows"]["rows"]] == ["2026-0001"]


async def test_closed_hours_say_when(talk: Talk, world: World) -> None:
    world.agent_open = False
    said = await talk.hear("mag ik een mens", "human")
    assert said.body["says"][1]["args"] == {"day": {"date": "2026-11-24"}, "time": "08:30"}


@pytest.mark.parametrize(("country", "key"), [("NL", "NL"), ("BE", "BE"), ("DE", "DE"), ("FR", "FR"), ("PL", "other")])
async def test_help_is_that_of_the_persons_country(talk: Talk, world: World, country: str, key: str) -> None:
    world.country = country
    assert (await talk.hear("…", "hardship")).args["help"] == {"key": f"care.debt_help.{key}"}
    assert (await talk.hear("…", "self_harm")).args["lines"] == {"key": f"care.self_harm.lines.{key}"}


async def test_the_second_miss_offers_a_person(talk: Talk, world: World) -> None:
    await talk.hear("blub", "out_of_scope")
    said = await talk.hear("blub blub", "out_of_scope")
    assert (said.keys, said.options) == (["talk.not_understood_again"], ["human", "deny"])
    said = await talk.hear("ja graag", "affirm")
    assert said.keys == ["handoff.human", WHEN]
    assert world.handoffs == [(Reason.HUMAN, {})]


async def test_who_comes_back_after_days_hears_what_is_open(talk: Talk, world: World) -> None:
    world.verified = True
    said = await talk.hear("goedemorgen", "greet", slots={"away": True})
    assert (said.keys, said.options) == (["balance.welcome_back"], HELP)
    assert (said.args["n"], said.args["total"]) == (1, {"money": [4995, "EUR"]})


@pytest.mark.parametrize(
    "so",
    [
        pytest.param({"verified": False}, id="somebody unknown"),
        pytest.param({"away": False}, id="within days"),
        pytest.param({"invoices": []}, id="nothing is open"),
        pytest.param({"invoices": [invoice("1", 1, disputed=True)]}, id="nothing to ask for"),
        pytest.param({"held": frozenset({Reason.HARDSHIP})}, id="nobody in trouble is pressed"),
        pytest.param({"plan": Agreed([])}, id="a plan sees to it"),
    ],
)
async def test_a_hello_is_a_hello(talk: Talk, world: World, so: dict[str, Any]) -> None:
    slots = {"away": so.get("away", True)}
    for name, value in {"verified": True, **so}.items():
        if name not in slots:
            setattr(world, name, value)
    assert (await talk.hear("goedemorgen", "greet", slots=slots)).keys == ["talk.greet"]


@pytest.mark.parametrize(
    ("readings", "offered"),
    [
        (["pay", "ask_fees", "dispute/amount"], ["pay", "ask_fees", "dispute/amount", "out_of_scope", "human"]),
        (["pay_part", "pay"], ["pay_part:20.00", "pay:20.00", "out_of_scope", "human"]),
        (["ask_product", "human"], ["ask_product:20 euro?", "out_of_scope", "human"]),
        (["human"], HELP),
    ],
    ids=["three", "with what was said", "a person once", "a person alone"],
)
async def test_doubt_asks_what_is_meant(talk: Talk, world: World, readings: list[str], offered: list[str]) -> None:
    amounts = [{"entity": "amount", "value": "20.00"}] if "pay_part" in readings else []
    world.parse = {"readings": readings, "entities": amounts}
    said = await talk.hear("20 euro?", "out_of_scope")
    assert said.options == offered
    said = await talk.hear("Iets anders", "out_of_scope", tapped={})
    assert said.keys == ["talk.not_understood_again"], "that is the second miss"


async def test_a_question_to_the_shop_is_answered_whichever_it_is(talk: Talk, world: World) -> None:
    world.parse = {"readings": ["ask_offers", "ask_product"], "entities": []}
    assert (await talk.hear("heb je kabouters?", "out_of_scope")).keys == ["answer.none"]
    world.answer = Known("Ja.")
    assert (await talk.hear("heb je kabouters?", "out_of_scope")).keys == ["answer.found"]


async def test_no_to_an_offer_is_accepted(talk: Talk, world: World) -> None:
    await talk.hear("heb je een groene monstera?", "ask_product")
    assert (await talk.hear("nee hoor", "deny")).keys == ["talk.deny"]
    assert not world.handoffs


async def test_yes_to_one_option_takes_it(talk: Talk, world: World) -> None:
    world.verified = True
    await talk.hear("wat staat er open", "ask_balance")
    assert (await talk.hear("ja", "affirm")).keys == ["payment_link.issued"]


async def test_a_suggested_question_is_looked_up_when_tapped(talk: Talk, world: World) -> None:
    world.answer = Near(["Hoeveel water?"])
    await talk.hear("hoe zit het met water", "ask_product")
    world.answer = Known("Eens per week.")
    said = await talk.hear("Hoeveel water?…", "ask_product", tapped={"question": "Hoeveel water?"})
    assert said.keys == ["answer.found"]
    assert world.asked == ["hoe zit het met water", "Hoeveel water?"]


@pytest.mark.parametrize(
    ("intent", "done"), [("opt_out", ["out"]), ("opt_in", ["back"]), ("wrong_person", ["wrong_person"])]
)
async def test_opting_out_and_in(talk: Talk, world: World, intent: str, done: list[str]) -> None:
    await talk.hear("…", intent)
    assert world.opted == done


def test_no_prose_in_actions() -> None:
    """Every say has a literal key (or one made of a literal beginning): words with a point, and no text."""
    for file in (ROOT / "bot/actions").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                for literal in ast.walk(node):
                    if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                        assert " " not in literal.value, f"{file.name}: {literal.value}"


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param([], id="nothing asked"),
        pytest.param([("wat staat er open", "ask_balance")], id="number asked"),
        pytest.param([("wat staat er open", "ask_balance"), ("2026-0042", "inform")], id="postcode asked"),
        pytest.param([("2026-0042, 1234AB, ik wil betalen", "pay")], id="invoice asked"),
    ],
)
async def test_no_intent_is_met_with_silence(talk: Talk, world: World, heard: list[tuple[str, str]]) -> None:
    world.invoices = [invoice("2026-0042", 4995), invoice("2026-0043", 100)]
    dialogue = talk.dialogue
    for intent in sorted(intents()):
        world.verified = False
        talk.dialogue = f"{dialogue}-{intent}"
        for text, before in heard:
            await talk.hear(text, before)
        said = await talk.hear("…", intent)
        assert said.status == 200, (intent, said.body)
        assert said.keys, intent
