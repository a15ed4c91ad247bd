"""A message's text: what may be stored of it, and what the models read of it."""

from __future__ import annotations

import re
import unicodedata

LIMIT = 2_000
"""Characters that the models read of one message: with more, one person could hold a core for seconds."""

_TAIL = 600  # the end of a long message often holds what it is about
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def storable(text: str) -> str:
    """The text with U+FFFD for lone surrogates and NULs, so that UTF-8, JSON and SQL take it; as long as before."""
    return _UNSTORABLE.sub("�", text)


def readable(text: str) -> str:
    """The text as the models read it: composed, on one line, without invisible characters, LIMIT characters at most.

    Of a longer text the beginning and the end are kept. A text all in capitals is read in lower case: the encoder
    knows few words in capitals.
    """
    text = _shorten(" ".join(text.split()))
    text = unicodedata.normalize("NFC", text)
    text = "".join(c if unicodedata.category(c) not in _INVISIBLE else " " * c.isspace() for c in text)
    text = _shorten(" ".join(text.split()))
    return text.lower() if text.isupper() else text


def plain(text: str) -> str:
    """The words alone, in lower case, without accents and punctuation, apart by one space: for word lists."""
    text = unicodedata.normalize("NFKD", text[: 10 * LIMIT].casefold().replace("ß", "ss"))[: 10 * LIMIT]
    text = "".join(
        c for c in text if not unicodedata.combining(c) and unicodedata.category(c) not in _INVISIBLE - {"Cc"}
    )
    return " ".join(re.findall(r"\w+", text.replace("'", "").replace("’", "").replace("`", "")))


def _shorten(text: str) -> str:
    return text if len(text) <= LIMIT else f"{text[: LIMIT - _TAIL - 1]} {text[-_TAIL:]}"
