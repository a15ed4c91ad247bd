"""Which payment methods a person is offered."""

from core.creditor import Creditor

# The payer's own transfer to the creditor's account: no provider takes part in it.
TRANSFER = "banktransfer"


def methods_for(creditor: Creditor, risk: str | None) -> list[str]:
    """The creditor's methods, less those that it excludes for this risk class; None is no class."""
    allowed = creditor.payments.methods_by_risk.get(risk) if risk is not None else None
    return [method for method in creditor.payments.methods if allowed is None or method in allowed]
