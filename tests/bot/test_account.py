"""A blocked account: what is said follows from what is known."""

from datetime import date

import pytest

from billing.invoices import OpenInvoice
from core.hold import Reason
from tests.bot.talk import Talk
from tests.bot.world import DEBTOR, World, creditor, invoice

EARLIER = date(2026, 11, 1)
HOOK = {"url": "https://shop.example/hook", "secret": "${SECRET}"}
HANDED = ["request.reactivate", "handoff.when_open"]


@pytest.mark.parametrize(
    ("hook", "blocked", "invoices", "keys", "linked", "released"),
    [
        pytest.param(
            True,
            True,
            [invoice("1", 1000, due=EARLIER), invoice("2", 500), invoice("3", 700, due=EARLIER, disputed=True)],
            ["reactivate.due", "payment_link.issued"],
            ("id-1",),
            False,
            id="what is overdue, and no more",
        ),
        pytest.param(True, True, [invoice("2", 500)], ["reactivate.asked"], None, True, id="nothing is overdue"),
        pytest.param(True, False, [], ["reactivate.not_blocked"], None, False, id="not blocked, as far as we know"),
        pytest.param(
            True, True, [invoice("3", 700, due=EARLIER, disputed=True)], HANDED, None, False, id="disputed: a person"
        ),
        pytest.param(False, True, [], HANDED, None, False, id="a shop that does not hear from us: a person"),
    ],
)
async def test_unblock_my_account(
    talk: Talk,
    world: World,
    hook: bool,
    blocked: bool,
    invoices: list[OpenInvoice],
    keys: list[str],
    linked: tuple[str, ...] | None,
    released: bool,
) -> None:
    world.creditor = creditor(webhook=HOOK if hook else None)
    world.verified, world.blocked, world.invoices = True, blocked, invoices
    said = await talk.hear("deblokkeer mijn account", "reactivate_account")
    assert said.keys == keys
    assert list(world.links.values()) == ([linked] if linked else [])
    assert world.released == ([DEBTOR] if released else [])
    assert [reason for reason, _ in world.handoffs] == ([Reason.REQUEST] if keys == HANDED else [])
    if linked:
        assert said.args == {"amount": {"money": [1000, "EUR"]}}


async def test_nobody_hears_of_a_block_before_being_verified(talk: Talk, world: World) -> None:
    world.creditor, world.blocked = creditor(webhook=HOOK), True
    assert (await talk.hear("deblokkeer mijn account", "reactivate_account")).keys == ["verify.ask_reference"]
