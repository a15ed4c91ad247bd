"""I have paid already: looked up first, then asked for step by step, and noted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.hold import Reason
from core.lifecycle import ClaimState
from core.message import Option
from core.money import Money
from tests.bot.talk import Talk
from tests.bot.world import NOW, Claimed, Paid, World, invoice

PICTURE = {"picture": "sent"}
UNTIL = date(2026, 11, 30)
OPEN = Claimed("c1", ClaimState.OPEN, [invoice("2026-0042", 1).id], date(2026, 11, 20), UNTIL)


@pytest.mark.parametrize(
    ("heard", "keys", "noted"),
    [
        pytest.param(
            [("ik heb al betaald", "already_paid"), ("gisteren", "inform"), ("49,95", "inform"), ("6789", "inform")],
            ["claim.ask_day", "claim.ask_amount", "claim.ask_account", "claim.noted"],
            ("2026-11-22", 4995, "6789"),
            id="step by step",
        ),
        pytest.param(
            [("I paid € 49.95 on 12 November", "already_paid"), ("NL91 ABNA 0417 1643 00", "inform")],
            ["claim.ask_account", "claim.noted"],
            ("2026-11-12", 4995, "4300"),
            id="all at once, and of an IBAN only the end",
        ),
        pytest.param(
            [("j’ai payé hier", "already_paid"), ("50", "inform"), ("je ne sais pas", "out_of_scope")],
            ["claim.ask_amount", "claim.ask_account", "claim.noted"],
            ("2026-11-22", 5000, None),
            id="without an account",
        ),
        pytest.param(
            [("schon bezahlt", "already_paid"), ("am 25.12.2026", "inform"), ("am 12.11.", "inform"),
             ("30 euro", "inform"), ("nein", "deny")],
            ["claim.ask_day", "claim.day_ahead", "claim.ask_amount", "claim.ask_account", "claim.noted"],
            ("2026-11-12", 3000, None),
            id="a day that is still to come",
        ),
        pytest.param(
            [("al betaald", "already_paid"), ("eh", "inform"), ("vrijdag", "inform"), ("veel", "out_of_scope"),
             ("nul", "out_of_scope"), ("€ 10", "inform"), ("de spaarrekening", "inform"), ("op 1234", "inform")],
            ["claim.ask_day", "claim.ask_day_unclear", "claim.ask_amount", "claim.ask_amount_unclear",
             "claim.ask_amount_unclear", "claim.ask_account", "claim.ask_account_unclear", "claim.noted"],
            ("2026-11-20", 1000, "1234"),
            id="unclear at each step, never three times at one",
        ),
        pytest.param(
            [("al betaald", "already_paid"), ("wat staat er open?", "ask_balance"), ("gisteren", "inform"),
             ("ben je een robot?", "bot_challenge"), ("laat maar", "cancel")],
            ["claim.ask_day", "balance.open", "claim.ask_day", "claim.ask_amount", "talk.bot_challenge",
             "claim.ask_amount", "talk.cancelled"],
            None,
            id="questions in between, and never mind",
        ),
        pytest.param(
            [("al betaald", "already_paid"), ("gisteren", "inform"), ("laat maar", "cancel"),
             ("al betaald", "already_paid")],
            ["claim.ask_day", "claim.ask_amount", "talk.cancelled", "claim.ask_day"],
            None,
            id="left, and begun afresh",
        ),
    ],
)  # fmt: skip
async def test_the_form(
    talk: Talk,
    world: World,
    heard: Sequence[tuple[str, str]],
    keys: list[str],
    noted: tuple[str, int, str | None] | None,
) -> None:
    world.verified = True
    said = [await talk.hear(text, intent) for text, intent in heard]
    assert [key for each in said for key in each.keys] == keys
    assert [(str(c.paid_on), c.amount, c.account_end) for c in world.claims] == (
        [(noted[0], Money(noted[1]), noted[2])] if noted else []
    )
    if noted:
        assert said[-1].form is None
        assert said[-1].args["until"] == {"date": UNTIL.isoformat()}
        assert [claim.id for claim in world.claims] == [f"{said[-1].body['turn']}:claim"]
    assert world.handoffs == []


async def test_who_cannot_be_told_later_is_asked_to_come_back(talk: Talk, world: World) -> None:
    world.verified, world.out_of_reach = True, True
    for text, intent in (("al betaald", "already_paid"), ("gisteren", "inform"), ("€ 49,95", "inform")):
        await talk.hear(text, intent)
    assert (await talk.hear("6789", "inform")).keys == ["claim.noted_web"]


async def test_the_amount_tells_which_invoice(talk: Talk, world: World) -> None:
    world.verified, world.invoices = True, [invoice("2026-0042", 4995), invoice("2026-0057", 1875)]
    await talk.hear("al betaald", "already_paid")
    said = await talk.hear("gisteren", "inform")
    assert said.options == ["inform:68.70", "inform:49.95", "inform:18.75"]
    said = await talk.hear("€ 18,75", "inform", tapped={"amount": "18.75"})
    assert (said.keys, said.options) == (["claim.ask_account"], ["inform:yes"])
    assert (await talk.hear("Overslaan", "inform", tapped={"skip": "yes"})).keys == ["claim.noted"]
    assert [claim.invoices for claim in world.claims] == [["id-2026-0057"]]


async def test_the_third_failure_hands_over(talk: Talk, world: World) -> None:
    world.verified = True
    await talk.hear("al betaald", "already_paid")
    await talk.hear("gisteren", "inform")
    for text in ("veel", "zat"):
        assert (await talk.hear(text, "inform")).keys == ["claim.ask_amount_unclear"]
    said = await talk.hear("genoeg", "inform")
    assert (said.keys, said.form) == (["claim.handed_over", "handoff.when_open"], None)
    assert world.handoffs == [(Reason.REQUEST, {"wish": "already_paid", "noted": ["2026-11-22"]})]


@pytest.mark.parametrize(("intent", "key"), [("hardship", "care.hardship"), ("human", "handoff.human")])
async def test_care_and_a_person_break_it(talk: Talk, world: World, intent: str, key: str) -> None:
    world.verified = True
    await talk.hear("al betaald", "already_paid")
    said = await talk.hear("…", intent, interrupt=True)
    assert (said.keys[0], said.form, world.claims) == (key, None, [])


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
async def test_a_picture_takes_the_place_of_answers(talk: Talk, world: World, channel: str) -> None:
    world.verified, world.channel = True, channel
    assert (await talk.hear("al betaald", "already_paid")).keys == ["claim.ask_day_or_picture"]
    await talk.hear("gisteren", "inform")
    said = await talk.hear("", "inform", tapped=PICTURE)
    assert (said.keys, said.form) == (["claim.noted_picture", "handoff.when_open"], None)
    (claim,) = world.claims
    assert (claim.paid_on, claim.amount) == (date(2026, 11, 22), None)
    assert world.proofs == [(claim.id, said.body["turn"])]
    assert world.handoffs == [(Reason.REQUEST, {"wish": "already_paid"})]


async def test_a_picture_at_once(talk: Talk, world: World) -> None:
    world.verified, world.channel = True, "whatsapp"
    said = await talk.hear("hier is het bewijs", "already_paid", tapped=PICTURE)
    assert said.keys == ["claim.noted_picture", "handoff.when_open"]
    assert [claim.paid_on for claim in world.claims] == [None]


@pytest.mark.parametrize(
    ("verified", "claims", "keys"),
    [
        pytest.param(True, [OPEN], ["claim.picture", "handoff.when_open"], id="of the claim"),
        pytest.param(True, [replace(OPEN, state=ClaimState.LAPSED)], ["claim.picture", "handoff.when_open"], id="late"),
        pytest.param(True, [replace(OPEN, state=ClaimState.SETTLED)], ["notice.media"], id="of nothing any more"),
        pytest.param(True, [], ["notice.media"], id="of nothing"),
        pytest.param(False, [OPEN], ["notice.media"], id="of nobody known"),
    ],
)
async def test_a_picture_that_nobody_asked_for(
    talk: Talk, world: World, verified: bool, claims: list[Claimed], keys: list[str]
) -> None:
    world.verified, world.claims = verified, claims
    said = await talk.hear("", "inform", tapped=PICTURE)
    assert said.keys == keys
    assert world.proofs == ([("c1", said.body["turn"])] if len(keys) > 1 else [])


async def test_a_bare_value_is_no_picture(talk: Talk, world: World) -> None:
    assert (await talk.hear("2026-0042", "inform")).keys == ["talk.inform"]


PAID = Paid(Money(1000), NOW - timedelta(days=1), ["2026-0031"])
LAPSED = replace(OPEN, state=ClaimState.LAPSED)
ANOTHER = Option("option.another_payment", "already_paid", entities={"claim": "new"})


@pytest.mark.parametrize(
    ("paid", "pending", "open_now", "claims", "keys"),
    [
        pytest.param([PAID], [], True, [], ["payments.received", "claim.another"], id="another was paid"),
        pytest.param([PAID], [], False, [], ["payments.received"], id="all was paid"),
        pytest.param([], [PAID], True, [], ["payments.pending"], id="under way"),
        pytest.param([], [], False, [], ["already_paid.settled"], id="nothing is open"),
        pytest.param([], [], True, [OPEN], ["claim.open_no_picture"], id="being looked for"),
        pytest.param(
            [], [], True, [LAPSED], ["claim.again_no_picture", "handoff.when_open"], id="looked for in vain"
        ),
        pytest.param(
            [], [], True, [replace(OPEN, invoices=[])], ["claim.ask_day"], id="another invoice was looked for"
        ),
    ],
)  # fmt: skip
async def test_what_the_books_know_comes_first(
    talk: Talk,
    world: World,
    paid: list[Paid],
    pending: list[Paid],
    open_now: bool,
    claims: list[Claimed],
    keys: list[str],
) -> None:
    world.verified, world.paid, world.pending, world.claims = True, paid, pending, claims
    if not open_now:
        world.invoices = []
    assert (await talk.hear("ik heb al betaald", "already_paid")).keys == keys


@pytest.mark.parametrize(("claim", "key"), [(OPEN, "claim.open"), (LAPSED, "claim.again")])
@pytest.mark.parametrize(("channel", "ending"), [("whatsapp", ""), ("telegram", ""), ("sms", "_no_picture")])
async def test_a_picture_is_asked_for_where_one_can_be_sent(
    talk: Talk, world: World, claim: Claimed, key: str, channel: str, ending: str
) -> None:
    world.verified, world.claims, world.channel = True, [claim], channel
    assert (await talk.hear("ik heb al betaald", "already_paid")).keys[0] == f"{key}{ending}"


@pytest.mark.parametrize("yes", ["tap", "word"])
async def test_another_payment_is_looked_for(talk: Talk, world: World, yes: str) -> None:
    world.verified, world.paid = True, [PAID]
    await talk.hear("ik heb al betaald", "already_paid")
    if yes == "tap":
        said = await talk.hear("Andere betaling", "already_paid", tapped=dict(ANOTHER.entities))
    else:
        said = await talk.hear("ja", "affirm")
    assert said.keys == ["claim.ask_day"]


async def test_only_the_verified_are_told_what_the_books_know(talk: Talk, world: World) -> None:
    world.paid = [PAID]
    assert (await talk.hear("ik heb al betaald", "already_paid")).keys == ["verify.ask_reference"]
