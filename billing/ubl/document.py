"""An invoice or a credit note as its file says it: the terms of EN 16931 that we need, typed, not yet recomputed."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from billing.imports import cells
from billing.ubl import fields
from billing.ubl.tree import CREDIT_NOTE, NAMES
from core.errors import BadInput
from core.money import Money

MAX_PDF = 5 * 1024 * 1024
_MAX_LINES = 5_000
# UNTDID 1001. Neither self-billed nor factored ones: there somebody else is owed, or writes. No 384 either: what a
# corrected invoice replaces, a credit note and a new invoice say without a doubt.
_INVOICES = {"80", "82", "84", "326", "380", "383", "386", "388", "875", "876", "877"}
_CREDIT_NOTES = {"81", "83", "381", "532"}
_EN16931 = "urn:cen.eu:en16931:2017"
# How an attachment that is the invoice itself is described.
_THE_INVOICE = re.compile(r"\b(commercial ?invoice|invoice|factuur|facture|rechnung|credit ?note)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Vat:
    """A category (UNTDID 5305: S, Z, E, AE, K, G, O, …) and its rate in per cent."""

    category: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    quantity: Decimal
    unit: str  # UN/ECE Recommendation 20
    price: Decimal  # of `per` units, without VAT
    per: Decimal
    extra: Money  # charges less allowances of the line itself
    net: Money
    vat: Vat


@dataclass(frozen=True, slots=True)
class Extra:
    """A charge on the whole document; an allowance is below zero."""

    reason: str
    amount: Money
    vat: Vat


@dataclass(frozen=True, slots=True)
class Taxed:
    vat: Vat
    base: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """LegalMonetaryTotal, and the sum of the VAT, as the file states them."""

    lines: Money  # BT-106
    allowances: Money  # BT-107
    charges: Money  # BT-108
    net: Money  # BT-109
    tax: Money  # BT-110
    gross: Money  # BT-112
    prepaid: Money  # BT-113
    rounding: Money  # BT-114
    payable: Money  # BT-115


@dataclass(frozen=True, slots=True)
class Party:
    name: str
    numbers: Sequence[str]  # of registration, VAT and endpoint, as they are written
    customer_number: str | None  # of the buyer, as the seller knows it
    endpoint: str | None  # scheme:number
    business: bool
    street: str | None
    city: str | None
    postcode: str | None
    country: str | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Document:
    credit_note: bool
    number: str
    issued: date
    due: date | None
    currency: str
    seller: Party
    buyer: Party
    ibans: Sequence[str]
    reference: str | None
    refers_to: Sequence[str]  # numbers of the invoices that it corrects
    lines: Sequence[Line]
    extras: Sequence[Extra]
    taxed: Sequence[Taxed]
    totals: Totals
    pdf: bytes | None


def document_of(root: Element) -> Document:
    """Raises BadInput with the element that is missing or wrong."""
    credit = root.tag == CREDIT_NOTE
    _known_kind(root, credit)
    number = cells.text(64)(fields.need(root, "cbc:ID"))
    currency = cells.currency(fields.need(root, "cbc:DocumentCurrencyCode"))
    lines = root.findall(f"cac:{'CreditNote' if credit else 'Invoice'}Line", NAMES)
    if not 1 <= len(lines) <= _MAX_LINES:
        raise BadInput(f"an invoice has 1 to {_MAX_LINES} lines, this one {len(lines)}")
    due = fields.text(root, "cbc:DueDate") or fields.text(root, "cac:PaymentMeans/cbc:PaymentDueDate")
    means = root.findall("cac:PaymentMeans", NAMES)
    reference = next(filter(None, (fields.text(each, "cbc:PaymentID") for each in means)), None)
    return Document(
        credit_note=credit,
        number=number,
        issued=fields.day(root, "cbc:IssueDate"),
        due=cells.day(due) if due else None,
        currency=currency,
        seller=_party(root, "cac:AccountingSupplierParty"),
        buyer=_party(root, "cac:AccountingCustomerParty"),
        ibans=[iban for each in means if (iban := fields.text(each, "cac:PayeeFinancialAccount/cbc:ID"))],
        reference=cells.text(64)(reference) if reference else None,
        refers_to=list(dict.fromkeys(fields.texts(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"))),
        lines=[_line(each, credit, currency) for each in lines],
        extras=[_extra(each, currency) for each in root.findall("cac:AllowanceCharge", NAMES)],
        taxed=_taxed(root, currency),
        totals=_totals(root, currency),
        pdf=_pdf(root, number),
    )


def _known_kind(root: Element, credit: bool) -> None:
    standard = fields.text(root, "cbc:CustomizationID") or ""
    if not standard.startswith(_EN16931):
        raise BadInput("CustomizationID is not of EN 16931; export it as Peppol BIS Billing 3 or NLCIUS")
    name, known = ("CreditNoteTypeCode", _CREDIT_NOTES) if credit else ("InvoiceTypeCode", _INVOICES)
    code = fields.need(root, f"cbc:{name}")
    if code not in known:
        raise BadInput(f"{name} “{code[:10]}” is not imported; known are {', '.join(sorted(known, key=int))}")


def _line(node: Element, credit: bool, currency: str) -> Line:
    place = f"line {(fields.text(node, 'cbc:ID') or '?')[:20]}"
    try:
        price = node.find("cac:Price", NAMES)
        if price is None:
            raise BadInput("Price is missing")
        name = f"cbc:{'Credited' if credit else 'Invoiced'}Quantity"
        quantity, amount = node.find(name, NAMES), fields.number(price, "cbc:PriceAmount")
        extra = sum((_signed(each, currency).minor for each in node.findall("cac:AllowanceCharge", NAMES)), 0)
        if amount < 0:
            raise BadInput("the price is below zero; write the quantity below zero")  # BR-27
        return Line(
            name=cells.text()(fields.need(node, "cac:Item/cbc:Name")),
            quantity=fields.number(node, name),
            unit=(quantity.get("unitCode") or "" if quantity is not None else "")[:10],
            price=amount,
            per=fields.number(price, "cbc:BaseQuantity", "1") or Decimal(1),
            extra=Money(extra, currency),
            net=fields.amount(node, "cbc:LineExtensionAmount", currency),
            vat=_vat(node, "cac:Item/cac:ClassifiedTaxCategory"),
        )
    except BadInput as error:
        raise BadInput(f"{place}: {error}") from None


def _extra(node: Element, currency: str) -> Extra:
    reason = fields.text(node, "cbc:AllowanceChargeReason") or ""
    return Extra(cells.text()(reason), _signed(node, currency), _vat(node, "cac:TaxCategory"))


def _signed(node: Element, currency: str) -> Money:
    amount = fields.amount(node, "cbc:Amount", currency)
    match fields.need(node, "cbc:ChargeIndicator"):
        case "true" | "1":
            return amount
        case "false" | "0":
            return Money(-amount.minor, currency)
    raise BadInput("ChargeIndicator is true or false")


def _taxed(root: Element, currency: str) -> list[Taxed]:
    return [
        Taxed(
            _vat(each, "cac:TaxCategory"),
            fields.amount(each, "cbc:TaxableAmount", currency),
            fields.amount(each, "cbc:TaxAmount", currency),
        )
        for each in _tax_total(root, currency).findall("cac:TaxSubtotal", NAMES)
    ]


def _tax_total(root: Element, currency: str) -> Element:
    """The one in the document's currency; another one may state the tax in the currency of the books."""
    totals = root.findall("cac:TaxTotal", NAMES)
    own = [each for each in totals if fields.currency_of(each, "cbc:TaxAmount") == currency]
    if len(own) != 1:
        raise BadInput(f"there is one TaxTotal in {currency}, this file has {len(own)}")
    return own[0]


