"""The sentences to train on: Rasa's NLU files, `LANGUAGE/TOPIC.yml`, read in the order of their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Example:
    text: str
    intent: str
    language: str


def files(data_dir: Path) -> list[Path]:
    return sorted(data_dir.glob("*/*.yml"))


def read(data_dir: Path) -> list[Example]:
    """All examples; a text that stands in the files twice is kept once. Raises ValueError, naming the file."""
    found: dict[tuple[str, str], Example] = {}
    for file in files(data_dir):
        name = f"{file.parent.name}/{file.name}"
        try:
            blocks = yaml.safe_load(file.read_text("utf-8"))["nlu"] or []
            for block in blocks:
                for line in block["examples"].splitlines():
                    text = line.strip().removeprefix("-").strip()
                    if text:
                        example = Example(text, block["intent"], file.parent.name)
                        found.setdefault((text.casefold(), example.language), example)
        except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{name} is not a Rasa NLU file: {error}") from error
    if not found:
        raise ValueError("no training sentences: looked for LANGUAGE/TOPIC.yml")
    return list(found.values())
