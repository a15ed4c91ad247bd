"""The keys of each creditor's account at a provider."""

from collections.abc import Mapping, Sequence

from core.errors import PaymentFailed

# Creditor → name of the key → secret. App changes it in place, so providers hold on to it.
AccountKeys = Mapping[str, Mapping[str, str]]


def keys_of(keys: AccountKeys, account: str, names: Sequence[str]) -> list[str]:
    """The account's keys of these names, in their order. Raises PaymentFailed where one is missing."""
    known = keys.get(account, {})
    if not all(known.get(name) for name in names):
        raise PaymentFailed("no_keys", retryable=False)
    return [known[name] for name in names]
