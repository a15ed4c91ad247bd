"""A receipt in the chat, of a payment that has arrived: for who asks, or taps for it."""

import re
from collections.abc import Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.methods import NAMED
from bot.actions.services import Receipt
from bot.actions.turn import entity, say
from conversations.context import TurnContext
from core.message import Option

# A tap names the payment, or leaves it open.
RECEIPT, ANY = "receipt", "any"
BUTTON = Option("button.receipt", "ask_payment_status", entities={RECEIPT: ANY})

_ASKED = re.compile(
    r"\b(?:(?:betaal|betalings?|ontvangst)?bewijs(?:je)?|kwitantie|betalingsbevestiging|receipt"
    r"|proof of (?:my )?payment"
    r"|re[çc]u de paiement|(?:un|le|mon) re[çc]u|quittance|justificatif|preuve de (?:mon )?paiement"
    r"|quittung|zahlungsbest[äa]tigung|zahlungsnachweis|zahlungsbeleg|beleg)\b",
    re.IGNORECASE,
)
# "I have the receipt here" is a claim, not a wish.
_HAVE = re.compile(r"\b(?:ik heb|i have|i've got|j'ai|ich habe)\b", re.IGNORECASE)


def wanted(tracker: Tracker) -> str | None:
    """Which receipt the latest message asks for: a payment's id, or any; None for no receipt."""
    tapped = entity(tracker, RECEIPT)
    text = str(tracker.latest_message.get("text") or "").replace("’", "'")
    return tapped or (ANY if _ASKED.search(text) and not _HAVE.search(text) else None)


def tell(dispatcher: CollectingDispatcher, context: TurnContext, found: Sequence[Receipt], which: str) -> bool:
    """Say the receipt that is meant, or ask which; False where there is none."""
    meant = [receipt for receipt in found if which in (ANY, receipt.id)]
    if len(meant) == 1:
        rows = {"rows": _lines(meant[0], context), "key": "fees.row"}
        say(dispatcher, "receipt.text", rows=rows, registration=context.creditor.registration)
    elif meant:
        options = [
            Option(
                "option.receipt",
                BUTTON.intent,
                {"count": number, "amount": {"money": receipt.amount.as_json()}},
                {RECEIPT: receipt.id},
            )
            for number, receipt in enumerate(meant, 1)
        ]
        rows = {
            "rows": [
                {"count": number, "amount": {"money": each.amount.as_json()}, "paid_at": _day(each, context)}
                for number, each in enumerate(meant, 1)
            ],
            "key": "receipt.choice",
        }
        say(dispatcher, "receipt.which", options, rows=rows)
    return bool(meant)


def _lines(receipt: Receipt, context: TurnContext) -> list[dict[str, Any]]:
    def line(key: str, **args: Any) -> dict[str, Any]:
        return {"line": {"key": f"receipt.line.{key}", "args": args}}

    lines = [line("amount", amount={"money": receipt.amount.as_json()}), line("paid_at", day=_day(receipt, context))]
    if receipt.returned:
        lines.append(line("returned", amount={"money": receipt.returned.as_json()}))
    if receipt.method in NAMED:
        lines.append(line("method", method={"key": f"method.{receipt.method}"}))
    if receipt.reference:
        lines.append(line("reference", reference=receipt.reference))
    lines += [line("invoice", number=number, amount={"money": paid.as_json()}) for number, paid in receipt.paid]
    if receipt.credit:
        lines.append(line("credit", amount={"money": receipt.credit.as_json()}))
    return lines


def _day(receipt: Receipt, context: TurnContext) -> dict[str, str]:
    return {"date": receipt.paid_at.astimezone(context.creditor.zone).date().isoformat()}
