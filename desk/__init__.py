"""The desk: where people take over from the bot."""

from desk.pages import Desk, Services

__all__ = ["Desk", "Services"]
