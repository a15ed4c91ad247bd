"""What is offered first, what is not, and who is told of a class: only who asks for their data."""

from dataclasses import replace
from typing import Any

import pytest

from billing.risk import Behaviour, Standing
from core.creditor import Payments, RiskRule
from core.hold import Reason
from tests.bot.talk import Talk
from tests.bot.world import NOW, World, creditor

COUNTED = {Behaviour.LATE: 3, Behaviour.REVERSED: 0, Behaviour.BROKEN: 1}
RULE = RiskRule(name="high", late=3, broken=1)
BY_RULE = Standing("high", "rule", COUNTED, RULE)
DAY = {"date": "2026-11-23"}
ASKED = ("welke gegevens hebben jullie van mij?", "privacy_request")


@pytest.mark.parametrize(
    ("verified", "methods", "key", "rows"),
    [
        pytest.param(
            False, ["bancontact", "ideal", "creditcard", "banktransfer"], "payment_methods.list",
            ["ideal", "bancontact", "creditcard", "banktransfer"], id="anybody",
        ),
        pytest.param(
            True, ["bancontact", "ideal", "creditcard", "banktransfer"], "payment_methods.list",
            ["bancontact", "ideal", "creditcard", "banktransfer"], id="the last one used first",
        ),
        pytest.param(
            True, ["bancontact", "ideal"], "payment_methods.online",
            ["bancontact", "ideal"], id="no transfer",
        ),
    ],
)  # fmt: skip
async def test_the_methods(
    talk: Talk, world: World, verified: bool, methods: list[str], key: str, rows: list[str]
) -> None:
    world.verified, world.methods = verified, methods
    said = await talk.hear("hoe kan ik betalen?", "ask_payment_methods")
    assert said.keys == [key]
    assert [row["method"]["key"] for row in said.args["rows"]["rows"]] == [f"method.{method}" for method in rows]
    assert ("iban" in said.args) is (key == "payment_methods.list")


@pytest.mark.parametrize(
    ("standing", "excludes", "key", "why"),
    [
        pytest.param(Standing(None, "none", COUNTED), False, "privacy.risk_none", None, id="no class"),
        pytest.param(Standing(None, "agent", COUNTED, at=NOW), False, "privacy.risk_none", None, id="decided so"),
        pytest.param(
            BY_RULE, False, "privacy.risk",
            {
                "key": "privacy.why.rule",
                "args": {
                    "months": 12,
                    "facts": [
                        {"key": "privacy.fact.late", "args": {"n": 3, "days": 14}},
                        {"key": "privacy.fact.broken", "args": {"n": 1, "days": 14}},
                    ],
                },
            },
            id="by a rule",
        ),
        pytest.param(
            replace(BY_RULE, by="external", rule=None, source="Bureau Fictief", at=NOW, until=NOW), True,
            "privacy.risk_methods",
            {"key": "privacy.why.external", "args": {"source": "Bureau Fictief", "day": DAY, "until": DAY}},
            id="from outside",
        ),
        pytest.param(
            replace(BY_RULE, by="agent", rule=None, note="niet voor de klant", at=NOW), False, "privacy.risk",
            {"key": "privacy.why.agent", "args": {"day": DAY}}, id="by an agent",
        ),
    ],
)  # fmt: skip
async def test_class_and_rule_are_told_to_who_asks_for_their_data(
    talk: Talk, world: World, standing: Standing, excludes: bool, key: str, why: Any
) -> None:
    by_risk = {"high": ["ideal"]} if excludes else {}
    world.verified, world.risk = True, standing
    world.creditor = creditor(payments=Payments(methods_by_risk=by_risk))
    said = await talk.hear(*ASKED)
    assert said.keys == ["request.privacy", "handoff.when_open", key]
    assert said.body["says"][-1]["args"].get("why") == why
    assert "niet voor de klant" not in str(said.body)
    assert world.handoffs == [(Reason.REQUEST, {"wish": "privacy_request"})]


async def test_nobody_else_is_told(talk: Talk, world: World) -> None:
    world.risk = BY_RULE
    assert (await talk.hear(*ASKED)).keys == ["verify.ask_reference"]


@pytest.mark.parametrize(
    "intent",
    ["ask_balance", "pay", "ask_payment_methods", "ask_payment_status", "request_payment_plan", "already_paid"],
)
async def test_no_message_mentions_it_unasked(talk: Talk, world: World, intent: str) -> None:
    world.verified, world.risk = True, BY_RULE
    said = await talk.hear("…", intent)
    assert "privacy." not in str(said.body) and "risk" not in str(said.body)
