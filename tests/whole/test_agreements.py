"""A promise and a plan as a person lives through them: agreed on in the chat, followed up by the scheduler."""

from datetime import UTC, date, datetime

import pytest

from billing import letters
from billing.law import Kind
from core.ids import CreditorKey, InvoiceId
from core.money import Money
from store.tables.money import instalment, invoice, payment_link, plan, posting, promise
from store.tables.people import debtor
from tests.billing.statements.written import Entry, Stmt, Tx, written
from tests.whole.people import Visitor, colleague, logged_in
from tests.whole.stage import Stage
from tests.whole.test_paying import pay_at_the_bank
from tests.whole.test_reminders import tick, verified

pytestmark = pytest.mark.slow

# The stage opens on Tuesday 24 November 2026; Fenna owes 49.90 and 18.75.


async def test_a_promise_pauses_reminders_and_is_followed_up(stage: Stage) -> None:
    person = await verified(stage, "telegram")
    assert await person.say("ik betaal vrijdag") == ["promise.confirm"]
    assert "68,65" in (await person.texts())[-1] and "27 november" in (await person.texts())[-1]
    assert await person.tap("option.yes") == ["promise.made"]
    assert await tick(stage) == [], "the reminder of today waits"
    stage.clock.set(datetime(2026, 11, 28, 9, tzinfo=UTC))
    assert await tick(stage) == []
    stage.clock.set(datetime(2026, 12, 1, 9, tzinfo=UTC))
    assert await tick(stage) == [], "a transfer of Friday is on a statement two working days later"
    stage.clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC))
    assert await tick(stage) == ["promise.missed"]
    assert await tick(stage) == []
    assert (await stage.one(promise)).state == "broken"


async def test_a_kept_promise_is_not_spoken_of(stage: Stage) -> None:
    person = await verified(stage, "sms")
    await person.say("ik betaal vrijdag")
    assert await person.say("ja") == ["promise.made"]
    await person.say("ik wil betalen")
    await person.tap("option.pay_all")
    await pay_at_the_bank(stage, (await stage.one(payment_link)).token)
    stage.clock.set(datetime(2026, 11, 30, 9, tzinfo=UTC))
    assert await tick(stage) == []
    assert (await stage.one(promise)).state == "kept"


async def agreed(stage: Stage) -> None:
    person = await verified(stage, "sms")
    assert await person.say("kan ik in termijnen betalen?") == ["plan.offer"]
    assert await person.tap("option.plan") == ["plan.confirm"]
    assert await person.tap("option.yes") == ["plan.agreed"]
    async with stage.effen.db.read() as tx:
        parts = (await tx.execute(instalment.select().order_by(instalment.c.number))).all()
    assert [(part.due_on, part.amount) for part in parts] == [(date(2026, 12, 1), 3433), (date(2027, 1, 1), 3432)]


async def test_a_plan_is_paid_by_the_links_that_it_sends(stage: Stage) -> None:
    await agreed(stage)
    assert await tick(stage) == []
    for day in (datetime(2026, 11, 28, 9, tzinfo=UTC), datetime(2026, 12, 29, 9, tzinfo=UTC)):
        stage.clock.set(day)
        assert await tick(stage) == ["plan.instalment_due"]
        link = (await stage.rows(payment_link))[-1]
        await pay_at_the_bank(stage, link.token)
        await stage.settled()
        async with stage.http.get(f"{stage.url}/p/{link.token}") as page:
            assert "<form" not in await page.text(), "an instalment that was paid is not asked for again"
    assert [link.amount for link in await stage.rows(payment_link)] == [3433, 3432]
    assert (await stage.said())[-1] == "payment.settled_all"
    assert await tick(stage) == []
    assert (await stage.one(plan)).state == "kept"


