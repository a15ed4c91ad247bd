"""Text for SMS: one character outside GSM-7 doubles the price of the whole message (3GPP TS 23.038, 6.2.1)."""

from __future__ import annotations

import re
import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")  # each costs two characters

_GUILLEMETS = re.compile(r"«[ \u00a0\u202f]?|[ \u00a0\u202f]?»")  # with the space that French puts inside

_PLAIN = {
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\t", " "),
    **dict.fromkeys("•·▪", "-"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f", ""),
    "…": "...",
    "œ": "oe",
    "Œ": "OE",
    "ij": "ij",
    "IJ": "IJ",
    "×": "x",
    "→": "->",
    "©": "(c)",
    "®": "(r)",
    "™": "TM",
}


def plain(text: str) -> str:
    """The text with plain equivalents where there are any; what has none (Cyrillic, emoji) stays."""
    return "".join(_character(character) for character in _GUILLEMETS.sub('"', text))


def _character(character: str) -> str:
    if character in BASIC or character in EXTENDED:
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in BASIC else character


def fits(text: str) -> bool:
    """Whether the text can go out in GSM-7."""
    return all(character in BASIC or character in EXTENDED for character in text)
