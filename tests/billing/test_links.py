import asyncio
from datetime import timedelta
from typing import Any

import pytest

from billing.links import Link, Standing, due_on, standing
from core.creditor import Creditor
from core.errors import BadInput, NotFound
from core.ids import CreditorKey, DebtorId, LinkId
from core.lifecycle import LinkState
from core.money import Money
from payments.references import references_in
from store.tables.money import payment_link
from tests.billing.house import BLOEM, VELO, House
from tests.clock import FakeClock

_NOW = FakeClock().now()


async def test_a_link_is_over_what_is_open(house: House) -> None:
    who = await house.debtor("K1")
    first, second = await house.invoice(who, "F1", 1000), await house.invoice(who, "F2", 2500)
    await house.paid_elsewhere(first, 300, "bank:1")
    link = await house.link(who, [first, second])
    assert link.amount == Money(3200)
    assert link.expires_at == house.clock.now() + timedelta(days=14)
    assert len(link.token) >= 22  # 128 bits
    assert await house.links.by_token(link.token) == link
    assert await house.links.by_token("x" * 22) is None


async def test_the_same_key_gives_the_same_link_at_once_too(house: House) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, "F1", 1000)
    issued = await asyncio.gather(*(house.link(who, [key], "turn-7:link") for _ in range(5)))
    assert len({link.token for link in issued}) == 1
    assert (await house.link(who, [key], "turn-8:link")).token != issued[0].token


async def test_what_no_link_is_made_for(house: House) -> None:
    who, other = await house.debtor("K1"), await house.debtor("K1", VELO)
    paid, theirs = await house.invoice(who, "F1", 1000), await house.invoice(other, "F9", 1000)
    dollars = await house.invoice(who, "F2", 1000, currency="EUR")
    await house.paid_elsewhere(paid, 1000, "bank:1")
    with pytest.raises(BadInput):
        await house.link(who, [paid])
    with pytest.raises(NotFound):
        await house.link(who, [dollars, theirs])


_FLEMISH = BLOEM.model_copy(update={"country": "BE"})
_DUTCH = BLOEM.model_copy(update={"payments": BLOEM.payments.model_copy(update={"reference": "betalingskenmerk"})})


@pytest.mark.parametrize(
    ("creditor", "number", "values", "reference"),
    [
        pytest.param(BLOEM, "539007547034", {}, "RF18539007547034", id="from the number"),
        pytest.param(_FLEMISH, "20260042", {}, "+++002/0260/04240+++", id="Belgian, from the number"),
        pytest.param(_DUTCH, "56789012345", {}, "5000056789012345", id="Dutch where the creditor says so"),
        pytest.param(
            _DUTCH, "F1", {"reference": "+++090/9337/55493+++"}, "+++090/9337/55493+++", id="the invoice's own"
        ),
        pytest.param(_FLEMISH, "F1", {"reference": "090933755493"}, "+++090/9337/55493+++", id="its own, as digits"),
        pytest.param(BLOEM, "F1", {"reference": "Klant 7"}, "Klant 7", id="its own, of no kind"),
    ],
)
async def test_the_reference_of_one_invoice(
    house: House, creditor: Creditor, number: str, values: dict[str, Any], reference: str
) -> None:
    who = await house.debtor("K1")
    key = await house.invoice(who, number, 1000, **values)
    assert (await house.link(who, [key], creditor=creditor)).reference == reference
    assert (await house.link(who, [key], "turn-2:link", creditor=creditor)).reference == reference


@pytest.mark.parametrize("creditor", [BLOEM, _FLEMISH, _DUTCH], ids=["iso11649", "ogm", "betalingskenmerk"])
async def test_no_two_debts_share_a_reference(house: House, creditor: Creditor) -> None:
    who, other = await house.debtor("K1"), await house.debtor("K2")
    plain, alike = await house.invoice(who, "12-3", 1000), await house.invoice(other, "1-23", 2500)
    long = await house.invoice(who, "A" * 40, 1000)
    issued = [
        (await house.link(owner, keys, f"turn-{at}:link", creditor=creditor)).reference
        for at, (owner, keys) in enumerate([(who, [plain]), (other, [alike]), (who, [plain, long]), (who, [long])])
    ]
    assert len(set(issued)) == 4
    assert all(text in [each.text for each in references_in(text)] for text in issued)


