"""A second opinion on care, by the encoder as it was before it was tuned, with a head of its own.

What tuning taught the encoder it is sure of, and where a message is like none of that it now and then suspects care: in
"see you tomorrow then" a farewell to life. The untuned encoder knows less and suspects other things; what both suspect
is care far more often. `understanding.second` fits the head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understanding.encoder import Encoder
from understanding.head import Head
from understanding.weights import Floats

OPINION = "opinion.npz"
_PREFIX = "opinion"


@dataclass(frozen=True)
class Opinion:
    """center: (width,), what is taken off the untuned encoder's vectors before they are scaled; head: on these."""

    center: Floats
    scale: float
    head: Head

    def of(self, text: str, untuned: Encoder) -> dict[str, float]:
        """The probability of each intent that the head knows."""
        shares = self.head.probabilities((untuned([text]) - self.center) * np.float32(self.scale))[0]
        return dict(zip(self.head.names, shares.tolist(), strict=True))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As plain arrays, for a .npz file; the names are found among those of a model."""
        own = {f"{_PREFIX}.center": self.center, f"{_PREFIX}.scale": np.array(self.scale)}
        return {**own, **self.head.arrays(_PREFIX)}

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Opinion | None:
        """None where the arrays hold no second opinion."""
        if f"{_PREFIX}.center" not in arrays:
            return None
        head = Head.from_arrays(arrays, _PREFIX)
        return Opinion(arrays[f"{_PREFIX}.center"], float(arrays[f"{_PREFIX}.scale"]), head)
