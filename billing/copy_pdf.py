"""A copy of an invoice as a PDF, in the person's language: what was invoiced, what is open, and how to pay it."""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any

from babel.numbers import format_decimal
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from billing.copies import Contents
from core.errors import BadInput
from core.message import Locale
from core.money import Money
from payments import qr
from payments.references import grouped

# A key and its arguments as text, in the language of the copy.
Speak = Callable[..., str]

_FONT = "body"
_MARGIN = 18.0  # mm
_BAND = 22.0
_CODE = 34.0
_GREY = 90
# A line costs four milliseconds; a longer invoice is described, with its sums.
_MOST_LINES = 300
# UN/ECE Recommendation 20, where there is a sign that everybody reads. Pieces need none.
_UNITS = {
    "HUR": "h", "DAY": "d", "MIN": "min", "KGM": "kg", "GRM": "g", "TNE": "t", "LTR": "l", "MTR": "m", "KMT": "km",
    "MTK": "m²", "MTQ": "m³", "KWH": "kWh",
}  # fmt: skip


def render(contents: Contents, speak: Speak, locale: Locale, now: datetime) -> bytes:
    """The file. It takes some tenths of a second: keep it out of the event loop."""
    page = _Page(contents, speak, locale, now)
    page.head()
    page.facts()
    page.lines()
    page.sums()
    page.to_pay()
    return page.done()


