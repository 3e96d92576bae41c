"""The table of TFLite modes is complete, and the only place that tells modes apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.root import REPOSITORY
from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.claims.kernels import RuntimeCheck
from tfopt.core.claims.tflite import tflite_claims
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import DEFAULT, IO_TYPES, MODES
from tfopt.core.records.report import AuditRecord, ClaimRecord, PortRecord, TensorRecord

PACKAGE = REPOSITORY / "tfopt"
TELLS_MODES_APART = {"core/config/quantization_modes.py", "backend/export/convert.py"}
SAME_WORD = {
    "core/records/what_it_is.py": "dtypes of weights, not modes",
    "core/config/files/sparse_encoding.py": "the dtype of weights, not a mode",
    "backend/quantization/canonical/equality.py": "the dtype in which a Keras layer computes",
}
"""Files that compare against a word that is also a mode's name, with what the word means there."""

EVERY_MODE = pytest.mark.parametrize("name", MODES)


def claims_of(name: str, dtype: str) -> list[ClaimRecord]:
    """The claims of a variant about a file whose only weight is of `dtype`."""
    values: dict[str, Any] = {"scales": 1, "unique": 9, "sparsity": 0.0, "bytes": 9, "quantization": "none"}
    values |= {"operator": "FULLY_CONNECTED", "block": MODES[name].block}
    weight = TensorRecord(name="dense/MatMul", layer="dense", dtype=dtype, shape=[64, 1024], role="weight", **values)
    port = PortRecord(name="port", dtype="float32", shape=[1, 64])
    audit = AuditRecord(inputs=[port], outputs=[port], operators={}, float_operators={}, sparsity=0.0, tensors=[weight])
    same = OutputComparison(360, share=1.0)
    return tflite_claims(Variant(quantize=name), frozenset(), (), audit, RuntimeCheck(agreement=(same,), kernels=same))


@pytest.mark.tf
def test_every_mode_of_the_converter_has_a_function_and_no_other_has() -> None:
    from tfopt.backend.export.convert import CONVERTERS

    assert set(CONVERTERS) == {name for name, mode in MODES.items() if mode.engine == "converter"}
    assert len(set(CONVERTERS.values())) == len(CONVERTERS)


@EVERY_MODE
def test_every_mode_has_claims_about_its_weights_that_can_break(name: str) -> None:
    mode = MODES[name]
    assert all(claim.held for claim in claims_of(name, mode.weights))
    other = "float64" if mode.weights == "float32" else "float32"
    assert any(claim.claim.startswith("weights") and not claim.held for claim in claims_of(name, other))


@EVERY_MODE
def test_an_integer_mode_claims_that_no_operator_is_float(name: str) -> None:
    claims = [claim.claim for claim in claims_of(name, MODES[name].weights)]
    assert any("only" in claim for claim in claims) == MODES[name].integer_only


@EVERY_MODE
def test_every_mode_has_a_size_an_agreement_and_a_meaning(name: str) -> None:
    mode = MODES[name]
    assert 0 < mode.bytes_per_parameter <= 4
    assert 0.5 <= mode.least_agreement < 1
    assert mode.meaning
    assert mode.float32_below == 0 or not mode.integer_only


@EVERY_MODE
def test_a_variant_accepts_the_io_types_of_its_mode_and_no_others(name: str) -> None:
    for dtype in IO_TYPES:
        if dtype in MODES[name].io:
            assert Variant(quantize=name, io=dtype).io == dtype
        else:
            with pytest.raises(ValidationError, match=f"io: {dtype} needs quantize: .* \\(got quantize: {name}\\)"):
                Variant(quantize=name, io=dtype)


@EVERY_MODE
def test_sparse_encoding_is_refused_with_the_reason_of_the_mode(name: str) -> None:
    reason = MODES[name].not_sparse
    if reason is None:
        assert Variant(quantize=name, sparse=True).sparse
    else:
        with pytest.raises(ValidationError) as raised:
            Variant(quantize=name, sparse=True)
        assert f"quantize: {name}: {reason}" in str(raised.value)


def test_inputs_and_outputs_may_differ_in_type() -> None:
    mixed = Variant.model_validate({"quantize": "int8", "io": {"input": "uint8"}})
    assert (mixed.input_type, mixed.output_type) == ("uint8", "float32")
    assert (Variant(quantize="int8", io="int8").input_type, Variant().output_type) == ("int8", "float32")
    assert mixed.model_dump(mode="json")["io"] == {"input": "uint8", "output": "float32"}
    for io, message in [
        ({"input": "float32", "output": "int8"}, "io.output: int8 needs quantize: int8"),
        ({"inputs": "int8"}, "Extra inputs"),
        ("int32", "'float32', 'int8', 'uint8' or 'int16'"),
    ]:
        with pytest.raises(ValidationError, match=message):
            Variant.model_validate({"io": io})


def test_schema_and_documentation_derive_from_the_table() -> None:
    keys = Variant.model_json_schema()["properties"]
    assert keys["quantize"]["enum"] == list(MODES)
    assert keys["quantize"]["default"] == DEFAULT
    assert all(f"`{name}`: {mode.meaning}" in keys["quantize"]["description"] for name, mode in MODES.items())
    assert keys["io"]["oneOf"][0]["enum"] == list(IO_TYPES) == ["float32", "int8", "uint8", "int16"]
    assert keys["io"]["description"] == (
        "Type of inputs and outputs, or `{input: uint8, output: float32}`; int8 and uint8 need `quantize: int8`; "
        "int16 needs `quantize: int16x8`."
    )


def test_no_other_file_tells_modes_apart() -> None:
    found = {path: sites for path in sources() if (sites := list(comparisons(PACKAGE / path)))}
    assert not {path: sites for path, sites in found.items() if path not in TELLS_MODES_APART | SAME_WORD.keys()}


def sources() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix()


def comparisons(path: Path) -> Iterator[str]:
    """Comparisons, look-ups and cases in which the name of a mode takes part."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            # `none` is also a value of other keys (flip, scale, loss).
            words = named(node, set(MODES) if "quantize" in ast.unparse(node) else set(MODES) - {"none"})
        elif isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            words = keys if len(keys) > 1 and MODES.keys() >= set(keys) else []
        elif isinstance(node, ast.MatchValue):
            words = named(node, set(MODES) - {"none"})
        else:
            continue
        if words:
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


def named(node: ast.AST, names: set[str]) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value in names]
