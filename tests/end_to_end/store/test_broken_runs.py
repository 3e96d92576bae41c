"""What only shows once data and model are there: one clear error, the right exit code, no traceback, nothing lost."""

from __future__ import annotations

import errno
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tfopt
from tfopt.cli.main import main

pytestmark = pytest.mark.tf

BASE: dict[str, Any] = {
    "name": "broken",
    "seed": 1,
    "data": {"source": "digits", "batch_size": 128},
    "model": {"source": "mlp", "args": {"units": [16]}},
    "stages": [{"train": {"epochs": 1}}],
    "export": {"tflite": {"float32": {}}},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **changes: Any) -> Path:
    from ruamel.yaml import YAML

    path = folder / "recipe.yaml"
    with path.open("w") as file:
        YAML().dump({**BASE, **changes}, file)
    return path


def run(path: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["run", str(path), *arguments])
    assert "Traceback" not in result.output
    return result


def code(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return name


def pruned(**changes: Any) -> list[dict[str, Any]]:
    return [{"prune": {"epochs": 1, "schedule": {"kind": "constant", "final": "50%"}, **changes}}]


def schedule(**changes: Any) -> list[dict[str, Any]]:
    return pruned(schedule={"kind": "polynomial", "final": "50%", **changes})


@pytest.mark.parametrize(
    ("changes", "exit_code", "message"),
    [
        ({"stages": schedule(begin="50 steps", end="60 steps")}, 3, "pruning would never begin"),
        ({"stages": schedule(end="500 steps")}, 3, "would never be reached"),
        ({"stages": schedule(every="100 steps")}, 3, "the masks would never be updated"),
        ({"stages": pruned(layers=[{"match": "convv.*", "skip": True}])}, 3, "matches no layer"),
        ({"stages": pruned(layers=[{"match": ".*", "skip": True}])}, 3, "leave no layer to prune"),
        ({"stages": pruned(layers=[{"type": "Conv2D", "skip": True}])}, 3, "matches no layer"),
        ({"model": {"source": "nowhere.at_all:build"}}, 5, "nowhere"),
        ({"model": {"source": "math:no_such_function"}}, 5, "no_such_function"),
        ({"data": {"source": "math:sqrt", "args": {}}}, 5, "sqrt"),
        ({"compile": {"loss": "mse", "metrics": ["mae"]}}, 5, "sparse_categorical_crossentropy"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_data_and_model_do_not_allow(folder: Path, changes: dict[str, Any], exit_code: int, message: str) -> None:
    result = run(write(folder, **changes))
    assert message in result.output
    assert result.exit_code == exit_code


DATA = {
    "empty": ("np.zeros((0, 4), 'float32'), np.zeros(0, 'int64')", "empty"),
    "lengths": ("np.zeros((10, 4), 'float32'), np.zeros(9, 'int64')", "9"),
    "not_finite": ("np.full((50, 4), np.nan, 'float32'), np.zeros(50, 'int64')", "NaN"),
    "labels": ("np.zeros((50, 4), 'float32'), np.full(50, -1)", "-1"),
}


@pytest.mark.parametrize("name", DATA)
def test_data_that_cannot_be_learned_from(folder: Path, name: str) -> None:
    arrays, message = DATA[name]
    code(folder, f"data_{name}", f"import numpy as np\ndef load():\n    return {arrays}\n")
    result = run(write(folder, data={"source": f"data_{name}:load"}))
    assert message.lower() in result.output.lower()
    assert result.exit_code == 5


def test_more_classes_than_outputs(folder: Path) -> None:
    code(
        folder,
        "narrow",
        """
        import tf_keras

        def build():
            return tf_keras.Sequential([
                tf_keras.layers.Input((8, 8, 1)), tf_keras.layers.Flatten(),
                tf_keras.layers.Dense(5, activation="softmax", name="five"),
            ])
        """,
    )
    result = run(write(folder, model={"source": "narrow:build"}))
    assert result.exit_code == 5
    assert "5 outputs" in result.output


def test_a_loss_that_is_no_number_stops_the_stage_and_keeps_what_was_finished(folder: Path) -> None:
    stages = [{"train": {"epochs": 1}}, {"train": {"epochs": 2, "learning_rate": 1e38}}]
    path = write(folder, stages=stages)
    result = run(path)
    assert result.exit_code == 5
    assert "train_2" in result.output
    assert "learning" in result.output
    failed = tfopt.show(next((folder / "saved_models" / "broken").glob("2*")))
    assert (failed.report.run.state, failed.report.run.error_code) == ("failed", "loss_not_finite")
    assert [stage.name for stage in failed.report.stages] == ["train"]
    mended = tfopt.run(write(folder, stages=[stages[0], {"train": {"epochs": 1}}]))
    assert [stage.cached for stage in mended.report.stages] == [True, False]


def test_a_full_disk_at_export_keeps_the_stages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., None] = os.replace

    def full(source: Any, target: Any, **rest: Any) -> None:
        if str(target).endswith(".tflite"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target, **rest)

    path = write(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        result = run(path)
    assert result.exit_code == 5
    assert "No space left on device" in result.output
    again = tfopt.run(path)
    assert [stage.cached for stage in again.report.stages] == [True]
    assert again.ok


def test_one_failing_export_costs_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfopt.backend.export import tflite_run
    from tfopt.backend.export.keras_files import keras

    def refusing(*arguments: Any) -> Any:
        raise TypeError("a layer without get_config")

    def unmeasurable(file: Any, *arguments: Any) -> Any:
        if file.stem == "float16":
            raise RuntimeError
        return run_of_file(file, *arguments)

    run_of_file = tflite_run.run
    monkeypatch.setattr(keras, "_write_tf_keras", refusing)
    monkeypatch.setattr("tfopt.backend.export.tflite.run", unmeasurable)
    export = {"keras": {}, "saved_model": {}, "tflite": {"float32": {}, "float16": {"quantize": "float16"}}}
    result = run(write(folder, export=export))
    assert result.exit_code == 7
    assert "keras could not be exported" in result.output
    report = tfopt.show("broken").report
    records = {record.name: record for record in report.exports}
    assert (records["keras"].error_code, records["keras"].bytes) == ("export_failed", 0)
    assert records["keras"].error == "TypeError: a layer without get_config"
    broken_codes = {name: [claim.code for claim in r.claims if not claim.held] for name, r in records.items()}
    assert broken_codes == {
        "keras": ["written"],
        "saved_model": [],
        "float32": [],
        "float16": ["runs_on_kernels", "same_outputs"],
    }
    assert (folder / "saved_models" / "broken" / "latest" / "export" / "float32.tflite").is_file()
    assert "latency_ms" in records["float32"].measures


def test_a_file_where_the_output_folder_should_be(folder: Path) -> None:
    (folder / "taken").write_text("")
    result = run(write(folder), "--out", "taken")
    assert result.exit_code == 6
    assert "taken" in result.output


def test_a_budget_that_is_not_met_is_exit_code_7_and_said_in_words(folder: Path) -> None:
    result = run(write(folder, budgets={"float32.bytes": "1 kB"}))
    assert result.exit_code == 7
    assert "float32.bytes" in result.output
    assert "cannot be met" in result.output


def test_a_test_split_that_is_poisoned_changes_nothing_but_the_figures(folder: Path) -> None:
    """The test split is never seen by training, early stopping or calibration."""
    code(
        folder,
        "poisoned",
        """
        import numpy as np
        from sklearn.datasets import load_digits

        def load(poison=False):
            images, labels = load_digits(return_X_y=True)
            images = (images / 16).astype("float32")
            train, test = (images[:1400], labels[:1400]), (images[1400:], labels[1400:])
            if poison:
                test = (np.full_like(test[0], 1e6), np.zeros_like(test[1]))
            return train, test
        """,
    )
    stages = [
        {"train": {"epochs": 3, "early_stopping": {"patience": 1}}},
        {"qat": {"epochs": 1}},
    ]
    export = {"tflite": {"int8": {"quantize": "int8", "agreement": "0%"}}}
    files = []
    for poison in (False, True):
        path = write(
            folder,
            data={"source": "poisoned:load", "args": {"poison": poison}, "batch_size": 128},
            stages=stages,
            export=export,
        )
        files.append(tfopt.run(path, out=folder / f"out_{poison}").path("int8").read_bytes())
    assert files[0] == files[1]
