"""What a value is in a file: raw, and never a formula that a spreadsheet would run."""

from datetime import datetime, timezone

import pytest
from satmachineclient.reports import files

CELLS: list[tuple[object, str]] = [
    (None, ""),
    (True, "true"),
    (150, "150"),
    ("150.00", "150.00"),
    ("0.50", "0.50"),
    ("0", "0"),
    ("007", "'007"),  # no amount begins so
    ("12345678901234567890", "'12345678901234567890"),
    (12345678901234567890, "12345678901234567890"),  # a sum, to be added up
    ("12e5", "'12e5"),
    ("1.5E-7", "'1.5E-7"),
    ("12e5f", "12e5f"),
    ("-150.00", "-150.00"),  # a number below zero is no formula
    ("Ana", "Ana"),
    ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
    ("+1+1", "'+1+1"),
    ("-1+1", "'-1+1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    (datetime(2026, 3, 2, 12, tzinfo=timezone.utc), "2026-03-02T12:00:00+00:00"),
    ({"error": "jam"}, '{"error": "jam"}'),
]


@pytest.mark.parametrize(("value", "cell"), CELLS, ids=[repr(value) for value, _ in CELLS])
def test_a_cell(value: object, cell: str) -> None:
    assert files.cell(value) == cell


def test_a_file_has_its_columns_in_order_and_quotes_what_needs_it() -> None:
    records: list[files.Record] = [
        {"notes": 'two\nlines, and a "quote"', "amount": "1.50", "more": "left out"},
        {"notes": None, "amount": "-2", "more": ""},
    ]
    text = files.csv_of(["amount", "notes"], records)
    assert text.lstrip("\ufeff").replace("\r\n", "\n") == (
        'amount,notes\n1.50,"two\nlines, and a ""quote"""\n-2,\n'
    )
