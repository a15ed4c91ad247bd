"""Every table, on one metadata."""

from store.tables import money, people, shop, staff, talk
from store.tables.base import metadata

__all__ = ["metadata", "money", "people", "shop", "staff", "talk"]