def _totals(root: Element, currency: str) -> Totals:
    def stated(name: str, default: str | None = None) -> Money:
        return fields.amount(root, f"cac:LegalMonetaryTotal/cbc:{name}", currency, default)

    return Totals(
        lines=stated("LineExtensionAmount"),
        allowances=stated("AllowanceTotalAmount", "0"),
        charges=stated("ChargeTotalAmount", "0"),
        net=stated("TaxExclusiveAmount"),
        tax=fields.amount(_tax_total(root, currency), "cbc:TaxAmount", currency),
        gross=stated("TaxInclusiveAmount"),
        prepaid=stated("PrepaidAmount", "0"),
        rounding=stated("PayableRoundingAmount", "0"),
        payable=stated("PayableAmount"),
    )


def _party(root: Element, path: str) -> Party:
    node = root.find(f"{path}/cac:Party", NAMES)
    if node is None:
        raise BadInput(f"{path.removeprefix('cac:')} is missing")
    name = fields.text(node, "cac:PartyName/cbc:Name") or fields.text(node, "cac:PartyLegalEntity/cbc:RegistrationName")
    if not name:
        raise BadInput(f"{path.removeprefix('cac:')} has no name")
    registered = fields.texts(node, "cac:PartyLegalEntity/cbc:CompanyID") + fields.texts(
        node, "cac:PartyTaxScheme/cbc:CompanyID"
    )
    # BT-46: an identifier without a scheme is the one that the seller has given.
    given = [each for each in node.findall("cac:PartyIdentification/cbc:ID", NAMES) if not each.get("schemeID")]
    number = fields.text(root, f"{path}/cbc:SupplierAssignedAccountID") or next(
        ((each.text or "").strip() for each in given), None
    )
    endpoint = node.find("cbc:EndpointID", NAMES)
    scheme, at = ("", "") if endpoint is None else (endpoint.get("schemeID") or "", (endpoint.text or "").strip())
    street, second = (fields.text(node, f"cac:PostalAddress/cbc:{part}StreetName") for part in ("", "Additional"))
    return Party(
        name=cells.text(200)(name),
        numbers=[*registered, *([at] if at else []), *fields.texts(node, "cac:PartyIdentification/cbc:ID")],
        customer_number=cells.text(64)(number) if number else None,
        endpoint=cells.text(80)(f"{scheme}:{at}") if scheme and at else None,
        business=bool(registered),
        street=" ".join(filter(None, (street, second))) or None,
        city=fields.text(node, "cac:PostalAddress/cbc:CityName"),
        postcode=fields.text(node, "cac:PostalAddress/cbc:PostalZone"),
        country=fields.text(node, "cac:PostalAddress/cac:Country/cbc:IdentificationCode"),
        email=fields.text(node, "cac:Contact/cbc:ElectronicMail"),
        phone=fields.text(node, "cac:Contact/cbc:Telephone"),
    )


