"""Invoices and credit notes as UBL: what is read, what is refused and why, and what is booked."""

# ruff: noqa: E501 (tables of XML)

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from billing.imports import debtors, invoices, ubl
from billing.ubl import tree
from billing.ubl.document import MAX_PDF
from core.creditor import Creditor
from core.errors import BadInput
from core.imported import Imported
from store.tables.invoices import credit_note, invoice_document
from store.tables.money import booking, invoice, posting
from store.tables.people import debtor
from tests.billing.house import BLOEM, House
from tests.billing.ubl_files import File, Row

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
CREDIT = File("C-1", [Row("Potgrond, retour", "4.50", "2", rate="9")], credit_note=True, refers_to=["U-1"])


async def put(house: House, file: File | bytes, creditor: Creditor = BLOEM, **options: Any) -> Imported:
    content = file if isinstance(file, bytes) else file.xml()
    return await ubl.load(house.database, house.clock, creditor, content, **options)


async def rows_of(house: House, table: Any) -> list[Any]:
    async with house.database.read() as connection:
        return list(await connection.execute(select(table).order_by(*table.primary_key.columns)))


async def open_on(house: House, number: str) -> int:
    found = await house.invoices.by_number(BLOEM.key, number)  # type: ignore[arg-type]
    assert found is not None
    return found.open.minor


async def everything(house: House) -> list[list[Any]]:
    tables = (debtor, invoice, invoice_document, credit_note, booking, posting)
    return [await rows_of(house, table) for table in tables]


async def test_an_invoice_with_its_customer(house: House) -> None:
    assert await put(house, File(pdf=PDF)) == Imported(loaded=1)
    found = await house.invoices.by_number(BLOEM.key, "u-1")  # type: ignore[arg-type]
    assert found is not None
    assert (found.open.minor, found.amount.minor, found.reference) == (5971, 5971, "RF18539007547034")
    assert (found.issued.isoformat(), found.due.isoformat()) == ("2026-10-01", "2026-10-31")
    assert found.description == "Monstera & <sierpot>, Potgrond"
    (who,) = await rows_of(house, debtor)
    assert (who.customer_number, who.kind, who.name, who.endpoint) == (
        "K1",
        "consumer",
        "Fientje Fictief",
        "0106:87654321",
    )
    assert (who.street, who.house_number, who.postcode, who.city, who.country, who.email, who.phone) == (
        "Nergenslaan", "1a", "1234 AB", "Nepstad", "NL", "fien@example.test", None,
    )  # fmt: skip
    (kept,) = await rows_of(house, invoice_document)
    assert (kept.amount, kept.prepaid, kept.pdf) == (5971, 0, PDF)
    assert kept.content["lines"][1] == {
        "name": "Potgrond", "quantity": "2", "unit": "C62", "price": "4.50", "per": "1", "extra": 0, "net": 900,
        "vat": {"category": "S", "rate": "9"},
    }  # fmt: skip
    assert kept.content["totals"]["tax"] == 947
    assert await house.accounts() == {"receivable": 5971, "revenue": -5971}


@pytest.mark.parametrize("file", [File(pdf=PDF), File("C-9", credit_note=True)], ids=["invoice", "credit note"])
async def test_the_same_file_twice_changes_nothing(house: House, file: File) -> None:
    await house.debtor("K1")
    empty = await everything(house)
    assert (await put(house, file, dry_run=True)).loaded == 1
    assert await everything(house) == empty
    assert await put(house, file) == Imported(loaded=1)
    before = await everything(house)
    house.clock.advance(days=1)
    assert await put(house, file) == Imported(unchanged=1)
    assert await everything(house) == before


