"""How somebody stands: what is open, what was agreed on, and whether a person looks at it first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing.invoices import OpenInvoice
from billing.plans import Instalment
from bot.actions.invoices import total
from bot.actions.services import Plan, Services
from core.hold import Reason
from core.ids import DebtorId
from core.money import Money


@dataclass(frozen=True, slots=True)
class Standing:
    """held: for care, so nothing is asked of this person now; part: of the running plan, what is to be paid next."""

    payable: Sequence[OpenInvoice]
    disputed: Sequence[OpenInvoice]
    plan: Plan | None
    part: Instalment | None
    promised: date | None
    held: bool


async def standing_of(services: Services, debtor: DebtorId) -> Standing:
    invoices = await services.invoices.open_of(debtor)
    payable = [invoice for invoice in invoices if not invoice.disputed]
    plan = await services.plans.current(debtor)
    promise = await services.promises.current(debtor)
    return Standing(
        payable,
        [invoice for invoice in invoices if invoice.disputed],
        plan,
        next_part(plan.instalments, payable) if plan else None,
        promise.until if promise and payable else None,
        bool(await services.holds.of(debtor) - {Reason.DISPUTE}),
    )


def next_part(instalments: Sequence[Instalment], payable: Sequence[OpenInvoice]) -> Instalment | None:
    """What is still to be paid of the first instalment that has not been paid in full; what was paid fills them up."""
    if not payable:
        return None
    paid = sum(each.amount.minor for each in instalments) - total(payable).minor
    for each in instalments:
        if paid < each.amount.minor:
            rest = each.amount.minor - max(paid, 0)
            return Instalment(each.due, Money(rest, each.amount.currency))
        paid -= each.amount.minor
    return None
