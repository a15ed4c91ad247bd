"""Catalogues and the renderer: a key and its arguments become text for a language and a channel."""

from locales.catalogue import Catalogue, MissingArgument, UnknownKey
from locales.renderer import Renderer, Shown

__all__ = ["Catalogue", "MissingArgument", "Renderer", "Shown", "UnknownKey"]
