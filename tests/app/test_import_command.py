"""`effen import invoices` of UBL files and folders, as somebody types it."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.billing.test_ubl import CREDIT
from tests.billing.ubl_files import File

BLOEM = """
key: bloem
name: Bloem & Blad BV
country: NL
registration: "KvK 12345678"
languages: [nl]
iban: NL02ABNA0123456789
alerts: {urgent: care@bloem.example}
"""


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runner = CliRunner(env={"EFFEN_VAR_DIR": str(folder), "EFFEN_DATABASE_URL": f"sqlite:///{folder}/e.db"})

    def effen(self, *words: str | Path) -> Result:
        return self._runner.invoke(main, [str(word) for word in words])

    def load(self, path: Path, *more: str, kind: str = "invoices") -> tuple[int, list[str]]:
        done = self.effen("import", kind, path, "--creditor", "bloem", *more)
        return done.exit_code, done.output.splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    (tmp_path / "bloem.yml").write_text(BLOEM)
    assert shell.effen("creditor", "apply", tmp_path / "bloem.yml").exit_code == 0
    return shell


def test_a_file(shell: Shell) -> None:
    path = shell.folder / "invoice.xml"
    path.write_bytes(File().xml())
    assert shell.load(path, "--dry-run") == (0, ["invoices: 1 would be loaded, 0 unchanged, 0 bad."])
    assert shell.load(path) == (0, ["invoices: 1 loaded, 0 unchanged, 0 bad."])
    assert shell.load(path) == (0, ["invoices: 0 loaded, 1 unchanged, 0 bad."])


def test_a_folder_with_one_line_for_each_file_that_is_refused(shell: Shell) -> None:
    folder = shell.folder / "invoices"
    folder.mkdir()
    for name, content in {
        "a.xml": CREDIT.xml(),
        "b.XML": File().xml(),
        "c.xml": replace(File("U-3"), seller="99999999").xml(),
        "d.xml": b"<!DOCTYPE x><x/>",
        "notes.txt": b"not an invoice",
    }.items():
        (folder / name).write_bytes(content)
    for more, verb in ((["--dry-run"], "would be loaded"), ([], "loaded")):
        code, (said, *refused) = shell.load(folder, *more)
        assert (code, said) == (1, f"invoices: 2 {verb}, 0 unchanged, 2 bad.")
        assert [line.partition(": ")[0] for line in refused] == ["c.xml:1", "d.xml:1"]
        assert "`registration`" in refused[0] and "document type" in refused[1]
    assert shell.load(folder)[1][0] == "invoices: 0 loaded, 2 unchanged, 2 bad."


@pytest.mark.parametrize("kind", ["invoices", "debtors", "statement"])
def test_a_folder_without_invoices(shell: Shell, kind: str) -> None:
    empty = shell.folder / "empty"
    empty.mkdir()
    code, said = shell.load(empty, kind=kind)
    assert code == 1 and "end in .xml" in said[-1]
