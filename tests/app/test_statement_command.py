"""`effen statement import`, as somebody types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from payments.references import creditor_reference
from tests.billing.statements.written import Entry, Stmt, Tx, one, written

BLOEM = """
key: bloem
name: Bloem & Blad BV
country: NL
registration: "KvK 12345678"
languages: [nl]
iban: NL02ABNA0123456789
alerts: {urgent: care@bloem.example}
"""
DEBTORS = "customer_number,kind,name\nK-1,consumer,Jan Verhoeven\n"
INVOICES = "invoice_number,customer_number,issue_date,due_date,amount\nF-1,K-1,2026-10-01,2026-11-01,50.00\n"


class Shell:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = CliRunner(env={"EFFEN_VAR_DIR": str(folder), "EFFEN_DATABASE_URL": f"sqlite:///{folder}/e.db"})

    def file(self, name: str, content: str | bytes) -> str:
        path = self._folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def effen(self, *words: str) -> Result:
        return self._runner.invoke(main, list(words))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    for words in (
        ["creditor", "apply", shell.file("bloem.yml", BLOEM)],
        ["import", "debtors", shell.file("debtors.csv", DEBTORS), "--creditor", "bloem"],
        ["import", "invoices", shell.file("invoices.csv", INVOICES), "--creditor", "bloem"],
    ):
        done = shell.effen(*words)
        assert done.exit_code == 0, done.output
    return shell


@pytest.mark.parametrize("words", [["statement", "import"], ["import", "statement"]], ids=" ".join)
def test_a_statement(shell: Shell, words: list[str]) -> None:
    txs = [Tx(5000, reference=creditor_reference("F-1")), Tx(77), Tx(-10)]
    file = shell.file("camt.xml", one(*txs, version="08"))
    said = [shell.effen(*words, file, "--creditor", "bloem", *more) for more in (["--dry-run"], [], [], ["--dry-run"])]
    assert [each.exit_code for each in said] == [0, 0, 0, 0]
    assert [each.output.splitlines()[-1] for each in said] == [
        "statement: 1 statements, 3 new lines, 0 known; not loaded.",
        "statement: 1 statements, 3 new lines: 1 matched, 0 suggested, 1 unmatched, 1 own debits; 0 duplicates.",
        "statement: known already, 3 lines; nothing changed.",
        "statement: 1 statements, 0 new lines, 3 known; not loaded.",
    ]


@pytest.mark.parametrize(
    ("content", "creditor", "why"),
    [
        (b"a;b", "bloem", "it is no readable XML (line 1)"),
        (written(Stmt([Entry([Tx(1)])], closing=7)), "bloem", "come to €1,000.01, but the closing balance is €0.07"),
        (one(Tx(1)), "nobody", "there is no such creditor"),
    ],
    ids=["no xml", "balance", "nobody"],
)
def test_what_is_refused(shell: Shell, content: bytes, creditor: str, why: str) -> None:
    said = shell.effen("statement", "import", shell.file("camt.xml", content), "--creditor", creditor)
    assert said.exit_code == 1
    assert why in said.output and "Traceback" not in said.output
