"""The values in a message, and the numbers that are none."""

import pytest

from understanding.entities import find

TABLE = {
    "customer number": ("K-1001", {("customer_number", "K-1001")}),
    "customer number, typed lightly": ("mijn nr is k1001", {("customer_number", "K1001")}),
    "invoice number": ("over factuur 2026-0042 graag", {("invoice_number", "2026-0042")}),
    "invoice number with a letter": ("f2026-0042 al betaald", {("invoice_number", "F2026-0042")}),
    "order number": ("waar is B-5001?", {("order_number", "B-5001"), ("postcode", "5001")}),
    "named invoice": ("invoice number: 20391877", {("invoice_number", "20391877")}),
    "named customer": ("klantnummer 883321", {("customer_number", "883321")}),
    "named order": ("bestelling nr. AB-77812", {("order_number", "AB-77812")}),
    "named order, French": ("ma commande n° 7781234", {("order_number", "7781234")}),
    "some token": ("ref GX12-99812 alstublieft", {("reference", "GX12-99812")}),
    "Dutch postcode": ("ik woon op 1234 AB", {("postcode", "1234AB"), ("postcode", "1234")}),
    "Dutch postcode, typed lightly": ("1234ab", {("postcode", "1234AB")}),
    "postcode and house": (
        "1234 ab 12",
        {("postcode", "1234AB"), ("postcode", "1234"), ("house_number", "12")},
    ),
    "four digits": (
        "9000",
        {("postcode", "9000"), ("reference", "9000"), ("amount", "9000.00"), ("house_number", "9000")},
    ),
    "five digits": ("75011 paris", {("postcode", "75011"), ("reference", "75011")}),
    "two small words after a year": ("in 2026 is alles betaald", {("postcode", "2026"), ("reference", "2026")}),
    "euro before": ("€ 12,50", {("amount", "12.50")}),
    "euro after": ("ik betaal 50 euro", {("amount", "50.00")}),
    "euro and cents": ("12 euro 50 per maand", {("amount", "12.50")}),
    "thousands, Dutch": ("€ 1.250,75", {("amount", "1250.75")}),
    "thousands, English": ("1,250.75 EUR", {("amount", "1250.75")}),
    "thousands without cents": ("1.250 euro", {("amount", "1250.00")}),
    "bare decimals": ("doe maar 25,00", {("amount", "25.00")}),
    "round price": ("50,- €", {("amount", "50.00")}),
    "lone number": ("25", {("amount", "25.00"), ("house_number", "25")}),
    "house": ("huisnummer 12b", {("house_number", "12B")}),
    "street": ("Kerkstraat 7", {("house_number", "7")}),
    "rue": ("rue de la loi 16", {("house_number", "16")}),
    "English please": ("english please", {("language", "en")}),
    "nederlands": ("Nederlands graag", {("language", "nl")}),
    "en français": ("en français svp", {("language", "fr")}),
    "deutsch": ("auf Deutsch bitte", {("language", "de")}),
    "date": ("op 2026-11-22 of 22-11-2026 of 1/12", {("date", "2026-11-22"), ("date", "1/12")}),
    "time": ("bel me om 14:30", set[tuple[str, str]]()),
    "phone": ("bel +31 6 1234 5678 of 0612345678", {("phone", "+31612345678"), ("phone", "0612345678")}),
    "phone, spelled": ("0032 470/12.34.56", {("phone", "+32470123456")}),
    "phone, French": ("au 06 12 34 56 78 svp", {("phone", "0612345678")}),
    "two numbers, not a phone": ("0612 en 3456", {("reference", "0612"), ("reference", "3456"), ("postcode", "3456")}),
    "bank account": ("NL02 ABNA 0123 4567 89", {("iban", "NL02ABNA0123456789")}),
    "bank account, and words": ("nl02abna0123456789 is mijn rekening", {("iban", "NL02ABNA0123456789")}),
    "no bank account": ("NL03 ABNA 0123 4567 89", set[tuple[str, str]]()),
    "in words": ("ik betaal twintig euro", {("amount", "20.00")}),
    "in words, Dutch": ("honderdvijfentwintig euro", {("amount", "125.00")}),
    "in words, Dutch with a diaeresis": ("tweeëntwintig euro", {("amount", "22.00")}),
    "in words, English": ("a hundred and twenty-five euros", {("amount", "125.00")}),
    "in words, French": ("quatre-vingt-dix euros", {("amount", "90.00")}),
    "in words, Belgian": ("cent septante et un euros", {("amount", "171.00")}),
    "in words, German": ("fünfundzwanzig Euro", {("amount", "25.00")}),
    "in words, German without the letters": ("zweihundertfuenfzig Euro", {("amount", "250.00")}),
    "no number in words": ("hoeveel euro", set[tuple[str, str]]()),
    "weekday": ("ik betaal vrijdag", {("date", "vrijdag")}),
    "next week": ("next Friday", {("date", "next friday")}),
    "end of the month": ("eind van de maand", {("date", "eind van de maand")}),
    "le 15": ("je paie le 15", {("date", "le 15")}),
    "am Ersten": ("ich zahle am Ersten", {("date", "am ersten")}),
    "a named month": ("op 3 december 2026", {("date", "2026-12-03"), ("postcode", "2026"), ("reference", "2026")}),
    "Polish please": ("kan het in het Pools?", {("language", "pl")}),
    "mail address": ("jan1234@example.test", set[tuple[str, str]]()),
    "digits of another script": ("١٢٣٤ euro ٥", set[tuple[str, str]]()),
    "percent, ordinal, model": ("de 2e keer, 3x, 100% iPhone15", set[tuple[str, str]]()),
    "nothing": ("waarom moet ik dit betalen", set[tuple[str, str]]()),
}


@pytest.mark.parametrize(("text", "expected"), TABLE.values(), ids=TABLE)
def test_values(text: str, expected: set[tuple[str, str]]) -> None:
    found = find(text)
    assert {(entity.entity, entity.value) for entity in found} == expected
    assert all(text[entity.start : entity.end].strip() for entity in found)


def test_where_a_value_stands() -> None:
    (entity,) = find("ik betaal € 12,50 nu")
    assert entity.as_json() == {"entity": "amount", "value": "12.50", "start": 10, "end": 17}