@pytest.mark.parametrize(
    ("file", "payable"),
    [
        pytest.param(File(rows=[Row("Plant", "10.00")]), 1210, id="one line"),
        pytest.param(File(rows=[Row("Uur", "61.333", "1.5", unit="HUR")]), 11132, id="a price with three decimals"),
        pytest.param(File(rows=[Row("Plant", "10.00", extra="-1.00")]), 1089, id="an allowance of the line"),
        pytest.param(File(extras=[Row("Korting", "-5.00")]), 5366, id="an allowance on the whole"),
        pytest.param(File(extras=[Row("Verzending", "4.95")]), 6570, id="a charge on the whole"),
        pytest.param(File(extras=[Row("Korting", "-5.00"), Row("Kosten", "4.95", rate="0")]), 5861, id="both"),
        pytest.param(File(rows=[Row("Boek", "10.00", rate="0")]), 1000, id="zero rated"),
        pytest.param(File(rows=[Row("Dienst", "10.00", rate="0", category="AE")]), 1000, id="reverse charge"),
        pytest.param(File(rounding="0.04"), 5975, id="rounded"),
        pytest.param(File(rows=[Row("Plant", "10.00"), Row("Retour", "2.00", "-1")]), 968, id="a line below zero"),
        # 0.5 cents of VAT on each of three lines: 21% of 0.07 is 0.0147, three times 0.01 is one cent less than 0.04.
        pytest.param(
            File(
                rows=[Row("Zakje", "0.07")] * 3,
                changes=[(">0.04<", ">0.03<"), (">0.25<", ">0.24<")],
            ),
            24,
            id="VAT rounded line by line",
        ),
        pytest.param(
            File(rows=[Row("Zaad", "1.00")], changes=[("</cbc:PriceAmount>", '</cbc:PriceAmount><cbc:BaseQuantity>1</cbc:BaseQuantity>')]),
            121,
            id="a price per quantity",
        ),
    ],
)  # fmt: skip
async def test_sums_that_are_right(house: House, file: File, payable: int) -> None:
    assert await put(house, file) == Imported(loaded=1)
    assert await open_on(house, "U-1") == payable


PLANT = File(rows=[Row("Plant", "10.00")])


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        pytest.param(replace(PLANT, changes=[(">10.00</cbc:PriceAmount>", ">10.03</cbc:PriceAmount>")]), "R120", id="line"),
        pytest.param(replace(PLANT, changes=[("<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID=\"EUR\">10.00", "<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID=\"EUR\">10.01")]), "BR-CO-10", id="sum of lines"),
        pytest.param(File(changes=[('AllowanceTotalAmount currencyID="EUR">0.00', 'AllowanceTotalAmount currencyID="EUR">0.01')]), "BR-CO-11", id="allowances"),
        pytest.param(File(changes=[('ChargeTotalAmount currencyID="EUR">0.00', 'ChargeTotalAmount currencyID="EUR">0.01')]), "BR-CO-12", id="charges"),
        pytest.param(File(changes=[('TaxExclusiveAmount currencyID="EUR">50.24', 'TaxExclusiveAmount currencyID="EUR">50.25')]), "BR-CO-13", id="without tax"),
        pytest.param(File(changes=[('<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">9.47', '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">9.48')]), "BR-CO-14", id="sum of tax"),
        pytest.param(File(changes=[('TaxInclusiveAmount currencyID="EUR">59.71', 'TaxInclusiveAmount currencyID="EUR">59.72')]), "BR-CO-15", id="with tax"),
        pytest.param(File(changes=[('PayableAmount currencyID="EUR">59.71', 'PayableAmount currencyID="EUR">59.70')]), "BR-CO-16", id="payable"),
        pytest.param(replace(PLANT, changes=[(">2.10<", ">2.11<"), (">12.10<", ">12.11<")]), "BR-CO-17", id="tax"),
        pytest.param(File(changes=[('TaxableAmount currencyID="EUR">9.00', 'TaxableAmount currencyID="EUR">9.01')]), "BR-S-08", id="base"),
        pytest.param(File(changes=[("<cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>9<", "<cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>6<")]), "BR-CO-18", id="another rate"),
    ],
)  # fmt: skip
async def test_sums_that_are_wrong(house: House, file: File, rule: str) -> None:
    await house.debtor("K1")
    result = await put(house, file)
    assert (result.loaded, result.unchanged, len(result.bad)) == (0, 0, 1)
    assert rule in result.bad[0][1] and "correct them" in result.bad[0][1]
    assert await house.accounts() == {}


