"""Each operator of a file is timed alone, with the values it gets in the whole file."""

from __future__ import annotations

from pathlib import Path

from tests.support.tflite_files.chain_tflite import chain
from tfopt.backend.bench.operator_times import operator_times


def test_operators_are_listed_in_order_with_what_they_make(tmp_path: Path) -> None:
    times = operator_times(chain(tmp_path / "a.tflite", 256, "TANH", "LOGISTIC"))
    assert [(one.index, one.operator, one.tensor) for one in times] == [
        (0, "FULLY_CONNECTED", "dense/Out"),
        (1, "TANH", "tanh/Out"),
        (2, "LOGISTIC", "logistic/Out"),
    ]
    assert all(one.ms is not None and one.ms > 0 and not one.error for one in times)
