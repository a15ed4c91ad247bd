"""The payment providers that a creditor may choose, and the keys that each wants."""

from collections.abc import Collection, Mapping, Sequence

import aiohttp

from app.settings import Settings
from core.clock import Clock
from core.payment import PaymentProvider
from payments import buckaroo, mollie, stripe
from payments.buckaroo import Buckaroo
from payments.keys import AccountKeys
from payments.mollie import Mollie
from payments.sandbox import Books, Sandbox
from payments.stripe import Stripe

# `payments.provider` → the names in `payments.keys`.
KEYS: Mapping[str, Sequence[str]] = {
    "sandbox": (),
    "mollie": mollie.KEYS,
    "stripe": stripe.KEYS,
    "buckaroo": buckaroo.KEYS,
}

# `payments.provider` → the methods that it has, where its library says which; the creditor's own transfer needs none.
METHODS: Mapping[str, Collection[str]] = {"mollie": mollie.METHODS, "stripe": stripe.METHODS}


def providers(
    settings: Settings, clock: Clock, http: aiohttp.ClientSession, keys: AccountKeys, books: Books
) -> dict[str, PaymentProvider]:
    """Every provider by its name; the sandbox bank in development only."""
    known: list[PaymentProvider] = [
        Mollie(keys, api_url=settings.mollie_api_url),
        Stripe(keys, http, api_url=settings.stripe_api_url),
        Buckaroo(keys, clock, http, api_url=settings.buckaroo_api_url),
    ]
    if not settings.production:
        known.append(Sandbox(books, clock, http, public_url=settings.public_url, secret=settings.secret_key))
    return {provider.name: provider for provider in known}
