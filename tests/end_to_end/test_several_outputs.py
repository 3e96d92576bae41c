"""A model with two outputs, of Keras 3 and with a dict, from training to files that are judged output by output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfopt
from tfopt.core.records.run import Run
from tfopt.errors import RecipeError

pytestmark = pytest.mark.tf

MODULE = """
import keras
import numpy as np


def data():
    random = np.random.default_rng(0)
    x = random.random((400, 6), dtype=np.float32)
    return x, {"size": x.sum(axis=1), "kind": np.array(["low", "high"])[(x[:, 0] > 0.5).astype(int)]}


def model(input_shape, num_outputs):
    assert num_outputs == {"size": 1, "kind": 2}
    inputs = keras.Input(input_shape, name="row")
    x = keras.layers.Dense(16, activation="relu", name="hidden")(inputs)
    size = keras.layers.Dense(1, name="a_last")(x)
    kind = keras.layers.Dense(2, activation="softmax", name="z_last")(x)
    return keras.Model(inputs, {"size": size, "kind": kind}, name="two")


def both(targets, predictions):
    assert set(targets) == set(predictions) == {"size", "kind"}
    return float(np.mean(predictions["kind"].argmax(-1) == targets["kind"]))
"""
COMPILE: dict[str, Any] = {
    "optimizer": {"name": "adam", "learning_rate": 0.01},
    "loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"},
    "loss_weights": {"size": 0.5},
    "metrics": {"kind": ["accuracy"], "model": ["two_outputs:both"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several_outputs")
    (folder / "two_outputs.py").write_text(MODULE)
    return folder


def document(**changes: Any) -> dict[str, Any]:
    return {
        "name": "two",
        "data": {"source": "two_outputs:data", "batch_size": 32, "splits": {"validation": "10%", "test": "25%"}},
        "model": {"source": "two_outputs:model"},
        "compile": COMPILE,
        "stages": [{"train": {"epochs": 6, "early_stopping": {"monitor": "val_kind_accuracy", "patience": 6}}}],
        **changes,
    }


def recipe(folder: Path, **changes: Any) -> Any:
    import yaml

    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(document(**changes), sort_keys=False))
    return tfopt.load(path)


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    stages = [
        *document()["stages"],
        {"distill": {"epochs": 1, "teacher": {"stage": "train"}, "class_weights": {"kind": "balanced"}}},
        {"prune": {"epochs": 2, "schedule": {"kind": "one_shot", "final": "50%"}}},
        {"qat": {"epochs": 1}},
    ]
    export = {"keras": {}, "tflite": {"float32": {}, "int8": {"quantize": "int8"}}}
    budgets = {"int8.kind_accuracy": "50%", "int8.size_relative_error": "90%"}
    return tfopt.run(recipe(folder, stages=stages, export=export, budgets=budgets), out=folder / "out")


def test_every_stage_measures_each_output(run: Run) -> None:
    names = {"loss", "kind_loss", "size_loss", "kind_accuracy", "size_mae", "both"}
    for stage in run.report.stages:
        assert names <= stage.measures.keys()
        assert np.isclose(stage.measures["loss"], stage.measures["kind_loss"] + 0.5 * stage.measures["size_loss"])
        assert np.isclose(stage.measures["both"], stage.measures["kind_accuracy"])
    assert {"val_kind_accuracy", "size_loss"} <= run.report.stages[0].history[-1].keys()
    assert {"kind_soft_loss", "size_soft_loss"} <= run.report.stages[1].history[-1].keys()
    assert run.report.metric == "kind_accuracy"
    assert run.report.stages[0].measures["kind_accuracy"] > 0.7


def test_files_are_judged_output_by_output(run: Run) -> None:
    for export in run.report.exports:
        assert not export.error
        assert {"kind_accuracy", "size_mae", "kind_agreement", "size_relative_error", "both"} <= export.measures.keys()
        same = [claim.claim for claim in export.claims if claim.code == "same_outputs"]
        assert len(same) == 2
    whole = run.export("float32").measures
    assert whole["kind_agreement"] == 1
    assert whole["size_relative_error"] < 1e-3
    int8 = run.export("int8")
    assert {"kind_within_quantum", "size_within_quantum"} <= int8.measures.keys()
    assert int8.audit is not None
    assert sorted(port.shape[-1] for port in int8.audit.outputs if port.shape) == [1, 2]
    assert all(budget.met for budget in run.report.budgets)


def test_the_keras_file_returns_the_dict_of_the_model(run: Run) -> None:
    import keras

    outputs: Mapping[str, Any] = keras.models.load_model(run.folder / "export" / "model.keras")(np.zeros((1, 6)))
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {"size": (1, 1), "kind": (1, 2)}


def test_weights_of_classes_that_are_not_there_are_refused_before_training(folder: Path) -> None:
    later = {"distill": {"epochs": 1, "teacher": {"stage": "train"}, "class_weights": {"kind": {0: 1, 9: 2}}}}
    with pytest.raises(RecipeError, match=r"distill\.class_weights\.kind names class 9, but the labels go from 0 to "):
        tfopt.plan(recipe(folder, stages=[*document()["stages"], later]))


def test_rates_that_a_later_stage_never_reaches_are_refused_before_training(folder: Path) -> None:
    rate = {"kind": "cosine", "initial": 0.01, "warmup": "900 steps"}
    later = {"prune": {"epochs": 1, "schedule": {"kind": "one_shot", "final": "50%"}, "learning_rate": rate}}
    with pytest.raises(RecipeError, match=r"prune\.learning_rate\.warmup is 900 steps, but the stage has only"):
        tfopt.plan(recipe(folder, stages=[*document()["stages"], later]))
    optimizer = {**COMPILE, "optimizer": {"name": "adam", "learning_rate": rate}}
    with pytest.raises(RecipeError, match=r"compile\.optimizer\.learning_rate\.warmup, in stage train, is 900 steps"):
        tfopt.plan(recipe(folder, compile=optimizer))


def test_an_ensemble_joins_each_output(folder: Path) -> None:
    stages = [*document()["stages"], {"ensemble": {"seeds": 2, "combine": "logits", "weights": "learned"}}]
    export = {"keras": {}, "tflite": {"float32": {}, "int8": {"quantize": "int8"}}}
    run = tfopt.run(recipe(folder, stages=[*stages, {"qat": {"epochs": 1}}], export=export), out=folder / "joined")
    assert run.ok, run.report
    train, joined, _ = run.report.stages
    assert {"kind_accuracy", "size_mae"} <= joined.measures.keys()
    assert joined.measures["size_loss"] < 1.2 * train.measures["size_loss"]
    assert sum(joined.details["members"].values()) == pytest.approx(1)
    assert all(claim.held for export in run.report.exports for claim in export.claims)
    whole = run.export("float32").measures
    assert whole["kind_agreement"] == 1
    import keras

    outputs = keras.models.load_model(run.folder / "export" / "model.keras")(np.zeros((1, 6)))
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {"size": (1, 1), "kind": (1, 2)}


def test_an_ensemble_that_keras_3_has_no_layer_for_is_written_for_tf_keras_and_said_so(folder: Path) -> None:
    stages = [*document()["stages"], {"ensemble": {"seeds": 2, "combine": "vote"}}]
    warnings = tfopt.plan(recipe(folder, stages=stages, export={"keras": {}})).warnings
    assert [one for one in warnings if "export.keras writes a file of tf_keras" in one and "(Vote)" in one]
    assert not [one for one in tfopt.plan(recipe(folder, stages=stages)).warnings if "export.keras" in one]
