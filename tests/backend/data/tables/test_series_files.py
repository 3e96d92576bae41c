"""Series of .csv files: windows in the order of time, anomalies, targets, and files that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfopt.backend.data.load import Data, load
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError


def loaded(path: Path, targets: str = "inputs", **args: Any) -> Data:
    return load(DataConfig.model_validate({"source": str(path), "args": args, "targets": targets}))


def write(path: Path, rows: int = 100, **changes: str) -> Path:
    """A series of `rows` moments; `changes` are cells by `COLUMN_ROW`."""
    lines = ["time,value,load,odd"]
    for row in range(rows):
        cells = {"time": f"2026-01-01 {row // 60:02d}:{row % 60:02d}:00", "value": str(row), "load": "5", "odd": "0"}
        for name in cells:
            cells[name] = changes.get(f"{name}_{row}", cells[name])
        lines.append(",".join(cells.values()))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_windows_are_in_the_order_of_time_and_cross_no_border(tmp_path: Path) -> None:
    data = loaded(write(tmp_path / "s.csv"), window=8, stride=2, columns=["value", "load"], time="time")
    assert data.input_shape == (8, 2)
    mean, std = 34.5, np.arange(70).std()
    rows = {
        name: np.round(split.inputs[..., 0] * std + mean)
        for name, split in (("train", data.train), ("validation", data.validation), ("test", data.test))
    }
    assert (rows["train"][0, 0], rows["train"][-1, -1]) == (0, 69)
    assert (rows["validation"].min(), rows["validation"].max()) == (70, 79)
    assert (rows["test"].min(), rows["test"].max()) == (80, 99)
    assert (np.diff(rows["test"], axis=1) == 1).all()
    # A column that never changes is not divided by zero.
    assert (data.test.inputs[..., 1] == 0).all()
    assert data.preprocessing is not None
    content = json.loads(data.preprocessing.files["series.json"])
    assert content["columns"] == ["value", "load"]
    assert content["mean"] == [mean, 5]
    assert data.raw is not None
    assert np.allclose(data.raw.undone(data.test.inputs[0])[:, 0], np.arange(80, 88))


def test_training_is_without_anomalies(tmp_path: Path) -> None:
    anomalies = {f"odd_{row}": "1" for row in (20, 21, 90)}
    data = loaded(write(tmp_path / "s.csv", **anomalies), window=5, columns=["value"], anomaly="odd")
    assert len(data.train) == 66 - 6
    assert data.test.anomalies is not None
    assert data.test.anomalies.sum() == 5
    assert data.train.anomalies is None
    assert data.fingerprint != loaded(write(tmp_path / "s.csv"), window=5, columns=["value"]).fingerprint


def test_a_target_comes_after_its_window(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv")
    data = loaded(path, "labels", window=6, columns=["value"], target="value", horizon=3, quantity=True)
    assert data.train.targets[0, 0] == 8
    assert data.num_classes is None
    assert loaded(path, "labels", window=6, columns=["value"], target="odd").num_classes == 1
    with pytest.raises(StageError, match=r"there is no args\.target"):
        loaded(path, window=6, horizon=3)
    with pytest.raises(StageError, match="there are no targets"):
        loaded(path, "labels", window=6, columns=["value"])


def test_a_folder_of_series(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.csv")
    data = loaded(tmp_path, window=10, columns=["value"], stride=10)
    assert (len(data.train), len(data.validation), len(data.test)) == (14, 2, 4)
    (tmp_path / "c.csv").write_text("time,other\n1,2\n", encoding="utf-8")
    with pytest.raises(StageError, match="there is no column 'value'"):
        loaded(tmp_path, window=10, columns=["value"])


@pytest.mark.parametrize(
    ("changes", "args", "match"),
    [
        ({"value_7": "NaN"}, {}, r"s\.csv:9: the value of 'value' is missing \('NaN'\)"),
        ({"value_7": ""}, {}, r"s\.csv:9: the value of 'value' is missing"),
        ({"value_7": "inf"}, {}, r"'value' is inf in row 8; 1 value of the series is NaN or infinite"),
        ({"value_7": "high"}, {}, r"s\.csv:9: 'value' is 'high', not a number"),
        ({"time_7": "2025-01-01 00:00:00"}, {"time": "time"}, r"s\.csv:9: 'time' goes back, from 2026-01-01 00:06:00"),
        ({"time_7": "noon"}, {"time": "time"}, "the times in 'time' cannot be compared: Invalid isoformat string"),
        ({"time_7": "2025-01-01 00:00:00+01:00"}, {"time": "time"}, "cannot be compared: can't compare offset"),
        ({"odd_7": "2"}, {"anomaly": "odd"}, r"s\.csv:9: 'odd' is 2; expected 0 or 1"),
        ({}, {"window": 30}, "has 100 rows, of which 10 are for validation; a window takes 30"),
        ({}, {"window": 1}, "args.window must be a whole number of at least 2. Got 1"),
        ({}, {"stride": 0}, "args.stride must be a whole number of at least 1"),
        ({}, {"columns": ["valu"]}, "no column 'valu'. Did you mean 'value'"),
        ({}, {"columns": None}, r"'time' is '2026-01-01 00:00:00', not a number.*leave 'time' out"),
    ],
)
def test_files_that_cannot_be_used(changes: dict[str, str], args: dict[str, Any], match: str, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=match):
        loaded(write(tmp_path / "s.csv", **changes), **{"window": 8, "columns": ["value"], **args})
