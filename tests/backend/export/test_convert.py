"""Conversion in child processes: a file that crashes the converter does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.backend.export import convert as converting
from tfopt.backend.tflite import child_process
from tfopt.core.config.files.tflite_variant import Variant


def test_a_converter_that_crashes_at_one_file_resumes_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = child_process.call
    monkeypatch.setattr(
        child_process,
        "call",
        lambda _, arguments, libraries: call("tests.support.children.processes:convert_or_crash", arguments),
    )
    names = ("first", "crashing", "second", "odd", "last")
    conversions = [
        converting.Conversion(name, Variant(), tmp_path / "model", tmp_path / f"{name}.tflite", {}) for name in names
    ]
    started: list[str] = []
    failures = converting.convert(conversions, started.append)
    assert sorted(failures) == ["crashing", "odd"]
    assert "the converter crashed with SIGSEGV" in failures["crashing"].reason
    assert failures["crashing"].code == converting.CRASHED
    odd = failures["odd"]
    assert odd.reason == "the converter refused it: RuntimeError: op is neither custom nor builtin loc: callsite"
    assert odd.code == converting.REFUSED
    assert [name for name in names if (tmp_path / f"{name}.tflite").exists()] == ["first", "second", "last"]
    assert started == list(names)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("", "the converter refused it and gives no reason (RuntimeError without a text)"),
        ("<unknown>:0: error: loc(a): 'tf.Roll' op is neither a custom op nor a flex op", "no operator for Roll of"),
    ],
)
def test_a_refusal_is_always_a_sentence(
    message: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(function: str, arguments: object, libraries: str) -> None:
        raise child_process.ProcessFailed(["RuntimeError", "Exception"], message, "")

    monkeypatch.setattr(child_process, "call", refuse)
    conversion = converting.Conversion("int8", Variant(), tmp_path / "model", tmp_path / "int8.tflite", {})
    (failure,) = converting.convert([conversion], lambda name: None).values()
    assert sentence in failure.reason
    assert failure.code == converting.REFUSED


@pytest.mark.tf
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_dense_kernels_can_have_one_scale_each(tmp_path: Path) -> None:
    import numpy as np
    import tf_keras

    from tfopt.backend.export.keras_files.saved_model import signature_of, write_saved_model
    from tfopt.backend.tflite import flatbuffer

    rows = tf_keras.Input((4,), name="rows")
    model = tf_keras.Model(rows, tf_keras.layers.Dense(6, name="dense")(rows))
    write_saved_model(model, signature_of(model), tmp_path / "saved")
    (name,) = signature_of(model).inputs
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32))
    scales = []
    for per_channel in (None, False):
        variant = Variant(quantize="int8", dense_per_channel=per_channel)
        content = converting.convert_one(str(tmp_path / "saved"), variant, {name: str(tmp_path / "rows.npy")})
        (graph,) = flatbuffer.parse(content).model.subgraphs
        scales.append(
            max(len(tensor.quantization.scale) for tensor in graph.tensors if tensor.quantization.scale is not None)
        )
    assert scales == [6, 1]
