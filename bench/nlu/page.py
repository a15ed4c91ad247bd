"""The figures as Markdown."""

import math
from collections.abc import Iterable, Sequence

from bench.nlu.curve import KEYS
from bench.nlu.figures import Figure, OfIntent
from bench.nlu.messages import HALVES
from bench.nlu.report import ALL, Report

NAMES = {
    "macro_f1": "macro-F1, of the intent acted on",
    "macro_f1_head": "macro-F1, of the likeliest intent",
    "top_1": "likeliest is right",
    "top_3": "right among the three likeliest",
    "care_recall": "care seen (recall)",
    "care_precision": "care where the watch saw some (precision)",
    "care_said_recall": "care acted on (recall)",
    "care_said_precision": "care where care was acted on (precision)",
    "crisis_recall": "crisis seen as a crisis (recall)",
    "crisis_precision": "crisis where one was seen (precision)",
    "self_harm_recall": "`self_harm` seen as such",
    "report_deceased_recall": "`report_deceased` seen as such",
    "crisis_words_recall": "crisis found by the word list alone",
    "beyond_taken": "`out_of_scope` taken for something else",
    "within_refused": "something else taken for `out_of_scope`",
    "language": "language right, without a conversation",
    "language_few_words": "the same, up to three words",
    "language_wrong": "language wrong rather than unknown",
    "language_hinted": "language right, in a conversation in that language",
    "calibration": "expected calibration error",
}
# What is aimed at on `locked`: figure, bar, whether more is better
BARS = (
    ("macro_f1", 0.90, True),
    ("top_3", 0.97, True),
    ("care_recall", 0.98, True),
    ("care_precision", 0.90, True),
    ("self_harm_recall", 1.00, True),
    ("beyond_taken", 0.10, False),
)
MILLISECONDS = (("p50", 12.0), ("p95", 30.0))
PARTS = (*HALVES, ALL)
_SHOWN = 30  # confusions
_TEXTS = 3  # of each
_LONGEST = 110  # characters of one


def page(report: Report) -> str:
    parts = [
        f"{report.sentences:,} sentences to train on, {report.messages:,} messages held out; {report.day}; "
        f"{report.machine}; encoder {'tuned' if report.tuned else 'as it comes'}.",
        f"{report.copied} of the messages, of one or two words each, are in the training too; without them macro-F1 "
        f"is {report.without_copied.value:.3f}.",
        "### Bars",
        _bars(report),
        "### All figures, with intervals of 95 %",
        table(
            ["", *PARTS],
            ([NAMES[key], *(interval(report.figures[half][key]) for half in PARTS)] for key in NAMES),
        ),
        "### By language",
        _by_language(report),
        "### Beyond the four languages",
        _beyond(report),
        "### Learning curve and encoders",
        _curve(report),
        "### Milliseconds and megabytes",
        _costs(report),
        "### By intent",
        _by_intent(report.intents),
        "### What is confused, on `dev`",
        _confusions(report.confusions),
    ]
    return "\n\n".join(parts)


def _bars(report: Report) -> str:
    rows = []
    for key, bar, up in BARS:
        figure = report.figures["locked"][key]
        short = bar - figure.value if up else figure.value - bar
        wanted = f"{'≥' if up else '≤'} {bar:.2f}"
        rows.append([NAMES[key], wanted, interval(figure), "met" if short <= 0 else f"**missed by {short:.3f}**"])
    for name, most in MILLISECONDS:
        took = report.milliseconds[name]
        rows.append(
            [
                f"a parse, {name}",
                f"≤ {most:.0f} ms",
                f"{took:.1f} ms",
                "met" if took <= most else f"**missed by {took - most:.1f} ms**",
            ]
        )
    return table(["on `locked`", "bar", "measured", ""], rows)


def _by_language(report: Report) -> str:
    keys = ("macro_f1", "top_1", "top_3", "care_recall", "care_precision", "crisis_recall", "language")
    return table(
        ["", *(NAMES[key] for key in keys)],
        ([name, *(_number(found[key]) for key in keys)] for name, found in report.languages.items()),
    )


def _beyond(report: Report) -> str:
    keys = ("top_1", "top_3", "care_recall", "care_precision", "crisis_recall")
    head = ["60 messages each", *(NAMES[key] for key in keys), "taken for one of our languages", "in a Dutch chat"]
    return table(
        head,
        (
            [name, *(_number(found[key]) for key in (*keys, "language_wrong", "language_wrong_hinted"))]
            for name, found in report.others.items()
        ),
    )


def _curve(report: Report) -> str:
    return table(
        ["head and neighbours, refitted", "sentences", *(NAMES[key] for key in KEYS)],
        (
            [point.encoder, f"{point.sentences:,}", *(_number(point.figures[key]) for key in KEYS)]
            for point in report.curve
        ),
    )


def _costs(report: Report) -> str:
    return table(
        ["", ""],
        [
            *([f"a parse, {name}", f"{took:.1f} ms"] for name, took in report.milliseconds.items()),
            *([name, f"{size:.1f} MB"] for name, size in report.megabytes.items()),
        ],
    )


def _by_intent(intents: dict[str, OfIntent]) -> str:
    return table(
        ["dev and locked", "messages", "precision", "recall", "F1"],
        (
            [f"`{name}`", str(one.of), f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}"]
            for name, one in intents.items()
        ),
    )


def _confusions(found: Sequence[tuple[str, str, list[str]]]) -> str:
    return table(
        ["is", "taken for", "times", "for example"],
        (
            [f"`{truth}`", f"`{said}`", str(len(texts)), " · ".join(_short(text) for text in texts[:_TEXTS])]
            for truth, said, texts in found[:_SHOWN]
        ),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def interval(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.2f}–{figure.high:.2f})" if figure.of else "–"


def _number(figure: Figure) -> str:
    return "–" if math.isnan(figure.value) else f"{figure.value:.3f}"


def _short(text: str) -> str:
    text = text.replace("|", "/")
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " …"