DOCTYPE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(DOCTYPE.encode(), "document type", id="entities"),
        pytest.param(OUTSIDE.encode(), "document type", id="an outside entity"),
        pytest.param(b'<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd"><x/>', "document type", id="an outside DTD"),
        pytest.param(b"<a>" * 100_000, "deep", id="deep"),
        pytest.param(b"<a>" + b"<b/>" * 300_001 + b"</a>", "elements", id="endless"),
        pytest.param(b"<" + b"a" * tree.MAX_BYTES + b"/>", "MiB", id="huge"),
        pytest.param(b"<a><b></a>", "line 1", id="no XML"),
        pytest.param(b"", "not XML", id="nothing"),
        pytest.param(b'<?xml version="1.0" encoding="x-unheard-of"?><a/>', "UTF-8", id="an unknown encoding"),
        pytest.param(b"<html/>", "html", id="something else"),
        pytest.param(File().xml().replace(b"Invoice-2", b"Order-2"), "UBL 2.1", id="another namespace"),
        pytest.param(File(changes=[("urn:cen.eu:en16931:2017", "urn:other")]), "CustomizationID", id="another standard"),
        pytest.param(File(changes=[(">380<", ">389<")]), "380", id="self-billed"),
        pytest.param(File(seller="99999999", iban="NL91ABNA0417164300"), "registration", id="another seller"),
        pytest.param(File(due=None), "DueDate", id="no due date"),
        pytest.param(File(due="2026-09-01"), "due_date", id="due before it was issued"),
        pytest.param(File(due="31-10-2026"), "2026-11-30", id="no date"),
        pytest.param(File(customer=None, endpoint=":"), "customer number", id="no customer"),
        pytest.param(File(currency="EURO"), "currency", id="no currency"),
        pytest.param(File(currency="USD"), "the currency of an invoice is EUR", id="another currency"),
        pytest.param(File(changes=[('PayableAmount currencyID="EUR"', 'PayableAmount currencyID="USD"')]), "in USD", id="two currencies"),
        pytest.param(File(changes=[(">59.71</cbc:PayableAmount>", ">59,71</cbc:PayableAmount>")]), "1234.56", id="a comma"),
        pytest.param(File(changes=[(">59.71</cbc:PayableAmount>", ">59.7100001</cbc:PayableAmount>")]), "decimals", id="half a cent"),
        pytest.param(File(changes=[("<cbc:PayableAmount", "<cbc:Other"), ("</cbc:PayableAmount", "</cbc:Other")]), "PayableAmount", id="no total"),
        pytest.param(File(rows=[Row("Terug", "10.00", "-1")]), "credit note", id="below zero"),
        pytest.param(File(prepaid="-1.00"), "PrepaidAmount", id="prepaid below zero"),
        pytest.param(File(number="x" * 65), "64", id="a long number"),
        pytest.param(File(changes=[("1234ab", "12345")]), "postcode", id="no postcode"),
        pytest.param(File(pdf=b"MZ\x90 no document"), "none", id="no PDF"),
        pytest.param(File(pdf=b"%PDF-" + b"x" * MAX_PDF + b"%%EOF"), "5 MiB", id="a large PDF"),
        pytest.param(File(pdf=PDF, changes=[("JVBERi", "!VBERi")]), "base64", id="no base64"),
    ],
)  # fmt: skip
async def test_files_that_are_refused(house: House, content: File | bytes, said: str) -> None:
    result = await put(house, content)
    assert (result.loaded, [place for place, _ in result.bad]) == (0, [1])
    assert said in result.bad[0][1] and "\n" not in result.bad[0][1] and len(result.bad[0][1]) < 400
    assert await everything(house) == [[]] * 6


@pytest.mark.parametrize(
    ("registration", "file", "fits"),
    [
        pytest.param("KvK 12345678", File(seller="12345678"), True, id="KvK"),
        pytest.param("KvK 12345678, btw NL001234567B01", File(seller="NL001234567B01"), True, id="Dutch VAT"),
        pytest.param("KBO 0123.456.789", File(seller="BE0123456789"), True, id="Belgian VAT"),
        pytest.param("BE 0123.456.789", File(seller="0123456789"), True, id="Belgian endpoint"),
        pytest.param("KvK 12345678", File(seller="1", iban="NL02 ABNA 0123 4567 89"), True, id="IBAN alone"),
        pytest.param("KvK 12345678", File(seller="1234567"), False, id="a part of a number"),
        pytest.param("KvK 12345678", File(seller="KvK"), False, id="no number"),
        pytest.param("", File(seller=""), False, id="nothing is known"),
    ],
)
def test_who_sells(registration: str, file: File, fits: bool) -> None:
    creditor = BLOEM.model_copy(update={"registration": registration})
    assert ubl.is_seller(creditor, ubl.read(file.xml())) is fits


