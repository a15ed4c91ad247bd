"""The sums of an invoice, made again from its lines, allowances, charges and VAT, and compared to the cent.

Rules of EN 16931-1:2017 (6.4.3) with their numbers, and PEPPOL-EN16931-R120 for a line. The order of the rules is that
of the computing, so that the first one named is the one to mend.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from billing.ubl.document import Document, Line, Vat
from core.errors import BadInput
from core.money import Money

# R120 leaves a line this much, in major units: quantity times price may have been rounded on the way.
_SLACK = Decimal("0.02")


def check(document: Document) -> None:
    """Raises BadInput that names every rule that is broken, with what was computed and what is stated."""
    wrong = [*_lines(document), *_sums(document), *_vat(document)]
    if wrong:
        raise BadInput(f"the sums are wrong, correct them and send it again: {'; '.join(wrong)}")


def _lines(document: Document) -> Iterator[str]:
    for place, line in enumerate(document.lines, 1):
        computed = net_of(line)
        if abs(computed - line.net.decimal) > _SLACK:
            yield f"PEPPOL-EN16931-R120: line {place} comes to {computed:.2f}, and says {line.net.decimal}"


def net_of(line: Line) -> Decimal:
    """Quantity times price, with the line's own charges and allowances; not rounded."""
    return line.quantity * line.price / line.per + line.extra.decimal


def _sums(document: Document) -> Iterator[str]:
    totals, zero = document.totals, Money(0, document.currency)
    given = [extra.amount for extra in document.extras]
    allowances = -sum(each.minor for each in given if each < zero)
    charges = sum(each.minor for each in given if zero < each)
    for rule, what, computed, stated in (
        ("BR-CO-10", "LineExtensionAmount", sum(line.net.minor for line in document.lines), totals.lines),
        ("BR-CO-11", "AllowanceTotalAmount", allowances, totals.allowances),
        ("BR-CO-12", "ChargeTotalAmount", charges, totals.charges),
        (
            "BR-CO-13",
            "TaxExclusiveAmount",
            totals.lines.minor - totals.allowances.minor + totals.charges.minor,
            totals.net,
        ),
        ("BR-CO-14", "TaxTotal", sum(each.tax.minor for each in document.taxed), totals.tax),
        ("BR-CO-15", "TaxInclusiveAmount", totals.net.minor + totals.tax.minor, totals.gross),
        (
            "BR-CO-16",
            "PayableAmount",
            totals.gross.minor - totals.prepaid.minor + totals.rounding.minor,
            totals.payable,
        ),
    ):
        if computed != stated.minor:
            yield f"{rule}: {what} comes to {Money(computed, document.currency).decimal}, and says {stated.decimal}"


def _vat(document: Document) -> Iterator[str]:
    """BR-CO-17, BR-CO-18, and what BR-S-08 and its like ask of each category."""
    parts = [(line.vat, line.net) for line in document.lines] + [(each.vat, each.amount) for each in document.extras]
    bases: dict[Vat, int] = defaultdict(int)
    for vat, amount in parts:
        bases[vat] += amount.minor
    counts = Counter(vat for vat, _ in parts)
    stated = Counter(each.vat for each in document.taxed)
    for vat in bases.keys() ^ stated.keys():
        yield f"BR-CO-18: VAT {_named(vat)} stands in the lines or in TaxTotal, and not in the other"
    for vat, times in stated.items():
        if times > 1:
            yield f"BR-CO-18: VAT {_named(vat)} stands {times} times in TaxTotal"
    for each in document.taxed:
        if each.vat in bases and bases[each.vat] != each.base.minor:
            computed = Money(bases[each.vat], document.currency).decimal
            what = f"BR-{each.vat.category}-08: TaxableAmount of {_named(each.vat)}"
            yield f"{what} comes to {computed}, and says {each.base.decimal}"
        # Half a cent for each part: VAT may have been rounded line by line. With one line, that is to the cent.
        exact = Decimal(each.base.minor) * each.vat.rate / 100
        if abs(exact - each.tax.minor) > Decimal("0.5") * max(1, counts[each.vat]):
            computed = each.base.share(each.vat.rate / 100).decimal
            yield f"BR-CO-17: VAT {_named(each.vat)} comes to {computed}, and says {each.tax.decimal}"


def _named(vat: Vat) -> str:
    return f"{vat.category} {vat.rate:f}%"