async def test_a_link_never_collects_more_than_is_open_or_was_said(house: House) -> None:
    who = await house.debtor("K1")
    first, second = await house.invoice(who, "F1", 1000), await house.invoice(who, "F2", 2500)
    link = await house.link(who, [first, second])
    await house.paid_elsewhere(first, 1200, "bank:1")  # 200 too much: no reason to collect less of the other
    await house.paid_elsewhere(second, -500, "correction:1")  # now 3000 is open: the link was issued for 2500
    async with house.database.read() as connection:
        assert await due_on(connection, link) == Money(2500)


async def test_states_and_their_times(house: House) -> None:
    who = await house.debtor("K1")
    link = await house.link(who, [await house.invoice(who, "F1", 1000)])
    marked = [
        await house.links.mark(link.id, state)
        for state in (LinkState.VIEWED, LinkState.SENT, LinkState.STARTED, LinkState.PAID, LinkState.FAILED)
    ]
    assert marked == [True, False, True, True, False]
    found = await house.links.by_id(link.id)
    assert found and found.state is LinkState.PAID


@pytest.mark.parametrize(
    ("before", "state", "times"),
    [
        (None, LinkState.SENT, ["created", "sent"]),
        (LinkState.VIEWED, LinkState.VIEWED, ["created", "viewed", "sent"]),
    ],
    ids=["as it should be", "a person who was faster than the news"],
)
async def test_a_link_is_sent_with_its_message(
    house: House, before: LinkState | None, state: LinkState, times: list[str]
) -> None:
    who = await house.debtor("K1")
    link = await house.link(who, [await house.invoice(who, "F1", 1000)])
    await house.said("out-1", who, {"amount": {"money": [1000, "EUR"]}, "link": {"link": link.id}})
    if before:
        await house.links.mark(link.id, before)
    for message in ("out-1", "out-1", "gone"):
        await house.links.message_sent({"outbound_id": message})
    async with house.database.read() as tx:
        row = (await tx.execute(payment_link.select())).one()
    assert (row.state, set(row.times)) == (state, set(times))


async def test_the_scheduler_expires_what_is_over(house: House) -> None:
    who = await house.debtor("K1")
    link = await house.link(who, [await house.invoice(who, "F1", 1000)])
    house.clock.advance(days=13)
    assert await house.links.expire() == 0
    house.clock.advance(days=1)
    assert (await house.links.expire(), await house.links.expire()) == (1, 0)
    found = await house.links.by_id(link.id)
    assert found and found.state is LinkState.EXPIRED


@pytest.mark.parametrize(
    ("state", "due", "age", "pending", "expected"),
    [
        (LinkState.VIEWED, 100, 0, False, Standing.PAYABLE),
        (LinkState.FAILED, 100, 0, False, Standing.PAYABLE),
        (LinkState.STARTED, 100, 0, True, Standing.PENDING),
        (LinkState.PAID, 0, 0, False, Standing.PAID),
        (LinkState.PAID, 0, 99, False, Standing.PAID),
        (LinkState.SENT, 0, 0, False, Standing.SETTLED),
        (LinkState.EXPIRED, 0, 99, False, Standing.SETTLED),
        (LinkState.SENT, 100, 14, False, Standing.EXPIRED),
        (LinkState.EXPIRED, 100, 0, False, Standing.EXPIRED),
        (LinkState.REVOKED, 100, 0, False, Standing.REVOKED),
        (LinkState.REVOKED, 100, 0, True, Standing.PENDING),
    ],
)
def test_what_a_link_is_good_for(state: LinkState, due: int, age: int, pending: bool, expected: Standing) -> None:
    link = Link(
        LinkId("l"), "t", CreditorKey("bloem"), DebtorId("d"), None, Money(100), "RF", state, _NOW + timedelta(days=14)
    )
    assert standing(link, Money(due), _NOW + timedelta(days=age), pending=pending) is expected