class _Page:
    def __init__(self, contents: Contents, speak: Speak, locale: Locale, now: datetime) -> None:
        self._it = contents
        self._speak = speak
        self._locale = locale
        self._today = now.astimezone(contents.creditor.zone).date()
        self._pdf = pdf = FPDF(format="A4")
        fonts = files("font_source_sans_pro") / "files"
        for style, name in (("", "Regular"), ("B", "Bold")):
            with as_file(fonts / f"SourceSansPro-{name}.ttf") as file:
                pdf.add_font(_FONT, style, file)
        title = speak("copy.title", number=contents.invoice.number)
        pdf.set_lang(locale)
        pdf.set_title(title)
        pdf.set_author(contents.creditor.name)
        pdf.set_creation_date(now)
        pdf.set_margin(_MARGIN)
        pdf.set_auto_page_break(True, _MARGIN)
        pdf.add_page()

    def head(self) -> None:
        pdf, creditor = self._pdf, self._it.creditor
        pdf.set_fill_color(creditor.brand.color)
        pdf.rect(0, 0, pdf.w, _BAND, style="F")
        pdf.set_fill_color(255)  # tables are filled with it
        pdf.set_text_color(creditor.brand.ink)
        pdf.set_xy(_MARGIN, 0)
        self._write(creditor.name, size=17, bold=True, height=_BAND)
        pdf.set_text_color(0)
        pdf.set_y(_BAND + 8)
        self._write(self._speak("copy.title", number=self._it.invoice.number), size=19, bold=True, height=9)
        self._write(self._speak("copy.made", day=self._today), grey=True)
        pdf.ln(5)

    def facts(self) -> None:
        """Who, beside who; and below it the dates."""
        creditor, invoice = self._it.creditor, self._it.invoice
        ours = [creditor.name, creditor.registration, self._iban(), creditor.email, creditor.phone]
        theirs = [self._it.name, *self._it.address]
        principal = self._it.principal
        left = [self._speak("copy.from"), *filter(None, ours)]
        if principal:
            left.append(self._speak("copy.principal", name=principal))
        top = self._pdf.get_y()
        ends = [self._column(_MARGIN, top, left)]
        ends.append(self._column(_MARGIN + self._pdf.epw / 2, top, [self._speak("copy.to"), *theirs]))
        self._pdf.set_y(max(ends) + 4)
        for label, value in (
            ("copy.number", invoice.number),
            ("copy.issued", self._day(invoice.issued)),
            ("copy.due", self._day(invoice.due)),
            ("copy.reference", grouped(self._it.reference)),
        ):
            self._pair(self._speak(label), value)
        self._pdf.ln(5)

    def lines(self) -> None:
        document = self._it.document
        if document is None or len(document["lines"]) > _MOST_LINES:
            if self._it.invoice.description:
                self._write(self._it.invoice.description)
            self._pdf.ln(3)
            return
        rows = [[self._speak(f"copy.{name}") for name in ("what", "quantity", "price", "vat", "net")]]
        rows += [self._line(line) for line in document["lines"]]
        rows += [
            [each["reason"] or self._speak("copy.extra"), "", "", self._rate(each["vat"]), self._money(each["amount"])]
            for each in document["extras"]
        ]
        plain = FontFace(emphasis="BOLD")
        self._pdf.set_font(_FONT, size=10)
        with self._pdf.table(
            col_widths=(46, 15, 15, 10, 18),
            text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=plain,
            line_height=5.2,
            padding=1,
        ) as table:
            for cells in rows:
                row = table.row()
                for cell in cells:
                    row.cell(cell)
        self._pdf.ln(3)

    def sums(self) -> None:
        invoice, document = self._it.invoice, self._it.document
        if document is not None:
            totals = document["totals"]
            self._sum("copy.without_vat", totals["net"])
            for taxed in document["taxed"]:
                self._sum("copy.vat_of", taxed["tax"], rate=self._percent(taxed["vat"]["rate"]))
            if totals["rounding"]:
                self._sum("copy.rounding", totals["rounding"])
        self._sum("copy.total", invoice.amount.minor, bold=True)
        if self._it.paid:
            self._sum("copy.paid", -self._it.paid.minor)
        if self._it.charged:
            self._sum("copy.charged", self._it.charged.minor)
        self._sum("copy.open", invoice.open.minor, bold=True)
        self._pdf.ln(4)

    def to_pay(self) -> None:
        """How to pay what is open; nothing of it while the invoice is disputed."""
        invoice, creditor = self._it.invoice, self._it.creditor
        if invoice.open.minor <= 0:
            self._write(self._speak("copy.settled"))
            return
        if invoice.disputed:
            self._write(self._speak("copy.disputed"))
            return
        pdf = self._pdf
        if pdf.will_page_break(_CODE + 10):
            pdf.add_page()
        self._write(self._speak("copy.how"), bold=True)
        code = self._code()
        left = _MARGIN + _CODE + 4 if code else _MARGIN
        top = pdf.get_y() + 1
        if code:
            pdf.image(io.BytesIO(code), x=_MARGIN, y=top, w=_CODE, alt_text=self._speak("copy.scan"))
        lines = [creditor.name, self._iban(), self._money(invoice.open.minor), grouped(self._it.reference)]
        self._column(left, top + 1, [self._speak("copy.transfer"), *lines])
        if code:
            pdf.set_y(top + _CODE + 1)
            self._write(self._speak("copy.scan"), grey=True)

    def done(self) -> bytes:
        return bytes(self._pdf.output())

    def _code(self) -> bytes | None:
        due = self._it.invoice.open
        if due.currency != "EUR":
            return None
        creditor = self._it.creditor
        with suppress(BadInput):  # more than a transfer carries
            return qr.png(qr.credit_transfer(creditor.name, creditor.iban, due, self._it.reference))
        return None

    def _line(self, line: Mapping[str, Any]) -> list[str]:
        quantity = " ".join(filter(None, (self._number(line["quantity"]), _UNITS.get(line["unit"], ""))))
        price = Decimal(line["price"]) / Decimal(line["per"])
        return [
            line["name"],
            quantity,
            self._number(price, "#,##0.00##"),
            self._rate(line["vat"]),
            self._money(line["net"]),
        ]

    def _rate(self, vat: Mapping[str, str]) -> str:
        return self._percent(vat["rate"])

    def _percent(self, rate: str) -> str:
        return self._speak("copy.rate", rate={"percent": rate})

    def _number(self, value: str | Decimal, pattern: str = "#,##0.####") -> str:
        return format_decimal(Decimal(value), pattern, locale=self._locale)

    def _money(self, minor: int) -> str:
        return self._speak("copy.amount", amount=Money(minor, self._it.invoice.amount.currency))

    def _day(self, day: date) -> str:
        return self._speak("copy.day", day=day)

    def _iban(self) -> str:
        iban = self._it.creditor.iban
        return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))

    def _sum(self, key: str, minor: int, *, bold: bool = False, **args: Any) -> None:
        pdf = self._pdf
        pdf.set_font(_FONT, "B" if bold else "", 11)
        pdf.cell(pdf.epw - 40, 6, self._speak(key, **args), align="R")
        pdf.cell(40, 6, self._money(minor), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _pair(self, label: str, value: str) -> None:
        self._pdf.set_font(_FONT, "B", 11)
        self._pdf.cell(52, 6, label)
        self._pdf.set_font(_FONT, "", 11)
        self._pdf.multi_cell(0, 6, value, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _column(self, x: float, y: float, lines: Sequence[str]) -> float:
        """Lines below each other, the first one in bold; where they end."""
        pdf = self._pdf
        pdf.set_y(y)
        for place, line in enumerate(lines):
            pdf.set_x(x)
            pdf.set_font(_FONT, "" if place else "B", 11)
            width = pdf.epw / 2 - 4 if x < pdf.w / 2 else 0
            pdf.multi_cell(width, 5.5, line, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        return pdf.get_y()

    def _write(self, text: str, *, size: float = 11, bold: bool = False, grey: bool = False, height: float = 6) -> None:
        self._pdf.set_font(_FONT, "B" if bold else "", size)
        if grey:
            self._pdf.set_text_color(_GREY)
        self._pdf.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        if grey:
            self._pdf.set_text_color(0)
