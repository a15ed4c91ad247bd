"""Bytes to a tree of XML. A file is a stranger's: no document type, no entities, no endless depth."""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from core.errors import BadInput

MAX_BYTES = 20 * 1024 * 1024  # base64 makes a third more of an attached PDF
_MAX_DEPTH = 40  # UBL itself needs a dozen, a signature in an extension some more
_MAX_ELEMENTS = 300_000

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMES = {"cac": f"{_UBL}CommonAggregateComponents-2", "cbc": f"{_UBL}CommonBasicComponents-2"}
INVOICE = f"{{{_UBL}Invoice-2}}Invoice"
CREDIT_NOTE = f"{{{_UBL}CreditNote-2}}CreditNote"


def is_xml(content: bytes) -> bool:
    """Whether the file is meant as XML; a CSV file begins with the name of a column."""
    return (
        content[:200].decode("utf-8-sig", "replace").replace("\x00", "").lstrip("\ufeff\ufffd \t\r\n").startswith("<")
    )


def is_credit_note(head: bytes) -> bool:
    """Whether a file that begins like this is a credit note: these come after the invoices that they refer to."""
    return re.search(rb"<(?:[\w.-]+:)?CreditNote[\s>]", head) is not None


def read(content: bytes) -> Element:
    """The root of an invoice or a credit note. Raises BadInput with what is wrong."""
    if len(content) > MAX_BYTES:
        raise BadInput(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB; leave attachments out")
    parser = XMLParser(target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(content)
        root: Element = parser.close()
    except DefusedXmlException:
        raise BadInput(
            "the file has a document type or entities, which an invoice never has; it was not read"
        ) from None
    except ParseError as error:
        line, column = error.position
        raise BadInput(f"this is not XML: line {line}, column {column + 1}; export it again") from None
    except (ValueError, LookupError):  # an encoding that the parser does not know
        raise BadInput("the file's encoding is not known; save it as UTF-8") from None
    if root.tag not in (INVOICE, CREDIT_NOTE):
        raise BadInput(f"this is no UBL 2.1 Invoice or CreditNote, but {_plain(root.tag)}; export it as UBL 2.1")
    return root


class _Bounded(TreeBuilder):
    """Refuses while it reads: what is too deep or too much is never kept."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: Mapping[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > _MAX_DEPTH:
            raise BadInput(f"the file is nested more than {_MAX_DEPTH} deep, which no invoice is; it was not read")
        if self._count > _MAX_ELEMENTS:
            raise BadInput(f"the file has more than {_MAX_ELEMENTS} elements; split the invoice")
        return super().start(tag, dict(attrs))

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _plain(tag: str) -> str:
    name = re.sub(r"^\{[^}]*\}", "", tag)
    return name if len(name) <= 60 else f"{name[:60]}…"
