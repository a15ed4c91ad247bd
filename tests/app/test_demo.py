"""The demo's own files."""

from datetime import date

import pytest

from app import creditor_files
from app.demo import FILES, dated
from app.repository import DEMO
from billing.imports.ubl import is_seller, read


@pytest.mark.parametrize("name", [name for _, name in FILES if name.endswith(".xml")])
def test_an_invoice_of_the_demo_is_as_a_shop_would_send_it(name: str) -> None:
    document = read(dated((DEMO / name).read_text("utf-8"), date(2026, 11, 22)).encode())
    shop = creditor_files.read(DEMO / "creditor.yml")
    assert is_seller(shop, document)
    assert (document.number, document.totals.payable.minor) == (
        name.removeprefix("invoice-").removesuffix(".xml"),
        4990,
    )
    assert (document.issued, document.due) == (date(2026, 11, 11), date(2026, 11, 25))


def test_every_file_of_the_demo_is_loaded() -> None:
    there = {file.name for file in DEMO.iterdir()} - {"creditor.yml"}
    assert there == {name for _, name in FILES}
