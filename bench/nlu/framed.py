"""`python -m bench.nlu.framed`: the messages of `dev` as people send them, between greeting and regards."""

from collections.abc import Sequence

from app.settings import Settings
from bench.nlu.figures import figures
from bench.nlu.messages import LANGUAGES, Message, held_out
from bench.nlu.readings import Reading, read
from understanding import Understanding, load
from understanding.doubt import NOTHING, TALK

# Of greetings and thanks alone nothing is left inside a frame.
_INSIDE = 4  # words
FRAMES = {
    "nl": ["hallo, {}", "Goedemorgen, met Jan Peeters, {}", "{} alvast bedankt", "Beste, {} mvg J. de Vries"],
    "en": ["hi {}", "Good morning, this is Tom Baker, {}", "{} thank you in advance", "Dear all, {} kind regards, Tom"],
    "fr": ["bonjour, {}", "Bonsoir, ici Luc Dubois, {}", "{} merci d'avance", "Madame, {} bien cordialement, Luc"],
    "de": ["hallo, {}", "Moin, hier ist Jan Meier, {}", "{} vielen Dank im Voraus", "Guten Tag, {} LG Sabine"],
}
SHOWN = ("top_1", "care_recall", "care_precision", "crisis_precision")


def inside() -> list[Message]:
    """What is long enough to be a message in a frame, and no answer to us."""
    every = [message for language in LANGUAGES for message in held_out(language) if message.half == "dev"]
    return [m for m in every if len(m.text.split()) >= _INSIDE and m.intent not in (*TALK, NOTHING)]


def framed(understanding: Understanding, messages: Sequence[Message]) -> list[Reading]:
    """The same messages, each in one of its language's frames, in turn."""
    around = [FRAMES[m.language][number % len(FRAMES[m.language])] for number, m in enumerate(messages)]
    texts = [
        Message(frame.format(m.text), m.intent, m.language, m.half) for frame, m in zip(around, messages, strict=True)
    ]
    return read(understanding, texts)


def main() -> None:
    understanding, messages = load(Settings().model_dir), inside()
    alone, between = figures(read(understanding, messages)), figures(framed(understanding, messages))
    print(f"{len(messages)} messages")
    for name in SHOWN:
        print(f"{name:16} alone {alone[name].value:.3f} framed {between[name].value:.3f}")


if __name__ == "__main__":
    main()
