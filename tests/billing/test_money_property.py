"""People bill, link, click, pay, cancel, wait and pay twice in any order: no cent appears or vanishes."""

from datetime import date
from typing import NamedTuple

from hypothesis import strategies as st

from billing.links import Link, NotPayable
from core.errors import BadInput
from core.ids import InvoiceId
from core.lifecycle import PaymentStatus
from core.message import Locale
from tests.billing.drawn import drawn
from tests.billing.house import Street

SEQUENCES = 6


class Step(NamedTuple):
    what: str
    which: int
    minor: int


_STEP = st.builds(
    Step,
    st.sampled_from(["bill", "link", "start", "start", "succeed", "delay", "fail", "cancel", "elsewhere", "wait"]),
    st.integers(0, 7),
    st.integers(1, 10**6),
)


async def test_random_days_of_a_debtor(on_street: Street) -> None:
    for run, steps in enumerate(drawn(st.lists(_STEP, min_size=5, max_size=25), SEQUENCES)):
        await _play(on_street, run, steps)


async def _play(street: Street, run: int, steps: list[Step]) -> None:
    house = street.house
    before = await house.accounts()
    who = await house.debtor(f"K{run}")
    invoices: list[InvoiceId] = []
    links: list[Link] = []
    checkouts: list[str] = []
    billed = elsewhere = 0
    for n, step in enumerate([Step("bill", 0, 100), Step("link", 0, 1), Step("start", 0, 1), *steps]):
        match step.what:
            case "bill":
                invoices.append(await house.invoice(who, f"F{run}-{n}", step.minor, date(2026, 11, 1)))
                billed += step.minor
            case "link":
                chosen = invoices[step.which % len(invoices) :]
                try:
                    links.append(await house.link(who, chosen, f"{run}:{n}"))
                except BadInput:
                    assert [await house.open(key) for key in chosen] == [0] * len(chosen)
            case "start":
                try:
                    link = links[step.which % len(links)]
                    checkouts.append(await street.payments.start(link, "ideal", Locale("nl")))
                except NotPayable:
                    pass
            case "elsewhere":
                key = invoices[step.which % len(invoices)]
                part = min(step.minor, await house.open(key))
                await house.paid_elsewhere(key, part, f"bank:{run}:{n}")
                elsewhere += part
            case "wait":
                house.clock.advance(minutes=step.which * 10)
                await street.bank.run_due(house.clock.now())
                await street.payments.poll_open()
            case outcome:
                await street.choose(checkouts[step.which % len(checkouts)], outcome)
        open_now = [await house.open(key) for key in invoices]
        assert min(open_now) >= 0
    house.clock.advance(minutes=1)
    await street.bank.run_due(house.clock.now())
    after = {name: total - before.get(name, 0) for name, total in (await house.accounts()).items()}
    paid = [await street.bank.find(checkout.rsplit("/", 1)[1]) for checkout in set(checkouts)]
    collected = sum(entry.order.amount.minor for entry in paid if entry and entry.status is PaymentStatus.PAID)
    assert sum(after.values()) == 0
    assert after["revenue"] == -billed
    assert after.get("bank", 0) == collected + elsewhere
    assert after["receivable"] == sum([await house.open(key) for key in invoices])
    assert after.get("credit", 0) <= 0
