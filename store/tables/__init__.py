"""Every table, on one metadata."""

from store.tables import bank, invoices, money, people, shop, staff, talk, webhooks
from store.tables.base import metadata

__all__ = ["bank", "invoices", "metadata", "money", "people", "shop", "staff", "talk", "webhooks"]