def _pdf(root: Element, number: str) -> bytes | None:
    """The invoice as the seller has printed it, where it is attached; other attachments are not ours to show."""
    for node in root.findall("cac:AdditionalDocumentReference", NAMES):
        blob = node.find("cac:Attachment/cbc:EmbeddedDocumentBinaryObject", NAMES)
        if blob is None or blob.get("mimeCode") != "application/pdf":
            continue
        names = [fields.text(node, "cbc:ID") or "", (blob.get("filename") or "").removesuffix(".pdf")]
        said = " ".join([*names, fields.text(node, "cbc:DocumentDescription") or ""]).replace("_", " ")
        if number not in names and number not in said and not _THE_INVOICE.search(said):
            continue
        try:
            pdf = base64.b64decode("".join((blob.text or "").split()), validate=True)
        except binascii.Error:
            raise BadInput("the attached PDF is not base64; leave it out, and copies are made from the lines") from None
        if len(pdf) > MAX_PDF:
            limit = f"{MAX_PDF // 1024 // 1024} MiB"
            raise BadInput(f"the attached PDF is larger than {limit}; leave it out, and copies are made from the lines")
        if not pdf.startswith(b"%PDF-") or b"%%EOF" not in pdf[-1024:]:
            raise BadInput("what is attached as PDF is none; leave it out, and copies are made from the lines")
        return pdf
    return None


def _vat(node: Element, path: str) -> Vat:
    category = node.find(path, NAMES)
    if category is None:
        raise BadInput(f"{path.rpartition(':')[2]} is missing")
    rate = fields.number(category, "cbc:Percent", "0")
    if not 0 <= rate <= 100:
        raise BadInput("a rate of VAT is 0 to 100")
    return Vat(fields.need(category, "cbc:ID")[:3], rate.normalize())
