"""The web chat that a creditor puts on its own pages, and a shop to try it in."""

from widget.pages import routes
from widget.shop import Customer, Offer, shop_routes

__all__ = ["Customer", "Offer", "routes", "shop_routes"]