async def test_an_agency_imports_for_its_principals(house: House) -> None:
    agency = BLOEM.model_copy(update={"kind": "agency"})
    assert await put(house, File(seller="99999999"), agency) == Imported(loaded=1)
    assert [row.principal for row in await rows_of(house, invoice)] == ["Bloem & Blad BV"]


DEBTORS = "customer_number,name,kind,endpoint\nK1,Fien,consumer,\nK2,Zaak BV,business,0208:0123456789\n"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        pytest.param(File(customer="K1", endpoint="0208:0123456789"), ["K1"], id="the customer number comes first"),
        pytest.param(File(customer=None, endpoint="0208:0123456789"), ["K2"], id="by endpoint"),
        pytest.param(File(customer="K3", endpoint="0208:0123456789"), ["K1", "K2", "K3"], id="a number that is new"),
        pytest.param(File(customer=None, endpoint="0106:11112222"), ["0106:11112222"], id="known by its endpoint"),
        pytest.param(
            File(customer=None, endpoint="0106:11112222", changes=[("<cac:PostalAddress><cbc:StreetName>", "<cac:PartyIdentification><cbc:ID schemeID=\"0088\">K1</cbc:ID></cac:PartyIdentification><cac:PostalAddress><cbc:StreetName>")]),
            ["0106:11112222"],
            id="a number with a scheme is not ours",
        ),
    ],
)  # fmt: skip
async def test_whose_invoice_it_is(house: House, file: File, expected: list[str]) -> None:
    await debtors.load(house.database, house.clock, BLOEM, DEBTORS.encode())
    before = await rows_of(house, debtor)
    assert await put(house, file) == Imported(loaded=1)
    (bill,) = await rows_of(house, invoice)
    names = {row.id: row.customer_number for row in await rows_of(house, debtor)}
    assert names[bill.debtor_id] == expected[-1]
    assert [row for row in await rows_of(house, debtor) if row.id in {each.id for each in before}] == before


async def test_an_endpoint_that_several_have_decides_nothing(house: House) -> None:
    text = DEBTORS.replace("consumer,\n", "consumer,0208:0123456789\n")
    await debtors.load(house.database, house.clock, BLOEM, text.encode())
    result = await put(house, File(customer=None, endpoint="0208:0123456789"))
    assert "several customers" in result.bad[0][1]


async def test_a_changed_file_corrects_as_one_of_csv_does(house: House) -> None:
    await put(house, PLANT)
    assert await put(house, replace(PLANT, rows=[Row("Plant", "20.00")])) == Imported(loaded=1)
    assert await open_on(house, "U-1") == 2420
    key = (await rows_of(house, invoice))[0].id
    await house.paid_elsewhere(key, 2420, "bank:1")
    assert await put(house, PLANT) == Imported(loaded=1)  # half of it was too much
    assert await open_on(house, "U-1") == 0
    assert await house.accounts() == {"receivable": 0, "revenue": -1210, "bank": 2420, "credit": -1210}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"customer": "K2"}, "another customer", id="customer"),
        pytest.param({"prepaid": "5.00"}, "PrepaidAmount", id="prepaid"),
    ],
)
async def test_what_a_changed_file_may_not_change(house: House, change: dict[str, Any], said: str) -> None:
    await house.debtor("K2")
    await put(house, PLANT)
    before = await everything(house)
    result = await put(house, replace(PLANT, **change))
    assert said in result.bad[0][1]
    assert await everything(house) == before


async def test_lines_for_an_invoice_that_a_csv_file_brought(house: House) -> None:
    await house.debtor("K1")
    text = "invoice_number,customer_number,issue_date,due_date,amount,open_amount\nU-1,K1,2026-10-01,2026-10-31,12.10,5.00\n"
    await invoices.load(house.database, house.clock, BLOEM, text.encode())
    assert await put(house, PLANT) == Imported(loaded=1)
    assert await open_on(house, "U-1") == 500  # what was open is the ledger's
    assert len(await rows_of(house, invoice_document)) == 1


@pytest.mark.parametrize(
    ("name", "number", "kept"),
    [
        pytest.param("Factuur.pdf", "U-1", True, id="called an invoice"),
        pytest.param("U-1.pdf", "U-1", True, id="called as the number"),
        pytest.param("facture_U-1.pdf", "U-1", True, id="both"),
        pytest.param("voorwaarden.pdf", "U-1", False, id="something else"),
        pytest.param("factuurvoorwaarden.pdf", "U-1", False, id="a part of a word"),
    ],
)
async def test_which_attachment_is_the_invoice(house: House, name: str, number: str, kept: bool) -> None:
    await put(house, File(number, pdf=PDF, pdf_name=name))
    assert [row.pdf for row in await rows_of(house, invoice_document)] == [PDF if kept else None]


