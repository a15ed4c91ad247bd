"""The trained models: what a message means, what answers a question to a shop, and the engine's dialogue."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from app import engine
from app.repository import SENTENCES
from app.settings import Settings
from catalogue import ranking as answers
from catalogue import teaching
from catalogue.answers import Answering
from catalogue.encoding import Views
from core.errors import EffenError
from understanding import Understanding, examples, load
from understanding.training import fingerprint, is_trained
from understanding.training import train as fit


class TrainingFailed(EffenError):
    """A model could not be trained; the trainer's own words follow."""


def everything(settings: Settings, say: Callable[[str], object], *, force: bool = False) -> None:
    """Train what is not up to date. Raises TrainingFailed."""
    if force or not is_trained(SENTENCES, settings.model_dir, encoder(settings)):
        say("Training the understanding (a minute or two the first time) …")
        fit(SENTENCES, settings.model_dir, encoder(settings))
    wanted = teaching.fingerprint(fingerprint(SENTENCES, encoder(settings)))
    if force or answers.fingerprint_of(settings.model_dir / answers.FILE) != wanted:
        say("Training what answers questions to a shop (a minute) …")
        private = teaching.private(examples.read(SENTENCES))
        fitted = teaching.fit(views(understanding(settings)), private)
        fitted.save(settings.model_dir / answers.FILE, wanted)
    if force or not engine.model(settings).exists():
        say("Training the dialogue …")
        try:
            engine.train(settings, force=force)
        except subprocess.CalledProcessError as error:
            raise TrainingFailed(f"the dialogue could not be trained:\n{error.stdout}") from None
        except FileNotFoundError:
            raise TrainingFailed(
                f"there is no engine environment at {engine.python(settings)}: run `make install`"
            ) from None


def understanding(settings: Settings) -> Understanding:
    """The trained model. Raises TrainingFailed where there is none."""
    try:
        return load(settings.model_dir, encoder(settings))
    except (FileNotFoundError, ValueError) as error:
        raise TrainingFailed(f"the understanding is not trained ({error}): run `effen train`") from None


def answering(settings: Settings, understanding: Understanding) -> Answering:
    """What answers questions to a shop. Raises TrainingFailed where there is none."""
    try:
        ranking = answers.load(settings.model_dir / answers.FILE)
        return Answering(views(understanding), ranking)
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise TrainingFailed(f"what answers questions is not trained ({error}): run `effen train`") from None


def views(understanding: Understanding) -> Views:
    """What makes the vectors of questions and of what is published: the encoder of the understanding, and where that
    was tuned, the same before."""
    if understanding.untuned is None:
        return Views(understanding.vectors)
    return Views(understanding.vectors, understanding.untuned)


def encoder(settings: Settings) -> Path | None:
    return Path(settings.encoder_model) if settings.encoder_model else None
