"""Care that is said without the dialogue: while an agent has the conversation, a crisis is still answered at once."""

from conversations.contacts import telephone
from core.creditor import Creditor
from core.message import Say

URGENT = "care.self_harm"  # how the keys of what cannot wait begin
# Whose crisis lines and free help with debts the catalogues name; elsewhere they speak of help in general.
_WITH_HELP = frozenset({"NL", "BE", "DE", "FR"})
_PREFIXES = {"+31": "NL", "+32": "BE", "+49": "DE", "+33": "FR"}


def country_of(debtor_country: str | None, address: str, creditor: Creditor) -> str:
    """Whose help lines to name: the debtor's country, else the phone's prefix, else the creditor's."""
    if debtor_country:
        return debtor_country
    return _PREFIXES.get(telephone(address)[:3], creditor.country)


def help_in(country: str, key: str) -> dict[str, str]:
    """The help of a country, as the argument of a message."""
    return {"key": f"{key}.{country if country in _WITH_HELP else 'other'}"}


def crisis(country: str, *, agent_open: bool, again: bool = False) -> list[Say]:
    """What is said at once to somebody who may want to die, whoever has the conversation.

    `agent_open`: within opening hours; `again`: these lines were given in this conversation before.
    """
    lines = help_in(country, "care.self_harm.lines")
    if again:
        return [Say("care.self_harm_again", {"lines": lines})]
    return [Say("care.self_harm", {"lines": lines}), Say(f"care.self_harm_{'open' if agent_open else 'closed'}")]
