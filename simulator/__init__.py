"""Phones in the browser, for development: WhatsApp, SMS and Telegram over the very way that real ones take.

A phone's message is a webhook, signed as its provider signs, posted to our own doors over HTTP. What we send comes in
at routes that are shaped as the providers' APIs; receipts go back as signed callbacks. Everything is kept in memory.
"""

from simulator.network import Person
from simulator.pages import routes

__all__ = ["Person", "routes"]
