"""The README's promise: one recipe, from data to a proven TFLite file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import tfopt
from tests.end_to_end.conftest import FIRST_RECIPE
from tfopt.core.records.run import Run
from tfopt.io.runs.journal import read_events

pytestmark = pytest.mark.tf


def test_every_claim_holds_and_every_budget_is_met(first_run: Run) -> None:
    broken = [(e.name, c.claim, c.found) for e in first_run.report.exports for c in e.claims if not c.held]
    assert broken == []
    assert [budget.name for budget in first_run.report.budgets if not budget.met] == []
    assert first_run.ok
    assert first_run.exit_code == 0


def test_report_json_keeps_its_contract(first_run: Run, first_out: Path) -> None:
    written = json.loads((first_out / "digits-prune-qat" / "latest" / "report.json").read_text())
    jsonschema.validate(written, tfopt.schema("report"))
    assert written["schema"] == 1
    assert written["run"]["state"] == "done"
    assert [stage["name"] for stage in written["stages"]] == ["train", "prune", "qat"]
    assert [export["name"] for export in written["exports"]] == [
        "saved_model", "keras", "float32", "float16", "dynamic", "int8",
    ]  # fmt: skip
    assert set(written["environment"]) >= {
        "python",
        "tensorflow",
        "tf_keras",
        "keras",
        "tfmot",
        "litert",
        "cpu",
        "threads",
    }


def test_the_int8_file_is_integer_sparse_and_accurate(first_run: Run) -> None:
    record = first_run.export("int8")
    assert record.audit is not None
    assert record.audit.float_operators == {}
    assert {port.dtype for port in [*record.audit.inputs, *record.audit.outputs]} == {"int8"}
    pruned = {layer.name for layer in first_run.report.stages[1].layers if layer.skipped is None}
    weights = [tensor for tensor in record.audit.tensors if tensor.role == "weight"]
    assert {tensor.layer for tensor in weights} >= pruned
    assert all(tensor.sparsity >= 0.79 for tensor in weights if tensor.layer in pruned)
    dense = first_run.report.stages[0].measures["accuracy"]
    assert dense >= 0.8
    assert record.measures["accuracy"] >= dense - 0.05
    assert record.measures["accuracy_drop"] == pytest.approx(dense - record.measures["accuracy"])


def test_smaller_kinds_of_files_are_smaller(first_run: Run) -> None:
    sizes = {record.name: record.bytes for record in first_run.report.exports}
    assert sizes["int8"] < sizes["float16"] < sizes["float32"]
    zipped = {record.name: record.gzip_bytes for record in first_run.report.exports}
    assert zipped["float32"] < 0.6 * sizes["float32"]


def test_the_saved_model_serves_the_same_answers(first_run: Run) -> None:
    import tensorflow as tf

    from tfopt.backend.data import load as data

    images = data.load(tfopt.load(FIRST_RECIPE).data).test.inputs
    loaded = tf.saved_model.load(str(first_run.path("saved_model")))
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    (served,) = serve(**{name: tf.constant(images)}).values()
    import tf_keras

    kept = tf_keras.models.load_model(first_run.path("keras")).predict(images, verbose=0)
    np.testing.assert_allclose(served.numpy(), kept, atol=1e-5)


def test_the_run_folder_holds_all_that_the_design_promises(first_run: Run) -> None:
    for name in (
        "recipe.yaml",
        "report.json",
        "report.html",
        "events.jsonl",
        "export/int8.tflite",
        "export/model.keras",
    ):
        assert (first_run.folder / name).is_file(), name
    assert list((first_run.folder / "figures").glob("*.svg"))
    events = read_events(first_run.folder / "events.jsonl")
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert sum(event["event"] == "epoch" for event in events) == 30
    assert tfopt.load(first_run.folder / "recipe.yaml") == tfopt.load(FIRST_RECIPE)


def test_a_second_run_gives_back_the_first(first_run: Run, first_out: Path) -> None:
    heard: list[str] = []
    second = tfopt.run(FIRST_RECIPE, out=first_out, on_event=lambda event: heard.append(event["event"]))
    assert second.folder.samefile(first_run.folder)
    assert heard == ["run_reused"]


@pytest.mark.slow  # in CI: test_chains.py, the numbers of an unbroken run and of one that was killed
def test_the_same_recipe_and_seed_give_the_same_numbers_without_the_store(first_run: Run, tmp_path: Path) -> None:
    again = tfopt.run(FIRST_RECIPE, out=tmp_path)
    assert [stage.cached for stage in again.report.stages] == [False, False, False]
    assert numbers(again) == numbers(first_run)


@pytest.mark.slow  # in CI: test_models_from_elsewhere.py, and test_recipes.py with an ensemble as teacher
def test_a_small_student_is_distilled_from_it(first_run: Run, first_out: Path) -> None:
    """The recipe `distill_digits`, whose teacher is this run: nothing of it is trained again."""
    short = {"stages.distill.epochs": 15, "stages.qat.epochs": 2, "budgets": {}}
    begun: list[tuple[str, bool]] = []

    def listen(event: Mapping[str, Any]) -> None:
        if event["event"] == "stage_started":
            begun.append((event["stage"], event["cached"]))

    recipe = tfopt.load(FIRST_RECIPE.parent / "distill_digits.yaml").with_overrides(short)
    run = tfopt.run(recipe, out=first_out, on_event=listen)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.report.exports[-1].measures["accuracy"] >= 0.8
    assert [stage for stage, cached in begun if not cached] == ["distill", "qat"]


def numbers(run: Run) -> dict[str, object]:
    """Everything in a report that does not depend on the clock, nor on the memory of the system."""
    timed = ("latency_ms", "latency_ms_p10", "latency_ms_p90", "cold_start_ms", "peak_memory")
    of_the_clock = {"seconds": True, "cached": True, "history": True, "details": {"teacher": {"seconds_of_one_pass"}}}
    stages = [stage.model_dump(exclude=of_the_clock) for stage in run.report.stages]
    history = [
        [{key: value for key, value in entry.items() if key != "seconds"} for entry in stage.history]
        for stage in run.report.stages
    ]
    exports = [record.model_dump() for record in run.report.exports]
    for record in exports:
        record["measures"] = {key: value for key, value in record["measures"].items() if key not in timed}
    return {"stages": stages, "history": history, "exports": exports}
