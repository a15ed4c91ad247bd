"""XML from somebody else, read without trusting it."""

import io
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from billing.statements.refused import Refused

MAX_BYTES = 16 * 1024 * 1024  # some 6,000 payments
_MAX_ELEMENTS = 500_000
_MAX_DEPTH = 40  # a statement is 12 deep


def read(content: bytes) -> Element:
    """The root. Raises Refused for what is too large, too deep, no XML, or declares types or entities."""
    if len(content) > MAX_BYTES:
        raise Refused("too_large", megabytes=MAX_BYTES // 1024**2)
    root: Element | None = None
    depth = count = 0
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            count += event == "start"
            if depth > _MAX_DEPTH:
                raise Refused("hostile")
            if count > _MAX_ELEMENTS:
                raise Refused("too_large", megabytes=MAX_BYTES // 1024**2)
    except DefusedXmlException:
        raise Refused("hostile") from None
    except ParseError as error:
        raise Refused("not_xml", line=error.position[0]) from None
    except (LookupError, ValueError):  # an encoding that there is none of, or that the file does not keep to
        raise Refused("not_xml", line=1) from None
    if root is None:
        raise Refused("not_xml", line=1)
    return root
