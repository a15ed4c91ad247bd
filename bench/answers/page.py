"""The figures as Markdown."""

from collections.abc import Sequence

from bench.answers.figures import BARS, Judged, figures
from bench.answers.questions import HALVES, LANGUAGES
from bench.nlu.page import interval, table

_NAMES = {
    "right": "answered directly and rightly, of the answerable",
    "found": "rightly answered or among the three offered",
    "wrong": "answered wrongly, of all",
    "refused": "“I don't know”, of the unanswerable",
}


def page(judged: Sequence[Judged]) -> str:
    parts = {half: [one for one in judged if one.question.half == half] for half in HALVES} | {"both": judged}
    parts |= {language: [one for one in judged if one.question.language == language] for language in LANGUAGES}
    measured = {name: figures(part) for name, part in parts.items()}
    wanted = {key: f"{'≤' if key == 'wrong' else '≥'} {bar:.2f}" for key, bar in BARS.items()}
    answerable = sum(bool(one.question.answers) for one in judged)
    rows = [
        [text, wanted.get(key, ""), *(interval(found[key]) for found in measured.values())]
        for key, text in _NAMES.items()
    ]
    count = f"{len(judged)} questions, {answerable} of them answerable from the shop's products and FAQ."
    return f"{count}\n\n{table(['', 'bar', *measured], rows)}"


def shown(judged: Sequence[Judged]) -> str:
    """Each question of `dev` that was not answered rightly, nor refused rightly."""
    rows = [
        [
            one.question.language,
            one.question.text,
            " ".join(sorted(one.question.answers)) or "–",
            f"**{one.told}**" if one.told else " ".join(one.offered) or "–",
        ]
        for one in judged
        if one.question.half == "dev" and not one.right and (one.question.answers or one.told or one.offered)
    ]
    return table(["", "question", "right", "said or offered"], rows)
