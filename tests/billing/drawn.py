"""Examples that Hypothesis draws, to be played afterwards in the test's own event loop, against its database."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st


def drawn[T](strategy: st.SearchStrategy[T], count: int) -> list[T]:
    examples: list[T] = []

    @settings(max_examples=count, database=None, derandomize=True, deadline=None, phases=[Phase.generate])
    @given(strategy)
    def draw(example: T) -> None:
        examples.append(example)

    draw()
    return examples
