"""UBL files as a creditor's software writes them, with sums that are right until a test changes them."""

# ruff: noqa: E501 (XML has long lines)

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"


@dataclass(frozen=True, slots=True)
class Row:
    """A line; `extra` is a charge of its own, or an allowance below zero."""

    name: str
    price: str
    quantity: str = "1"
    rate: str = "21"
    unit: str = "C62"
    extra: str = "0"
    category: str = ""

    @property
    def net(self) -> Decimal:
        return rounded(Decimal(self.price) * Decimal(self.quantity)) + Decimal(self.extra)

    @property
    def vat(self) -> tuple[str, str]:
        return self.category or ("S" if Decimal(self.rate) else "Z"), self.rate


@dataclass(frozen=True, slots=True)
class File:
    number: str = "U-1"
    rows: Sequence[Row] = (Row("Monstera & <sierpot>", "41.239669"), Row("Potgrond", "4.50", "2", rate="9"))
    credit_note: bool = False
    refers_to: Sequence[str] = ()
    extras: Sequence[Row] = ()  # on the whole document; an allowance has a price below zero
    prepaid: str = "0"
    rounding: str = "0"
    customer: str | None = "K1"
    endpoint: str = "0106:87654321"
    registered: bool = False  # whether the buyer has a number of registration
    due: str | None = "2026-10-31"
    currency: str = "EUR"
    payment_id: str = "RF18539007547034"
    pdf: bytes | None = None
    pdf_name: str = "Factuur.pdf"
    seller: str = "12345678"
    iban: str = "NL91ABNA0417164300"
    buyer: str = "Fientje Fictief"
    changes: Sequence[tuple[str, str]] = field(default=())  # text → other text, after all is computed

    @property
    def payable(self) -> int:
        """In cents."""
        return int((self._gross - Decimal(self.prepaid) + Decimal(self.rounding)) * 100)

    @property
    def _taxed(self) -> dict[tuple[str, str], Decimal]:
        bases: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in [*self.rows, *self.extras]:
            bases[row.vat] += row.net
        return bases

    @property
    def _net(self) -> Decimal:
        return sum((row.net for row in [*self.rows, *self.extras]), Decimal(0))

    @property
    def _tax(self) -> Decimal:
        return sum((tax(base, rate) for (_, rate), base in self._taxed.items()), Decimal(0))

    @property
    def _gross(self) -> Decimal:
        return self._net + self._tax

    def xml(self) -> bytes:
        kind = "CreditNote" if self.credit_note else "Invoice"
        means = self._amount
        allowances = -sum((row.net for row in self.extras if row.net < 0), Decimal(0))
        charges = sum((row.net for row in self.extras if row.net > 0), Decimal(0))
        scheme, _, at = self.endpoint.partition(":")
        due = f"<cbc:DueDate>{self.due}</cbc:DueDate>" if self.due and not self.credit_note else ""
        text = f"""<?xml version="1.0" encoding="UTF-8"?>
<{kind} xmlns="{_UBL}:{kind}-2" xmlns:cac="{_UBL}:CommonAggregateComponents-2" xmlns:cbc="{
            _UBL
        }:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
<cbc:ID>{self.number}</cbc:ID><cbc:IssueDate>2026-10-01</cbc:IssueDate>{due}
<cbc:{kind}TypeCode>{381 if self.credit_note else 380}</cbc:{kind}TypeCode>
<cbc:DocumentCurrencyCode>{self.currency}</cbc:DocumentCurrencyCode><cbc:BuyerReference>n/a</cbc:BuyerReference>
{
            "".join(
                f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{number}</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>"
                for number in self.refers_to
            )
        }
{self._attached()}
<cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID="0106">{self.seller}</cbc:EndpointID>
<cac:PostalAddress><cac:Country><cbc:IdentificationCode>NL</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyLegalEntity><cbc:RegistrationName>Bloem &amp; Blad BV</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID="{scheme}">{at}</cbc:EndpointID>
{f"<cac:PartyIdentification><cbc:ID>{self.customer}</cbc:ID></cac:PartyIdentification>" if self.customer else ""}
<cac:PostalAddress><cbc:StreetName>Nergenslaan 1a</cbc:StreetName><cbc:CityName>Nepstad</cbc:CityName>
<cbc:PostalZone>1234ab</cbc:PostalZone><cac:Country><cbc:IdentificationCode>NL</cbc:IdentificationCode></cac:Country>
</cac:PostalAddress><cac:PartyLegalEntity><cbc:RegistrationName>{self.buyer}</cbc:RegistrationName>
{"<cbc:CompanyID>87654321</cbc:CompanyID>" if self.registered else ""}</cac:PartyLegalEntity>
<cac:Contact><cbc:Telephone>020 000 00 00</cbc:Telephone><cbc:ElectronicMail>fien@example.test</cbc:ElectronicMail>
</cac:Contact></cac:Party></cac:AccountingCustomerParty>
<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode><cbc:PaymentID>{self.payment_id}</cbc:PaymentID>
<cac:PayeeFinancialAccount><cbc:ID>{self.iban}</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
{"".join(self._extra(row) for row in self.extras)}
<cac:TaxTotal>{means("Tax", self._tax)}{
            "".join(
                f"<cac:TaxSubtotal>{means('Taxable', base)}{means('Tax', tax(base, rate))}{_vat('TaxCategory', category, rate)}</cac:TaxSubtotal>"
                for (category, rate), base in self._taxed.items()
            )
        }</cac:TaxTotal>
<cac:LegalMonetaryTotal>{means("LineExtension", sum((row.net for row in self.rows), Decimal(0)))}
{means("TaxExclusive", self._net)}{means("TaxInclusive", self._gross)}{means("AllowanceTotal", allowances)}
{means("ChargeTotal", charges)}{means("Prepaid", Decimal(self.prepaid))}{
            means("PayableRounding", Decimal(self.rounding))
        }
{means("Payable", Decimal(self.payable) / 100)}</cac:LegalMonetaryTotal>
{"".join(self._line(number, row) for number, row in enumerate(self.rows, 1))}
</{kind}>"""
        for old, new in self.changes:
            assert old in text, old
            text = text.replace(old, new)
        return text.encode()

    def _amount(self, name: str, value: Decimal) -> str:
        return f'<cbc:{name}Amount currencyID="{self.currency}">{value.quantize(_CENT)}</cbc:{name}Amount>'

    def _line(self, number: int, row: Row) -> str:
        kind, quantity = ("CreditNote", "Credited") if self.credit_note else ("Invoice", "Invoiced")
        return f"""<cac:{kind}Line><cbc:ID>{number}</cbc:ID>
<cbc:{quantity}Quantity unitCode="{row.unit}">{row.quantity}</cbc:{quantity}Quantity>
{self._amount("LineExtension", row.net)}{self._charge(Decimal(row.extra), "") if Decimal(row.extra) else ""}
<cac:Item><cbc:Name>{_escaped(row.name)}</cbc:Name>{_vat("ClassifiedTaxCategory", *row.vat)}</cac:Item>
<cac:Price><cbc:PriceAmount currencyID="{self.currency}">{row.price}</cbc:PriceAmount></cac:Price></cac:{kind}Line>"""

    def _extra(self, row: Row) -> str:
        reason = f"<cbc:AllowanceChargeReason>{_escaped(row.name)}</cbc:AllowanceChargeReason>"
        return self._charge(row.net, reason, _vat("TaxCategory", *row.vat))

    def _charge(self, value: Decimal, reason: str, vat: str = "") -> str:
        charge = "true" if value > 0 else "false"
        return f"""<cac:AllowanceCharge><cbc:ChargeIndicator>{charge}</cbc:ChargeIndicator>{reason}
{self._amount("", abs(value))}{vat}</cac:AllowanceCharge>"""

    def _attached(self) -> str:
        if self.pdf is None:
            return ""
        return f"""<cac:AdditionalDocumentReference><cbc:ID>bijlage</cbc:ID><cac:Attachment>
<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="{self.pdf_name}">
{base64.b64encode(self.pdf).decode()}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"""


def rounded(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def tax(base: Decimal, rate: str) -> Decimal:
    return rounded(base * Decimal(rate) / 100)


def _vat(name: str, category: str, rate: str) -> str:
    scheme = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    return f"<cac:{name}><cbc:ID>{category}</cbc:ID><cbc:Percent>{rate}</cbc:Percent>{scheme}</cac:{name}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