async def test_a_missed_instalment_is_said_and_a_broken_plan_is_a_persons(stage: Stage) -> None:
    await agreed(stage)
    stage.clock.set(datetime(2026, 11, 28, 9, tzinfo=UTC))
    assert await tick(stage) == ["plan.instalment_due"]
    stage.clock.set(datetime(2026, 12, 4, 9, tzinfo=UTC))
    assert await tick(stage) == ["plan.instalment_missed"]
    stage.clock.set(datetime(2026, 12, 11, 9, tzinfo=UTC))
    assert await tick(stage) == ["plan.broken"]
    (talk,) = await stage.talks()
    assert (talk.state, talk.reason, talk.summary["plan"]) == ("open", "request", "broken")


async def test_a_plan_goes_on_where_the_bank_told_late(stage: Stage) -> None:
    await agreed(stage)
    for day in (datetime(2026, 12, 4, 9, tzinfo=UTC), datetime(2026, 12, 11, 9, tzinfo=UTC)):
        stage.clock.set(day)
        await tick(stage)
    assert (await stage.one(plan)).state == "broken"
    transfer = Tx(4990, "F Varenblad", text="factuur 2026-0042")
    content = written(Stmt([Entry([transfer], day=date(2026, 12, 1), bank_reference="B1")]))
    before = await stage.last()
    await stage.effen.statements.load(CreditorKey("bloem"), content, "a test")
    await stage.effen.tick()
    await stage.settled()
    assert "plan.resumed" in await stage.said(before)
    assert (await stage.one(plan)).state == "agreed"


async def test_a_plan_that_an_agent_arranges_is_told(stage: Stage) -> None:
    await verified(stage, "sms")
    (talk,) = await stage.talks()
    browser, before = await colleague(stage), await stage.last()
    form = {"months": "3", "first": "2026-12-15", "key": "0" * 32}
    assert (await browser.post(f"/desk/c/{talk.id}/plan", form)).status == 303
    await stage.settled()
    assert await stage.said(before) == ["plan.agreed"]
    async with stage.effen.db.read() as tx:
        parts = (await tx.execute(instalment.select().order_by(instalment.c.number))).all()
    assert [part.amount for part in parts] == [2289, 2288, 2288]


@pytest.mark.parametrize(("also", "key"), [(True, "plan.agreed"), (False, "plan.agreed_web")])
async def test_links_are_promised_where_an_address_outlasts_the_session(stage: Stage, also: bool, key: str) -> None:
    if also:
        await verified(stage, "sms")
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    await person.say("kan ik in termijnen betalen?")
    await person.tap("option.plan")
    assert await person.tap("option.yes") == [key]


async def test_a_plan_that_an_agent_arranges_with_a_visitor_promises_no_links(stage: Stage) -> None:
    await (await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()).say("hallo")
    (talk,) = await stage.talks()
    browser, before = await colleague(stage), await stage.last()
    form = {"months": "3", "first": "2026-12-15", "key": "0" * 32}
    assert (await browser.post(f"/desk/c/{talk.id}/plan", form)).status == 303
    await stage.settled()
    assert await stage.said(before) == ["plan.agreed_web"]


async def test_costs_come_after_the_letter_and_are_explained(stage: Stage) -> None:
    person = await verified(stage, "sms")
    assert await person.say("waarom komen er kosten bij?") == ["fees.none.no_letter.NL", "fees.none.not_due"]
    late = await stage.one(invoice, invoice.c.number == "2026-0057")  # 18.75, due on 31 October
    async with stage.effen.db.begin() as tx:
        await letters.record(
            tx,
            InvoiceId(late.id),
            Kind.FOURTEEN_DAYS,
            content_hash="sha256:0",
            channel="email",
            sent_at=datetime(2026, 11, 5, 9, tzinfo=UTC),
            costs=Money(4000),
            received_on=date(2026, 11, 9),
        )
    await stage.effen.tick()  # the 15th day after receipt is today
    sums = {row.account: row.minor for row in await stage.rows(posting, posting.c.invoice_id == late.id)}
    # 23 days x 4% x 18.75 / 365 = 0.047
    assert (sums["costs"], sums["interest"]) == (4000, 4)
    assert "fees.charged" in await person.say("waarom komen er kosten bij?")
    assert any("40,00" in text and "9 november" in text for text in await person.texts())
    assert (await stage.one(debtor, debtor.c.customer_number == "K-1001")).id == late.debtor_id
