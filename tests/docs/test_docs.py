"""Documents that cannot rot: what the product has is documented, and what is documented the product has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

import click
import pytest
from pydantic import BaseModel

from app.cli import main
from app.compose import wired
from app.repository import DEMO, ROOT
from app.settings import PREFIX, Settings
from app.web import public
from catalogue.answers import Answering
from catalogue.index import Encoder
from catalogue.ranking import Ranking
from core.clock import SystemClock
from core.creditor import Creditor
from understanding import Understanding

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
# What stands in code spans: `EFFEN_PORT`, `effen serve`, `/desk/…`.
SPANS = frozenset(re.findall(r"`([^`\n]+)`", OPERATIONS))
# Settings of tests and of the engine's process, which app/settings.py does not read.
OTHERS = {"EFFEN_UPDATE_GOLDEN", "EFFEN_TEST_POSTGRES_URL", "EFFEN_MODEL_DIR"}
PACKAGES = sorted(file.parent.name for file in ROOT.glob("*/__init__.py"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_each_setting_is_documented(name: str) -> None:
    assert f"{PREFIX}{name.upper()}" in SPANS


def test_no_document_names_a_setting_that_there_is_not() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OTHERS
    known |= {f"{name}_FILE" for name in known}
    named = {
        (page.name, name) for page in PAGES for name in re.findall(r"\bEFFEN_[A-Z_]*[A-Z]", page.read_text("utf-8"))
    }
    assert {(page, name) for page, name in named if name not in known} == set()


def commands(group: click.Group, path: str = "effen") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.mark.parametrize("command", list(commands(main)))
def test_each_command_is_documented(command: str) -> None:
    assert command in SPANS


def test_no_document_names_a_command_that_there_is_not() -> None:
    known = set(commands(main))
    words = {command.split()[1] for command in known}
    named = {match for page in PAGES for match in re.findall(r"`effen ([a-z]+)", page.read_text("utf-8"))}
    assert named - words == set()


async def routes(folder: Path) -> set[str]:
    """The paths of the public port in development, which are all that there are."""
    settings = Settings(var_dir=folder, environment="development").with_secrets()
    # Nothing is understood while routes are listed.
    untrained = Answering(cast(Encoder, None), cast(Ranking, None))
    async with wired(settings, SystemClock(), cast(Understanding, None), untrained, {}) as effen:
        return {route.resource.canonical for route in public(effen).router.routes() if route.resource is not None}


async def test_each_route_is_documented(tmp_path: Path) -> None:
    families = tuple(span.removesuffix("…") for span in SPANS if span.startswith("/") and span.endswith("/…"))
    missing = {path for path in await routes(tmp_path) if path not in SPANS and not path.startswith(families)}
    assert missing == set()


async def test_each_documented_route_exists(tmp_path: Path) -> None:
    section = OPERATIONS.partition("\n## Routes\n")[2].partition("\n## ")[0]
    table = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    named = {span for span in re.findall(r"`(/[^`]+)`", table) if not span.endswith("/…")}
    assert len(named) > 15
    assert named - await routes(tmp_path) == set()


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key of the creditor's YAML, whatever it is in."""
    for name, field in model.model_fields.items():
        yield name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from keys(part)


@pytest.mark.parametrize("key", sorted(set(keys(Creditor))))
def test_each_key_of_the_creditors_yaml_is_documented(key: str) -> None:
    section = OPERATIONS.partition("\n## The creditor's YAML\n")[2].partition("\n## ")[0]
    assert re.search(rf"[`.]{key}[`.]", section)


@pytest.mark.parametrize("file", sorted(DEMO.glob("*.[ct]sv")), ids=lambda file: cast(Path, file).name)
def test_each_column_of_the_demo_is_documented(file: Path) -> None:
    header = file.read_text("utf-8").splitlines()[0]
    columns = re.split(r"[,\t]", header)
    section = OPERATIONS.partition("\n## Files to import\n")[2].partition("\n## ")[0]
    # A feed has many more columns than are read: those that are read are named.
    read = set(columns) - {"brand", "product_type", "size"}
    assert {column for column in read if f"`{column}`" not in section} == set()


def contracts() -> list[str]:
    import tomllib

    config: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [contract["name"] for contract in config["tool"]["importlinter"]["contracts"]]


@pytest.mark.parametrize("name", contracts())
def test_each_import_contract_is_in_the_architecture(name: str) -> None:
    assert f"- {name}\n" in ARCHITECTURE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(cast(Path, page).relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(file: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(cast(Path, page).relative_to(ROOT)))
def test_named_modules_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(PACKAGES)})/[a-z0-9_/.]+\.(?:py|po|yml|html))`", page.read_text("utf-8"))
    assert {span for span in named if not (ROOT / span).exists()} == set()
