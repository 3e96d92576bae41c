"""A comparison in the terminal, and as CSV."""

from __future__ import annotations

import csv
import io
import re

from tests.support.console import printed
from tfopt.core.sweeps.comparison import COLUMNS, Comparison
from tfopt.report.comparison.text import comparison_csv, comparison_text


def test_the_text_has_the_table_the_front_and_the_verdicts(table: Comparison) -> None:
    text = printed(comparison_text(table, table.rows, 130), 130)
    assert re.search(r"●  polynomial final=80% +polynomial +80\.0% +97\.\d% ± 0\.\d%", text)
    assert "Pareto front" in text
    assert "At 90% sparsity, polynomial has the highest accuracy" in " ".join(text.split())
    assert "allocation" not in text


def test_csv_has_every_column_with_all_digits(table: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(table.rows))))
    assert list(rows[0]) == list(COLUMNS)
    assert float(rows[0]["metric"]) == table.rows[0].metric
    assert rows[0]["seeds"] == "7 8 9"
