"""A message without what tells whose it is: for sentences that people read and models learn from."""

import re
from collections.abc import Iterable

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.,;!?]+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[ .-]?[A-Z0-9]{4}(?:[ .-]?\d{4}){1,6}(?:[ .-]?\d{1,3})?\b", re.IGNORECASE)
_POSTCODE = re.compile(r"\b(\d{4})( ?)[A-Z]{2}\b", re.IGNORECASE)
# Where people say who they are: the words in capitals that follow
_INTRODUCED = re.compile(
    r"(?P<before>\b(?i:(?:mijn )?naam is|ik heet|met|namens|groet(?:en|jes)?|mvg|my name is|this is|regards|"
    r"je m[’']appelle|mon nom est|cordialement|ich heiße|ich heisse|mein name ist|grüße|gruß|mfg|mevrouw|meneer|mevr|"
    r"dhr|mr|mrs|ms|monsieur|madame|mme|frau|herr)\b[\s,.:!]*)(?P<name>[A-ZÀ-Þ][\w’'-]*(?:\s+(?:van|de|der|den|von|"
    r"du|la|le|el)\b)*(?:\s+[A-ZÀ-Þ][\w’'-]*)*)"
)
_SHORT = 3  # letters of a part of a name that is rather a word: "de", "Bo"


def mask(text: str, names: Iterable[str] = ()) -> str:
    """The text on one line, with 0 for each digit, … for names, and neither addresses, links nor accounts.

    `names`: of the people it is about, as they are on file; other names are found only where they are introduced.
    """
    text = _LINK.sub("…", " ".join(text.split()))
    text = _EMAIL.sub("…", text)
    text = _IBAN.sub("IBAN", text)
    text = _POSTCODE.sub(r"\1\2XX", text)
    parts = {part for name in names for part in re.findall(r"\w+", name) if len(part) >= _SHORT}
    if parts:
        text = re.sub(rf"\b(?:{'|'.join(map(re.escape, sorted(parts)))})\b", "…", text, flags=re.IGNORECASE)
    text = _INTRODUCED.sub(r"\g<before>…", text)
    return re.sub(r"\d", "0", text)
