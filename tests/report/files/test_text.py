"""Audits, latencies and names in the terminal."""

from __future__ import annotations

from typing import Any

from tests.support.console import printed
from tests.support.sample_report import lying_report, sample_report
from tfopt.core.records.report import AuditRecord, PortRecord, TensorRecord
from tfopt.report.files.text import audit_text, listing_lines
from tfopt.results import CatalogEntry


def test_an_audit_names_what_computes_in_float() -> None:
    honest = sample_report().exports[-1].audit
    lying = lying_report().exports[-1].audit
    assert honest is not None
    assert lying is not None
    assert "integers only" in printed(audit_text(honest, "int8.tflite"))
    shown = " ".join(printed(audit_text(lying, "int8.tflite")).split())
    assert "computes in float: CONV_2D ×2, FULLY_CONNECTED ×2" in shown
    assert "(layers conv, conv_1, hidden, logits)" in shown


def sentence(**contents: Any) -> str:
    nothing: dict[str, Any] = {
        "inputs": [],
        "outputs": [],
        "operators": {},
        "float_operators": {},
        "sparsity": 0,
        "tensors": [],
    }
    return " ".join(printed(audit_text(AuditRecord(**{**nothing, **contents}), "file")).split())


def test_an_integer_file_with_float_ends_or_a_float_pair_inside_is_not_integers_only() -> None:
    ends = [PortRecord(name="x", dtype="float32", shape=[1, 4])]
    operators = {"QUANTIZE": 1, "FULLY_CONNECTED": 1, "DEQUANTIZE": 1}
    inside = {"int8": 3, "int32": 4, "float32": 2}
    shown = sentence(inputs=ends, outputs=ends, operators=operators, activations=inside)
    assert "int8 inside, float32 inputs and outputs: only QUANTIZE and DEQUANTIZE there see float values" in shown
    assert "int8 inside, float32 outputs:" in sentence(outputs=ends, operators=operators, activations=inside)
    pair = {"DEQUANTIZE": 1, "QUANTIZE": 1}
    shown = sentence(operators=operators, activations=inside, inner_conversions=pair)
    assert "goes through float values inside: DEQUANTIZE ×1, QUANTIZE ×1, though no operator" in shown
    shown = sentence(operators=operators, float_operators={"ELU": 1}, inner_conversions=pair)
    assert "computes in float: ELU ×1; between integers and float inside the file: DEQUANTIZE ×1" in shown


def test_files_of_keras_and_tensorflow_say_what_they_hold() -> None:
    kernel = TensorRecord(name="k", layer="dense", dtype="float32", shape=[4, 2], bytes=32, sparsity=0, unique=8,
                          quantization="none", role="weight")  # fmt: skip
    unknown = [PortRecord(name="own", dtype="?", shape=None)]
    shown = sentence(format="keras", operators={"Dense": 1}, computes_in=["float32"], tensors=[kernel], outputs=unknown)
    assert "a Keras model: weights in float32, layers that compute in float32" in shown
    assert "not said" in shown
    assert "layers number Dense 1" in shown
    assert "integers only" not in shown
    shown = sentence(format="saved_model", operators={"MatMul": 1}, tensors=[kernel])
    assert (
        "a SavedModel without Keras layers, which can be converted as it is, but not trained: weights in float32"
        in shown
    )
    assert "operations of TensorFlow number MatMul 1" in shown
    assert "weights in float32 alone: the file does not say" in sentence(format="h5", tensors=[kernel])


def test_a_long_name_does_not_run_into_its_description() -> None:
    long = "a-recipe-with-a-name-that-is-longer-than-its-column"
    lines = listing_lines(
        {"recipes": [CatalogEntry(long, "What it is for.", "here"), CatalogEntry(long, "", "here")]}, 80
    )
    assert lines[1].split() == [long]
    assert lines[2].strip() == "What it is for."
    assert lines[3].split() == [long]
    assert len(lines) == 4


def test_a_listing_is_plain_lines_with_arguments_and_origin() -> None:
    lines = listing_lines(
        {"models": [
            CatalogEntry("mlp", "Dense layers.", "tfopt", ("units",)),
            CatalogEntry("theirs", "Other.", "their-package"),
        ], "recipes": []},
        60,
    )  # fmt: skip
    assert lines[0] == "models"
    assert lines[1].split() == ["mlp", "Dense", "layers."]
    assert lines[2].strip() == "units"
    assert "[their-package]" in lines[3]
    assert lines[-2:] == ["recipes", "  none"]
    assert max(map(len, lines)) <= 60
