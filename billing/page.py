"""What pages for payers share: language, headers, templates."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader

from core.message import Locale

LANGUAGES = {"nl": "Nederlands", "en": "English", "fr": "Français", "de": "Deutsch"}
HEADERS = {
    "Referrer-Policy": "no-referrer",  # the address is the secret
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
TEMPLATES = Environment(loader=PackageLoader("billing"), autoescape=True)


def choose(asked: str | None, accepted: str, default: Sequence[str], spoken: str | None = None) -> Locale:
    """What `?lang=` says, else what was `spoken` with whom this is for, else the best of Accept-Language (RFC 9110,
    12.5.4), else the first default."""
    for language in (asked, spoken, *_preferred(accepted)):
        if language in LANGUAGES:
            return Locale(language)
    return Locale(default[0])


def _preferred(header: str) -> list[str]:
    weighted: list[tuple[float, int, str]] = []
    for part in header[:500].split(","):
        tag, _, weight = part.strip().partition(";")
        try:
            q = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if q > 0:
            weighted.append((-q, len(weighted), tag.strip().lower().partition("-")[0]))
    return [language for _, _, language in sorted(weighted)]
