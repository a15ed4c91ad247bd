"""docs/conversations.md says what the scripts say: each row is a group of cells, and each talk is named."""

from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "whole" / "scripts"
PAGE = (ROOT / "docs" / "conversations.md").read_text("utf-8")


def rows() -> Iterator[tuple[str, str, str]]:
    """Intent, states, keys of each row with four columns."""
    for line in PAGE.splitlines():
        columns = [column.strip() for column in line.strip("|").split("|")]
        if len(columns) == 4 and columns[0].startswith("`"):
            yield columns[0].strip("`"), columns[1], columns[2].replace("`", "")


def cells() -> Iterator[tuple[str, str, str]]:
    for file in (SCRIPTS / "cells").glob("*.yml"):
        for intent, groups in yaml.safe_load(file.read_text("utf-8")).items():
            for states, cell in groups.items():
                yield intent, ", ".join(states.split()), ", ".join(cell["bot"])


def test_each_row_is_a_script_and_each_script_a_row() -> None:
    written, played = list(rows()), list(cells())
    assert len(set(written)) == len(written)
    assert set(written) == set(played)


def test_every_intent_has_its_rows() -> None:
    intents = {
        intent
        for file in (ROOT / "bot/domain").glob("*.yml")
        for intent in yaml.safe_load(file.read_text("utf-8")).get("intents", [])
    }
    assert {intent.partition("/")[0] for intent, _, _ in rows()} == intents


def test_every_talk_is_named() -> None:
    for file in (SCRIPTS / "talks").glob("*.yml"):
        for talk in yaml.safe_load(file.read_text("utf-8")):
            assert talk["name"] in PAGE, talk["name"]
