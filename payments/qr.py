"""QR codes: of a payment link, and of a credit transfer for a bank app (EPC069-12)."""

import io

import segno

from core.errors import BadInput
from core.money import Money
from payments.references import is_creditor_reference

_MAX_VERSION = 13  # EPC069-12; also what the camera of an old phone still reads
_SCALE = 8


def png(text: str) -> bytes:
    return _saved(text, "png")


def svg(text: str) -> bytes:
    return _saved(text, "svg")


def credit_transfer(name: str, iban: str, amount: Money, reference: str) -> str:
    """What the QR code of a SEPA credit transfer says (EPC069-12, version 002, UTF-8).

    An ISO 11649 reference goes where bank apps check it, any other into the free text. Raises BadInput for an amount
    that is not of EUR 0.01 to 999,999,999.99.
    """
    if amount.currency != "EUR" or not 1 <= amount.minor <= 99_999_999_999:
        raise BadInput("a credit transfer is of EUR 0.01 to 999999999.99")
    structured, free = (reference.replace(" ", ""), "") if is_creditor_reference(reference) else ("", reference)
    lines = ["BCD", "002", "1", "SCT", "", _line(name, 70), iban, f"EUR{amount.decimal:.2f}", "", structured]
    return "\n".join([*lines, _line(free, 140)]).rstrip("\n")


def _line(text: str, length: int) -> str:
    return " ".join(text.split())[:length].rstrip()


def _saved(text: str, kind: str) -> bytes:
    code = segno.make_qr(text, error="m", boost_error=False, encoding="utf-8")
    if int(code.version) > _MAX_VERSION:
        raise BadInput(f"this is too long for a QR code of version {_MAX_VERSION}")
    out = io.BytesIO()
    code.save(out, kind=kind, scale=_SCALE, border=4)
    return out.getvalue()
