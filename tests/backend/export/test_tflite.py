"""`.tflite` files of one pruned model: their contents, outputs and records."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.contexts import export_context
from tests.support.digits import digits
from tests.support.exporting import VARIANTS, Exported, StandIn
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.export import files as export_files
from tfopt.backend.export import tflite
from tfopt.core.claims.kernels import RuntimeCheck
from tfopt.core.claims.tflite import tflite_claims
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import BeforeQuantizing
from tfopt.errors import ExportError

pytestmark = pytest.mark.tf


def test_every_variant_holds_every_claim(exported: Exported) -> None:
    broken = {
        (name, claim.claim): claim.found for name, r in exported.records.items() for claim in r.claims if not claim.held
    }
    assert broken == {}
    assert list(exported.records) == list(VARIANTS)


def test_records_measure_the_file_on_the_whole_test_split(exported: Exported) -> None:
    for name, record in exported.records.items():
        assert record.bytes == exported.file(name).stat().st_size
        assert 0 < record.gzip_bytes < record.bytes
        assert record.path == f"export/{name}.tflite"
        assert record.measures["accuracy"] > 0.5
        assert record.measures["accuracy_drop"] == pytest.approx(0.99 - record.measures["accuracy"])
        assert record.measures["agreement"] >= VARIANTS[name].least_agreement()
        assert record.measures["latency_ms_p10"] <= record.measures["latency_ms"] <= record.measures["latency_ms_p90"]


def test_the_files_have_the_sizes_of_their_kinds(exported: Exported) -> None:
    size = {name: record.bytes for name, record in exported.records.items()}
    assert size["int8"] < 0.4 * size["float32"]
    assert size["float16"] < 0.6 * size["float32"]
    assert size["sparse"] < 0.6 * size["float32"]
    assert exported.records["float32"].gzip_bytes < 0.5 * size["float32"]


@pytest.mark.parametrize(("name", "dtype"), [("int8", "int8"), ("uint8", "uint8"), ("float_io", "float32")])
def test_int8_files_compute_in_integers_and_differ_at_their_ports(exported: Exported, name: str, dtype: str) -> None:
    audit = exported.records[name].audit
    assert audit is not None
    assert audit.float_operators == {}
    assert [(port.name, port.dtype) for port in audit.inputs] == [("image", dtype)]
    assert [(port.name, port.dtype) for port in audit.outputs] == [("digit", dtype)]
    assert audit.operators.get("DEQUANTIZE", 0) == (1 if dtype == "float32" else 0)


def test_sparsity_survives_into_every_file(exported: Exported) -> None:
    for record in exported.records.values():
        assert record.audit is not None
        for layer in ("stem", "hidden"):
            (kernel,) = [t for t in record.audit.tensors if t.layer == layer and t.role == "weight"]
            assert kernel.sparsity >= 0.745


def test_progress_names_every_file_when_it_begins_and_ends(exported: Exported) -> None:
    for kind in ("export_started", "export_finished"):
        assert [event["export"] for event in exported.events if event["event"] == kind] == list(VARIANTS)
    assert all(event["held"] for event in exported.events if event["event"] == "export_finished")


def test_nothing_but_the_files_is_left_in_the_folder(exported: Exported) -> None:
    assert sorted(path.name for path in exported.context.folder.iterdir()) == sorted(
        f"{name}.tflite" for name in VARIANTS
    )


def test_a_float_file_presented_as_int8_is_caught(exported: Exported, tmp_path: Path) -> None:
    lie = tmp_path / "int8.tflite"
    lie.write_bytes(exported.file("float32").read_bytes())
    audit = audit_tflite(lie, tflite.layer_names(exported.model))
    claims = tflite_claims(VARIANTS["int8"], frozenset(), (), audit, RuntimeCheck())
    found = {claim.claim: claim.found for claim in claims if not claim.held}
    only = found["int8 only: no operator computes in float"]
    assert "1 CONV_2D, 1 DEPTHWISE_CONV_2D, 2 FULLY_CONNECTED" in only
    assert "in layers stem, depth, flat, hidden, digit" in only
    assert "(layer hidden) is float32" in found["weights are int8"]
    assert "input 'image' is float32" in found["inputs and outputs are int8"]


def test_a_report_says_how_ranges_were_calibrated(exported: Exported) -> None:
    details = exported.records["equalized"].details
    assert all(claim.held for claim in exported.records["equalized"].claims)
    assert (details["calibration"], details["calibrated_with"]) == (64, "select balanced, range mse, equalized")
    assert details["rewritten"] == ["stem -> depth", "depth -> hidden", "hidden -> digit"]
    assert exported.file("equalized").read_bytes() != exported.file("float_io").read_bytes()
    assert not {"calibrated_with", "rewritten"} & {*exported.records["int8"].details}


def test_a_file_whose_sparsity_was_destroyed_is_caught(exported: Exported, tmp_path: Path) -> None:
    import tf_keras

    trained_on = tf_keras.models.clone_model(exported.model)
    trained_on.set_weights(exported.model.get_weights())
    kernel, bias = trained_on.get_layer("hidden").get_weights()
    trained_on.get_layer("hidden").set_weights([kernel + np.float32(0.01), bias])
    before = exported.context
    context = export_context(tmp_path / "export", before.data, traits=before.traits, layers=before.layers)
    (record,) = tflite.export(trained_on, {"float32": Variant()}, context)
    (claim,) = [claim for claim in record.claims if "sparsity" in claim.claim]
    assert not claim.held
    assert "layer hidden: 75" in claim.found
    assert "0.00% in the file (tensor 'net/hidden/MatMul')" in claim.found
    assert "stem" not in claim.found


def test_the_quantization_aware_model_becomes_the_int8_file_and_the_float_model_the_others(
    exported: Exported, tmp_path: Path
) -> None:
    import tensorflow_model_optimization as tfmot

    aware = tfmot.quantization.keras.quantize_model(exported.model)
    data = exported.context.data
    aware.compile("adam", "sparse_categorical_crossentropy")
    aware.fit(data.train.inputs, data.train.targets, epochs=1, batch_size=16, verbose=0)
    before = BeforeQuantizing("qat", lambda: exported.model)
    context = export_context(tmp_path / "export", data, before_quantizing=before)
    variants = {
        "float32": Variant(),
        "int8": VARIANTS["int8"],
        "ptq": VARIANTS["int8"].model_copy(update={"ptq": True}),
    }
    plain, int8, ptq = tflite.export(StandIn(aware, exported.model), variants, context)
    assert (ptq.details["converted_from"], ptq.details["without_stage"]) == ("float", "qat")
    assert ptq.simulation is None
    assert all(claim.held for claim in ptq.claims)
    assert exported.file("int8").read_bytes() == (tmp_path / "export" / "ptq.tflite").read_bytes()
    assert (plain.details["converted_from"], int8.details["converted_from"]) == ("float", "qat")
    assert exported.file("float32").read_bytes() == (tmp_path / "export" / "float32.tflite").read_bytes()
    assert int8.measures["agreement"] > 0.95
    assert plain.simulation is None
    assert int8.simulation is not None
    assert int8.audit is not None
    assert int8.simulation.quantum == int8.audit.outputs[0].scale
    assert int8.measures["within_quantum"] > 0.8
    assert int8.simulation.plain["accuracy"] == exported.records["int8"].measures["accuracy"]
    assert sorted(path.name for path in context.folder.iterdir()) == ["float32.tflite", "int8.tflite", "ptq.tflite"]
    # The learned ranges stay: no conversion between differing scales was put between operators.
    assert set(int8.audit.operators) == {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX"}
    assert {t.layer for t in int8.audit.tensors if t.role == "weight"} == {"stem", "depth", "hidden", "digit"}
    kernels = {t.layer: t.quantization for t in int8.audit.tensors if t.role == "weight"}
    assert kernels["stem"] == "per-channel"
    assert kernels["hidden"] == "per-tensor"  # tfmot rounds Dense per tensor; post-training would be per channel


def test_the_same_model_gives_the_same_bytes(exported: Exported, tmp_path: Path) -> None:
    context = export_context(tmp_path / "export", exported.context.data)
    names = ("float16", "int8")
    tflite.export(exported.model, {name: VARIANTS[name] for name in names}, context)
    for name in names:
        assert (context.folder / f"{name}.tflite").read_bytes() == exported.file(name).read_bytes()


def test_without_training_examples_there_is_no_int8(exported: Exported, tmp_path: Path) -> None:
    data = exported.context.data
    empty = Split(data.train.inputs[:0], data.train.targets[:0])
    context = export_context(tmp_path / "export", Data(empty, data.validation, data.test, "digits"))
    int8, plain = tflite.export(exported.model, {"int8": VARIANTS["int8"], "float32": Variant()}, context)
    assert int8.error_code == "no_calibration_data"
    assert "Export int8 needs training examples to calibrate" in int8.claims[0].found
    assert "noise" in int8.claims[0].found
    assert plain.error is None
    assert [path.name for path in context.folder.iterdir()] == ["float32.tflite"]


def test_a_full_disk_is_named(exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Any, target: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(export_files.os, "replace", full)
    monkeypatch.setattr(tflite, "convert", lambda conversions, started: {})
    context = export_context(tmp_path / "export", exported.context.data)
    (record,) = tflite.export(exported.model, {"float32": Variant()}, context)
    assert record.error_code == "cannot_write"
    assert "float32.tflite: No space left on device" in record.claims[0].found
    assert "--out" in record.claims[0].found
    assert list(context.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(exported: Exported, tmp_path: Path) -> None:
    context = export_context(tmp_path / "export", exported.context.data)
    context.folder.rmdir()
    with pytest.raises(ExportError, match=r"Cannot write .*export: No such file or directory"):
        tflite.export(exported.model, {"float32": Variant()}, context)


def test_a_recurrent_model_predicts_one_by_one_and_its_int8_file_has_a_loop_in_float(
    tmp_path: Path,
) -> None:
    import tf_keras

    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    data = digits(rows=True)
    model = tf_keras.Sequential([tf_keras.Input((8, 8)), layers.GRU(16, name="gru"), layers.Dense(10, name="digit")])
    compile = Compile(loss={"name": "sparse_categorical_crossentropy", "from_logits": True})
    context = export_context(tmp_path / "export", data, compile=compile)
    int8 = Variant(quantize="int8", calibration=16)
    records = tflite.export(
        model, {"int8": int8, "float32": Variant(), "dynamic": Variant(quantize="dynamic")}, context
    )
    small, plain, dynamic = records
    assert [claim.found for claim in small.claims if not claim.held] == []
    assert small.audit is not None
    assert small.audit.float_layers == ["gru"]
    assert small.measures["agreement"] > 0.9
    assert plain.details["batch"] == 1
    assert all(claim.held for claim in plain.claims)
    assert plain.measures["agreement"] == 1.0
    assert dynamic.measures["agreement"] > 0.9
