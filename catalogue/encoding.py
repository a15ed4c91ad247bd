"""A text as two encoders see it.

Tuning an encoder to what people want of us costs it some of what tells one answer from another; before it was tuned it
knew that, and less of the rest. Side by side they answer a tenth more of the questions (docs/understanding.md).
"""

from collections.abc import Callable, Sequence

import numpy as np

from understanding.text import storable
from understanding.weights import Floats


class Views:
    """views: each turns n texts into n unit vectors."""

    def __init__(self, *views: Callable[[Sequence[str]], Floats]) -> None:
        self._views = views

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, (n, the views' widths together)."""
        asked = [storable(text) for text in texts]
        sides = np.concatenate([view(asked) for view in self._views], axis=1)
        return np.asarray(sides / np.sqrt(len(self._views)), np.float32)
