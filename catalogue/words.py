"""The lexical score beside the meaning: shared words count by how rare they are in this catalogue."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w{3,}")
# Words this long share a stem when they share this many first letters: bezorging, bezorgen.
_STEM = 6


def stems(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return {word[:_STEM] for word in _WORD.findall(plain)}


def overlap(question: str, passages: Sequence[str]) -> list[float]:
    """For each passage the weight of the question's words that it has, as a share of all of them: 0 to 1."""
    found = [stems(passage) for passage in passages]
    frequency = Counter(stem for each in found for stem in each)
    weight = {
        stem: math.log(1 + len(passages) / (1 + frequency[stem])) if stem in frequency else 1.0
        for stem in stems(question)
    }
    total = sum(weight.values()) or 1.0
    return [sum(weight[stem] for stem in weight.keys() & each) / total for each in found]
