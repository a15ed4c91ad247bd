"""Text into the numbers of the encoder's vocabulary: the Unigram model (Kudo 2018), by Viterbi, a word at a time.

`tokenizers` gives the same numbers, but holds 270 MB for this vocabulary of 250,000 pieces; a dictionary holds 50 MB.
"""

from __future__ import annotations

from functools import lru_cache

from understanding.weights import Weights

_LONGEST = 16  # characters of the longest piece
_UNKNOWN_PENALTY = 10.0  # as in SentencePiece: below the rarest piece
_SPACE = "▁"


class Unigram:
    """Tokenizes for one vocabulary; safe to share between threads."""

    def __init__(self, weights: Weights) -> None:
        self._pieces = weights.pieces
        self._scores = weights.scores
        self._replacements = weights.replacements
        self._unknown = weights.unknown
        self._unknown_score = float(weights.scores.min()) - _UNKNOWN_PENALTY
        self._ends = weights.start, weights.end
        self._limit = weights.positions
        self._word = lru_cache(maxsize=10_000)(self._best)

    def __call__(self, text: str) -> list[int]:
        """The numbers of a text's pieces between the start and end marks, no more than the encoder has positions."""
        tokens = [self._ends[0]]
        for word in text.translate(self._replacements).split(" "):
            if word:
                tokens += self._word(_SPACE + word)
            if len(tokens) >= self._limit:
                break
        return [*tokens[: self._limit - 1], self._ends[1]]

    def _best(self, word: str) -> tuple[int, ...]:
        # best[i]: score, start and number of the best last piece of word[:i]
        best: list[tuple[float, int, int]] = [(0.0, 0, 0)]
        for end in range(1, len(word) + 1):
            best.append((best[end - 1][0] + self._unknown_score, end - 1, self._unknown))
            for start in range(max(0, end - _LONGEST), end):
                number = self._pieces.get(word[start:end])
                if number is not None:
                    score = best[start][0] + float(self._scores[number])
                    if score > best[end][0]:
                        best[end] = score, start, number
        tokens: list[int] = []
        at = len(word)
        while at:
            _, at, number = best[at]
            # neighbouring unknown characters are one unknown piece
            if number != self._unknown or tokens[-1:] != [number]:
                tokens.append(number)
        return tuple(reversed(tokens))
