"""A creditor's YAML: what it must say, and what is refused with a reason."""

from datetime import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.creditor_files import read
from app.repository import DEMO
from core.creditor import Brand, Creditor
from core.errors import BadInput


def described(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEMO / "creditor.yml").read_text("utf-8"))
    return {name: value for name, value in {**content, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"alerts": None}, "alerts", id="nobody to wake for a person in crisis"),
        pytest.param({"alerts": {}}, "alerts.urgent", id="alerts without urgent"),
        pytest.param({"iban": "NL02ABNA0123456780"}, "not a valid IBAN", id="iban's check digits"),
        pytest.param({"country": "US"}, "country", id="no law for this country"),
        pytest.param({"languages": []}, "languages", id="no language"),
        pytest.param({"colour": "red"}, "colour", id="unknown key"),
        pytest.param({"kind": "agency"}, "WhatsApp", id="an agency on WhatsApp"),
        pytest.param({"timezone": "Mars/Olympus"}, "time zone", id="no such time zone"),
        pytest.param({"hours": {"mon-fri": "half nine"}}, "mon-fri", id="hours in words"),
        pytest.param({"brand": {"color": "green"}}, "brand.color", id="a color's name"),
        pytest.param({"fees": {"interest_rate": 0}}, "fees.interest_rate", id="no interest is interest: false"),
        pytest.param({"fees": {"interest_rate": "3 %"}}, "fees.interest_rate", id="a rate in words"),
        pytest.param({"plans": {"stops_costs": "sometimes"}}, "plans.stops_costs", id="costs stop, or they do not"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    file = tmp_path / "creditor.yml"
    file.write_text(yaml.safe_dump(described(**changes)))
    with pytest.raises(BadInput, match=named):
        read(file)


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "key: [", "\x00"])
def test_what_is_no_yaml_of_ours_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "creditor.yml"
    file.write_text(content)
    with pytest.raises(BadInput):
        read(file)


def test_the_store_gives_back_what_was_applied() -> None:
    creditor = read(DEMO / "creditor.yml")
    assert Creditor.model_validate(creditor.model_dump(mode="json", by_alias=True)) == creditor


@pytest.mark.parametrize(
    ("weekday", "hours"),
    [(0, (time(8, 30), time(17, 30))), (4, (time(8, 30), time(17, 30))), (5, (time(10), time(16))), (6, None)],
)
def test_opening_hours(weekday: int, hours: tuple[time, time] | None) -> None:
    assert read(DEMO / "creditor.yml").hours.of(weekday) == hours


@pytest.mark.parametrize(
    ("value", "resolved"),
    [("${NAME}", "secret"), ("${OTHER}", None), ("plain", "plain"), (None, None), ("$NAME", "$NAME")],
)
def test_secrets_are_references(value: str | None, resolved: str | None) -> None:
    assert read(DEMO / "creditor.yml").secret(value, {"NAME": "secret"}) == resolved


@pytest.mark.parametrize(
    ("color", "ink"),
    [("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#0b6e4f", "#ffffff"), ("#ffd500", "#000000")],
)
def test_words_can_be_read_on_the_brands_color(color: str, ink: str) -> None:
    assert Brand(color=color).ink == ink
