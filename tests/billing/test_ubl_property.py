"""Invoices and credit notes of any shape: right sums are taken, a cent more or less never, and no cent gets lost."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import strategies as st

from billing.imports import ubl
from core.errors import BadInput
from tests.billing.drawn import drawn
from tests.billing.house import BLOEM, House
from tests.billing.test_ubl import open_on, put
from tests.billing.ubl_files import File, Row

_RATE = st.sampled_from(["0", "6", "9", "12", "21"])
_PRICE = st.decimals("0.001", "5000", places=3).map(str)
_QUANTITY = st.decimals("0.01", "99", places=2).map(str)
_ROW = st.builds(Row, st.just("Plant"), _PRICE, _QUANTITY, rate=_RATE)
_EXTRA = st.builds(Row, st.just("Kosten"), st.decimals("0.01", "50", places=2).map(str), rate=_RATE)
_FILE = st.builds(
    File,
    rows=st.lists(_ROW, min_size=1, max_size=6),
    extras=st.lists(_EXTRA, max_size=2),
    prepaid=st.sampled_from(["0", "0.01"]),
    rounding=st.sampled_from(["0", "0.02"]),
)
_SUMS = ["LineExtension", "TaxExclusive", "TaxInclusive", "Payable", "ChargeTotal", "AllowanceTotal"]


def test_sums_are_right_or_refused() -> None:
    for file, name, off in drawn(st.tuples(_FILE, st.sampled_from(_SUMS), st.sampled_from(["0.01", "-0.01"])), 60):
        totals = ubl.read(file.xml()).totals
        assert totals.payable.minor == file.payable
        assert totals.gross.minor == totals.net.minor + totals.tax.minor
        # The totals stand at the end: the last one of its name before the lines.
        head, mark, rest = file.xml().decode().partition("<cac:LegalMonetaryTotal>")
        before, found, after = rest.partition(f'{name}Amount currencyID="EUR">')
        stated, closing, tail = after.partition("<")
        with pytest.raises(BadInput, match="BR-CO-1"):
            ubl.read(f"{head}{mark}{before}{found}{Decimal(stated) + Decimal(off)}{closing}{tail}".encode())


_NOTES = st.lists(st.tuples(st.sampled_from(["note", "pay", "again"]), st.integers(1, 4_000)), min_size=1, max_size=8)


async def test_credit_notes_and_payments_in_any_order(house: House) -> None:
    invoiced = replace(File(), rows=[Row("Plant", "60.00", rate="0")])
    for run, steps in enumerate(drawn(_NOTES, 25)):
        number, before = f"P-{run}", await house.accounts()
        await put(house, replace(invoiced, number=number, customer=f"K{run}"))
        key = (await house.invoices.by_number(BLOEM.key, number)).id  # type: ignore[arg-type, union-attr]
        credited = paid = 0
        notes: list[File] = []
        for step, (what, minor) in enumerate(steps):
            if what == "note":
                row = Row("Terug", f"{Decimal(minor) / 100}", rate="0")
                refers = [number]
                notes.append(File(f"N-{run}-{step}", [row], True, refers, customer=f"K{run}"))
                assert (await put(house, notes[-1])).loaded == 1
                credited += minor
            elif what == "again" and notes:
                assert (await put(house, notes[minor % len(notes)])).unchanged == 1
            elif part := min(minor, await open_on(house, number)):
                await house.paid_elsewhere(key, part, f"bank:{run}:{step}")
                paid += part
            assert await open_on(house, number) >= 0
        after = {name: total - before.get(name, 0) for name, total in (await house.accounts()).items()}
        assert sum(after.values()) == 0
        assert after["revenue"] == credited - 6_000
        owed = after["receivable"] + after.get("credit", 0)
        assert owed == 6_000 - credited - paid
        assert after["receivable"] == await open_on(house, number)
