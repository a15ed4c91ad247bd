"""How somebody stands: what is open, what was agreed on, and whether a person looks at it first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.invoices import OpenInvoice
from billing.plans import Instalment
from bot.actions.services import Plan, Services
from core.hold import Reason
from core.ids import DebtorId, InvoiceId
from core.money import Money


@dataclass(frozen=True, slots=True)
class Standing:
    """held: for care, so nothing is asked of this person now; part: of the running plan, what is to be paid next.

    planned: what the plan's parts pay; promised_for: what is to be paid until the promised day.
    """

    payable: Sequence[OpenInvoice]
    planned: Sequence[OpenInvoice]
    disputed: Sequence[OpenInvoice]
    plan: Plan | None
    part: Instalment | None
    promised: date | None
    promised_for: Sequence[InvoiceId]
    held: bool


def agreed(how: Standing, about: OpenInvoice | None = None) -> tuple[str, dict[str, Any]] | None:
    """What is said beside what is open: that a person looks at it first, the plan's next part, or what was promised.

    `about`: where it is this invoice alone that is told of.
    """
    if how.held:
        return "balance.held", {}
    if how.part and (about is None or about in how.planned):
        amount, day = {"money": how.part.amount.as_json()}, {"date": how.part.due.isoformat()}
        return "balance.plan", {"amount": amount, "day": day}
    if how.promised and (about is None or about.id in how.promised_for):
        return "balance.promised", {"day": {"date": how.promised.isoformat()}}
    return None


async def standing_of(services: Services, debtor: DebtorId) -> Standing:
    invoices = await services.invoices.open_of(debtor)
    payable = [invoice for invoice in invoices if not invoice.disputed]
    plan = await services.plans.current(debtor)
    promise = await services.promises.current(debtor)
    planned = [invoice for invoice in payable if plan and invoice.id in plan.invoices]
    return Standing(
        payable,
        planned,
        [invoice for invoice in invoices if invoice.disputed],
        plan,
        next_part(plan, invoices) if plan and planned else None,
        promise.until if promise and payable else None,
        promise.invoices if promise else (),
        bool(await services.holds.of(debtor) - {Reason.DISPUTE}),
    )


def next_part(plan: Plan, invoices: Sequence[OpenInvoice]) -> Instalment | None:
    """What is still to be paid of the first instalment that has not been paid in full; what was paid fills them up.

    `invoices` are all that are open; of another one than the plan's nothing is a part of it.
    """
    owed = sum(invoice.open.minor for invoice in invoices if invoice.id in plan.invoices) - plan.charged.minor
    paid = sum(each.amount.minor for each in plan.instalments) - owed
    for each in plan.instalments:
        if paid < each.amount.minor:
            rest = each.amount.minor - max(paid, 0)
            return Instalment(each.due, Money(rest, each.amount.currency))
        paid -= each.amount.minor
    return None