@pytest.mark.parametrize(
    ("paid", "note", "still_open", "credit"),
    [
        pytest.param(0, CREDIT, 5971 - 981, 0, id="a part"),
        pytest.param(5500, CREDIT, 0, 981 - 471, id="more than is open"),
        pytest.param(5971, CREDIT, 0, 981, id="on a paid invoice"),
        pytest.param(0, replace(CREDIT, rows=File().rows), 0, 0, id="all of it"),
        pytest.param(0, replace(CREDIT, refers_to=[]), 5971, 981, id="without an invoice"),
        pytest.param(0, replace(CREDIT, customer=None, endpoint=":"), 5971 - 981, 0, id="the invoice tells the customer"),
    ],
)  # fmt: skip
async def test_credit_notes(house: House, paid: int, note: File, still_open: int, credit: int) -> None:
    await put(house, File())
    if paid:
        await house.paid_elsewhere((await rows_of(house, invoice))[0].id, paid, "bank:1")
    assert await put(house, note) == Imported(loaded=1)
    assert await open_on(house, "U-1") == still_open
    assert (await house.accounts()).get("credit", 0) == -credit
    assert await put(house, note) == Imported(unchanged=1)
    assert await open_on(house, "U-1") == still_open


async def test_a_credit_note_on_two_invoices_lowers_them_in_its_order(house: House) -> None:
    for number in ("U-1", "U-2"):
        await put(house, replace(PLANT, number=number))
    note = replace(CREDIT, rows=[Row("Plant", "15.00")], refers_to=["U-2", "U-1"])
    assert await put(house, note) == Imported(loaded=1)
    assert [await open_on(house, number) for number in ("U-1", "U-2")] == [1210 - 605, 0]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        pytest.param(replace(CREDIT, refers_to=["U-9"]), "import it first", id="an invoice that is not here"),
        pytest.param(replace(CREDIT, refers_to=[], customer="K9"), "import these first", id="nobody's"),
        pytest.param(replace(CREDIT, customer="K2"), "another one", id="another customer's"),
        pytest.param(replace(CREDIT, currency="USD"), "is EUR", id="another currency"),
        pytest.param(replace(CREDIT, rows=[Row("Plant", "9.00")]), "another number", id="changed"),
        pytest.param(replace(CREDIT, number="C-2", seller="99999999"), "registration", id="another seller's"),
    ],
)
async def test_credit_notes_that_are_refused(house: House, note: File, said: str) -> None:
    await house.debtor("K2")
    for file in (File(), CREDIT):
        await put(house, file)
    before = await everything(house)
    result = await put(house, note)
    assert said in result.bad[0][1]
    assert await everything(house) == before


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "for good"])
async def test_a_folder_loads_credit_notes_last(house: House, dry_run: bool) -> None:
    files = {"a-credit.xml": CREDIT, "b.xml": File(), "c.xml": File("U-2", seller="99999999")}
    contents = [(name, file.xml) for name, file in files.items()]
    results = await ubl.load_all(house.database, house.clock, BLOEM, contents, dry_run=dry_run)
    assert [(name, result.loaded, len(result.bad)) for name, result in results.items()] == [
        ("b.xml", 1, 0),
        ("c.xml", 0, 1),
        ("a-credit.xml", 1, 0),
    ]
    assert (await house.accounts() == {}) is dry_run


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<a/>", True),
        (b"\xef\xbb\xbf \n<?xml?>", True),
        ("<a/>".encode("utf-16"), True),
        (b"invoice_number,amount\n", False),
        (b"", False),
    ],
)
def test_what_is_xml(content: bytes, expected: bool) -> None:
    assert tree.is_xml(content) is expected


def test_utf_16_is_read() -> None:
    text = File().xml().decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert ubl.read(text.encode("utf-16")).totals.payable.minor == 5971


def test_an_entity_is_never_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read")
    with pytest.raises(BadInput) as refused:
        ubl.read(OUTSIDE.replace("/etc/hostname", str(secret)).encode())
    assert "do not read" not in str(refused.value)
