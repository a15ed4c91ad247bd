"""What became of each question, and shares of them with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.answers.questions import Question
from bench.nlu.figures import Figure, share
from catalogue.answers import Answer, Suggestions

BARS = {"right": 0.65, "found": 0.92, "wrong": 0.05}


@dataclass(frozen=True)
class Judged:
    """told: the source answered from; offered: those of the suggestions; right: the answer holds what is asked."""

    question: Question
    told: str | None
    offered: tuple[str, ...]
    right: bool

    @property
    def found(self) -> bool:
        return self.right or not self.question.answers.isdisjoint(self.offered)

    @property
    def wrong(self) -> bool:
        return self.told is not None and not self.right


def judge(question: Question, said: Answer | Suggestions | None, names: Mapping[str, str]) -> Judged:
    if isinstance(said, Suggestions):
        return Judged(question, None, tuple(names[title] for title in said.questions), False)
    if said is None:
        return Judged(question, None, (), False)
    told = names[said.source]
    holds = question.says in said.text
    return Judged(question, told, (), told in question.answers and holds)


def figures(judged: Sequence[Judged]) -> dict[str, Figure]:
    """right, found: of the questions that the shop can answer; wrong: of all; refused: of those that it cannot."""
    answerable = [one for one in judged if one.question.answers]
    beyond = [one for one in judged if not one.question.answers]
    return {
        "right": share([one.right for one in answerable]),
        "found": share([one.found for one in answerable]),
        "wrong": share([one.wrong for one in judged]),
        "refused": share([one.told is None and not one.offered for one in beyond]),
    }
