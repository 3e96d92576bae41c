"""The scripts behind docs/layers.md and docs/applications.md."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a script of the folder by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ({"bridge": "ok", "prune": "ok, 2 layers to 50%", "int8": "ok"}, "ok"),
        ({"bridge": "ok", "int8": "float by decision: 1 ELU"}, "float by decision"),
        ({"bridge": "error: it is a Lambda"}, "named error"),
        ({"bridge": "ok", "int8": "SILENT FLOAT: 1 ELU in elu"}, "silent float"),
        ({"bridge": "ok", "prune": "BUG TypeError: no", "int8": "error: crashed"}, "bug"),
        ({"bridge": "Keras itself refuses: TypeError: no"}, "not in Keras"),
    ],
)
def test_the_worst_step_is_the_outcome(script: Any, steps: dict[str, str], verdict: str) -> None:
    assert script("keras_layers").outcome({"steps": steps}) == verdict


def test_a_death_of_the_converter_is_an_error_and_any_other_a_death(script: Any, tmp_path: Path) -> None:
    walk = script("keras_layers")
    known = {"name": "GRU", "steps": {"bridge": "ok", "prune": "ok", "keras": "ok", "qat": "ok"}}
    (tmp_path / "GRU.partial").write_text(json.dumps(known), encoding="utf-8")
    walk.write_death(tmp_path, "GRU", "signal SIGSEGV")
    walk.write_death(tmp_path, "Dense", "took more than 60 s")
    found = {name: json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in ("GRU", "Dense")}
    assert found["GRU"]["steps"]["int8"] == "error: the converter crashed with signal SIGSEGV"
    assert found["Dense"]["steps"] == {"bridge": "DIED: took more than 60 s"}


def test_the_table_has_a_row_for_every_layer(script: Any, tmp_path: Path) -> None:
    walk = script("keras_layers")
    steps = {"bridge": "ok", "prune": "ok", "keras": "ok", "qat": "ok", "int8": "float by decision: 1 ELU"}
    found = {"name": "ELU", "steps": steps, "planned": {"elu": "float: no kernel"}, "numbers": {"int8_difference": 0.1}}
    (tmp_path / "ELU.json").write_text(json.dumps(found), encoding="utf-8")
    table = walk.table(["ELU", "Wrapper"], tmp_path)
    assert "| ELU | **float by decision** | ok | ok | ok | ok | float by decision: 1 ELU (10.0%) – elu: float" in table
    assert "| Wrapper | – | | | | | the base class of layers around a layer |" in table


def test_models_that_were_not_tried_yet_are_said_to_be(script: Any, tmp_path: Path) -> None:
    table = script("keras_applications").table(["MobileNet"], tmp_path, 360)
    assert "| MobileNet | not tried |" in table


def test_every_layer_that_is_left_out_exists(script: Any) -> None:
    import keras

    walk = script("keras_layer_cases")
    known = {name for name, value in vars(keras.layers).items() if inspect.isclass(value)}
    assert set(walk.NO_MODEL) <= known
    # On Python 3.10, the newest Keras lacks a few.
    assert len(set(walk.CASES) - known) <= 10


@pytest.mark.tf
@pytest.mark.parametrize("name", ["Conv2D", "GroupNormalization"])
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_a_layer_goes_all_the_way(script: Any, name: str) -> None:
    walk, cases, journey = script("keras_layers"), script("keras_layer_cases"), script("journey")
    case = cases.case_of(name)
    found = journey.travel(name, cases.model_of(case), cases.examples_of(case, journey.EXAMPLES))
    assert found.traces == {}
    assert walk.outcome({"steps": found.steps}) == ("ok" if name == "Conv2D" else "float by decision")
    assert found.numbers["bridge_difference"] < 1e-5
    assert found.numbers["sparsity"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
@pytest.mark.tf
def test_mobilenet_goes_all_the_way(script: Any, tmp_path: Path) -> None:
    walk = script("keras_applications")
    walk.walk(["MobileNetV2"], 32, tmp_path, 1200)
    found = json.loads((tmp_path / "MobileNetV2.json").read_text(encoding="utf-8"))
    assert script("keras_layers").outcome(found) == "ok", found["steps"]
    assert found["float_operators"] == {}
